#include "store/sqlite/sealer.h"

#include <string.h>

#include "base/check.h"
#include "base/result.h"

static struct hl_bytes bytes_of(const uint8_t *data, size_t size)
{
    return (struct hl_bytes){(const char *)data, size};
}

int hl_sqlite_sealer_init(struct hl_sqlite_sealer *sealer, sqlite3 *db,
                          const uint8_t region_key[HL_SEAL_KEY_SIZE])
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } table[] = {
        {&sealer->insert_key, "INSERT INTO conversation_keys VALUES (?1, ?2)"},
        {&sealer->set_key, "UPDATE conversations SET key = ?2 WHERE number = ?1"},
        /* as many bytes as before: it is overwritten where it stands */
        {&sealer->destroy_key, "UPDATE conversation_keys SET wrapped = ?2 WHERE number = "
                               "(SELECT key FROM conversations WHERE number = ?1)"},
        {&sealer->list_plain, "SELECT position, length(CAST(body AS BLOB)) FROM entries "
                              "WHERE conversation = ?1 AND offset < ?2 AND sealed IS NULL"},
        {&sealer->blank_body, "UPDATE entries SET body = ?2 WHERE position = ?1"},
    };
    int64_t number = 0;
    int r = 0;

    memcpy(sealer->region_key, region_key, sizeof(sealer->region_key));
    hl_seal_nonces_init(&sealer->nonces);
    for (size_t i = 0; r == 0 && i < sizeof(table) / sizeof(table[0]); i++)
        r = hl_sqlite_prepare(db, table[i].sql, table[i].statement);
    if (r == 0)
        r = hl_sqlite_query_integer(db, "SELECT max(number) FROM conversation_keys", &number);
    sealer->number = (uint64_t)number;
    return r;
}

void hl_sqlite_sealer_fini(struct hl_sqlite_sealer *sealer)
{
    hl_seal_forget(sealer->region_key, sizeof(sealer->region_key));
}

void hl_sqlite_sealer_begin(struct hl_sqlite_sealer *sealer)
{
    sealer->began_number = sealer->number;
    sealer->has_destroyed = false;
}

void hl_sqlite_sealer_roll_back(struct hl_sqlite_sealer *sealer)
{
    sealer->number = sealer->began_number;
    sealer->has_destroyed = false;
}

int hl_sqlite_sealer_make(struct hl_sqlite_sealer *sealer, const struct hl_id *conversation,
                          struct hl_seal *out_seal, uint64_t *out_number)
{
    uint8_t wrapped[HL_SEAL_WRAPPED_SIZE];

    hl_seal_draw(out_seal);
    hl_seal_wrap(sealer->region_key, conversation, out_seal, wrapped);
    *out_number = ++sealer->number;
    hl_sqlite_bind_integer(sealer->insert_key, 1, (int64_t)*out_number);
    hl_sqlite_bind_blob(sealer->insert_key, 2, bytes_of(wrapped, sizeof(wrapped)));
    int r = hl_sqlite_finish(sealer->insert_key);
    HL_CHECK(sqlite3_clear_bindings(sealer->insert_key) == SQLITE_OK); /* it ends here */
    return r;
}

/* For a conversation whose row is there and has none. */
static int add_key(struct hl_sqlite_sealer *sealer, const struct hl_id *conversation,
                   uint64_t conversation_number, struct hl_seal *out_seal)
{
    uint64_t number = 0;
    int r = hl_sqlite_sealer_make(sealer, conversation, out_seal, &number);

    if (r != 0)
        return r;
    hl_sqlite_bind_integer(sealer->set_key, 1, (int64_t)conversation_number);
    hl_sqlite_bind_integer(sealer->set_key, 2, (int64_t)number);
    return hl_sqlite_finish(sealer->set_key);
}

int hl_sqlite_sealer_body(struct hl_sqlite_sealer *sealer, uint64_t conversation_number,
                          struct hl_seal *seal, const struct hl_entry *entry,
                          struct hl_sqlite_stored *out_stored)
{
    int r = 0;

    *out_stored = (struct hl_sqlite_stored){.bytes = hl_entry_body(entry),
                                            .is_sealed = entry->kind != HL_ENTRY_ERASED};
    if (!out_stored->is_sealed)
        return 0;
    if (seal->state == HL_SEAL_NONE)
        r = add_key(sealer, &entry->conversation, conversation_number, seal);
    if (r != 0)
        return r;
    if (seal->state != HL_SEAL_OPEN)
        return -EBADMSG;
    hl_seal_body(seal, &sealer->nonces, entry, sealer->sealed);
    out_stored->bytes = bytes_of(sealer->sealed, (size_t)entry->body_size + HL_SEAL_OVERHEAD);
    return 0;
}

struct hl_bytes hl_sqlite_sealer_identity(struct hl_sqlite_sealer *sealer,
                                          const struct hl_seal *seal,
                                          const struct hl_conversation *conversation)
{
    struct hl_bytes identity = hl_bytes_of(conversation->identity);

    if (identity.size == 0)
        return (struct hl_bytes){NULL, 0};
    hl_seal_identity(seal, &sealer->nonces, &conversation->id, identity, sealer->identity);
    return bytes_of(sealer->identity, identity.size + HL_SEAL_OVERHEAD);
}

/* As many spaces as there were bytes, so that they are overwritten where they stand. */
static int blank_body(struct hl_sqlite_sealer *sealer, int64_t position, size_t size)
{
    if (size > sizeof(sealer->sealed))
        return -EBADMSG;
    memset(sealer->sealed, ' ', size);
    hl_sqlite_bind_integer(sealer->blank_body, 1, position);
    hl_sqlite_bind_text(sealer->blank_body, 2, bytes_of(sealer->sealed, size));
    return hl_sqlite_finish(sealer->blank_body);
}

int hl_sqlite_sealer_destroy(struct hl_sqlite_sealer *sealer, uint64_t conversation_number,
                             uint64_t below, struct hl_seal *seal)
{
    int r = 0;

    sealer->has_destroyed = true;
    hl_seal_forget(seal, sizeof(*seal));
    seal->state = HL_SEAL_DESTROYED;
    hl_sqlite_bind_integer(sealer->destroy_key, 1, (int64_t)conversation_number);
    hl_sqlite_bind_blob(sealer->destroy_key, 2, bytes_of(hl_seal_destroyed, HL_SEAL_WRAPPED_SIZE));
    r = hl_sqlite_finish(sealer->destroy_key);
    hl_sqlite_bind_integer(sealer->list_plain, 1, (int64_t)conversation_number);
    hl_sqlite_bind_integer(sealer->list_plain, 2, (int64_t)below);
    while (r == 0 && (r = hl_sqlite_step(sealer->list_plain)) == 0)
        r = blank_body(sealer, sqlite3_column_int64(sealer->list_plain, 0),
                       (size_t)sqlite3_column_int64(sealer->list_plain, 1));
    (void)sqlite3_reset(sealer->list_plain);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}
