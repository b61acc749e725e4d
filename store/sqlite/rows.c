#include "store/sqlite/rows.h"

#include <string.h>

#include "base/result.h"

/* Copies a text column into a field of size_max + 1 bytes. */
static bool read_text(sqlite3_stmt *statement, int column, char *out_text, size_t size_max)
{
    struct hl_bytes text = hl_sqlite_column_bytes(statement, column);

    if (text.size > size_max || (text.size > 0 && memchr(text.data, '\0', text.size) != NULL))
        return false;
    if (text.size > 0)
        memcpy(out_text, text.data, text.size);
    out_text[text.size] = '\0';
    return true;
}

static int read_identity(sqlite3_stmt *statement, const struct hl_seal *seal,
                         struct hl_conversation *to)
{
    struct hl_bytes sealed = hl_sqlite_column_bytes(statement, HL_SQLITE_CONVERSATION_IDENTITY);

    if (sealed.size == 0 || to->is_erased || seal->state == HL_SEAL_ELSEWHERE)
        return 0;
    if (sealed.size > HL_IDENTITY_SIZE_MAX + HL_SEAL_OVERHEAD)
        return -EBADMSG;
    return hl_seal_open_identity(seal, &to->id, sealed, to->identity);
}

/* The key is opened only for who needs it. */
static int read_seal(sqlite3_stmt *statement, const uint8_t *region_key, struct hl_conversation *to,
                     struct hl_seal *out_seal)
{
    struct hl_bytes wrapped = hl_sqlite_column_bytes(statement, 14);
    bool has_identity =
        sqlite3_column_type(statement, HL_SQLITE_CONVERSATION_IDENTITY) != SQLITE_NULL;
    struct hl_seal seal = {.state = (uint8_t)hl_seal_look(wrapped)};
    int r = 0;

    to->is_erased = to->is_erased || seal.state == HL_SEAL_DESTROYED;
    if (region_key == NULL || (out_seal == NULL && !has_identity))
        return 0;
    r = hl_seal_unwrap(region_key, &to->id, wrapped, &seal);
    if (r == 0)
        r = read_identity(statement, &seal, to);
    if (r == 0 && out_seal != NULL)
        *out_seal = seal;
    hl_seal_forget(&seal, sizeof(seal));
    return r;
}

int hl_sqlite_read_conversation(sqlite3_stmt *statement, const uint8_t *region_key,
                                struct hl_conversation *out_conversation, uint64_t *out_number,
                                struct hl_seal *out_seal)
{
    struct hl_conversation *to = out_conversation;
    int64_t status = sqlite3_column_int64(statement, 4);

    *to = (struct hl_conversation){.status = (uint8_t)status,
                                   .is_erased = sqlite3_column_int64(statement, 13) != 0};
    *out_number = (uint64_t)sqlite3_column_int64(statement, 0);
    if (!hl_sqlite_column_id(statement, 1, &to->id) || hl_id_is_zero(&to->id) ||
        !read_text(statement, 2, to->site, HL_SITE_SIZE_MAX) ||
        !read_text(statement, 3, to->reference, HL_REFERENCE_SIZE_MAX) ||
        (status != HL_STATUS_OPEN && status != HL_STATUS_CLOSED) ||
        !hl_sqlite_column_id(statement, 5, &to->assignee) ||
        !hl_sqlite_column_id(statement, 11, &to->inbox))
        return -EBADMSG;
    to->revision = (uint64_t)sqlite3_column_int64(statement, 6);
    to->floor = (uint64_t)sqlite3_column_int64(statement, 7);
    to->opened_ms = sqlite3_column_int64(statement, 8);
    to->claimed_ms = sqlite3_column_int64(statement, 9);
    to->waiting_since_ms = sqlite3_column_int64(statement, 10);
    to->head = (uint64_t)sqlite3_column_int64(statement, 15);
    to->updated_ms = sqlite3_column_int64(statement, 16);
    return read_seal(statement, region_key, to, out_seal);
}

struct hl_sqlite_stored hl_sqlite_read_stored(sqlite3_stmt *statement)
{
    struct hl_sqlite_stored stored = {
        .is_sealed = sqlite3_column_type(statement, 9) != SQLITE_NULL,
    };

    stored.bytes = hl_sqlite_column_bytes(statement, stored.is_sealed ? 9 : 8);
    stored.is_blank = !stored.is_sealed && stored.bytes.size > 0 && stored.bytes.data[0] == ' ';
    return stored;
}

/* How much body the entry is to have, and what of it is there already. 0, -EBADMSG. */
static int choose_body(const struct hl_sqlite_stored *stored, const struct hl_seal *seal,
                       struct hl_bytes *out_body, bool *out_is_erased)
{
    *out_is_erased = stored->is_blank || (stored->is_sealed && seal->state == HL_SEAL_DESTROYED);
    *out_body = *out_is_erased ? hl_bytes_of("{}") : stored->bytes;
    if (*out_is_erased || !stored->is_sealed)
        return 0;
    if (seal->state != HL_SEAL_OPEN || stored->bytes.size < HL_SEAL_OVERHEAD)
        return -EBADMSG;
    *out_body = (struct hl_bytes){NULL, stored->bytes.size - HL_SEAL_OVERHEAD};
    return 0;
}

int hl_sqlite_read_entry(sqlite3_stmt *statement, const struct hl_id *conversation,
                         const struct hl_seal *seal, struct hl_entry **out_entry)
{
    struct hl_sqlite_stored stored = hl_sqlite_read_stored(statement);
    bool is_erased = false;
    int64_t kind = sqlite3_column_int64(statement, 2);
    int64_t role = sqlite3_column_int64(statement, 3);
    struct hl_entry_fields fields = {
        .conversation = *conversation,
        .author.role = (uint8_t)role,
        .kind = (enum hl_entry_kind)kind,
    };

    if (kind < HL_ENTRY_MESSAGE || kind >= HL_ENTRY_KIND_END || role < HL_ROLE_VISITOR ||
        role > HL_ROLE_SYSTEM || !hl_sqlite_column_id(statement, 4, &fields.author.id) ||
        !hl_sqlite_column_id(statement, 5, &fields.subject))
        return -EBADMSG;
    fields.mid = hl_sqlite_column_bytes(statement, 7);
    if (seal != NULL && choose_body(&stored, seal, &fields.body, &is_erased) != 0)
        return -EBADMSG;
    if (!hl_mid_is_valid(fields.mid) || fields.body.size > HL_ENTRY_BODY_SIZE_MAX)
        return -EBADMSG;
    struct hl_entry *entry = hl_entry_create(&fields);
    if (entry == NULL)
        return -ENOMEM;
    entry->position = (uint64_t)sqlite3_column_int64(statement, 0);
    entry->offset = (uint64_t)sqlite3_column_int64(statement, 1);
    entry->wall_ms = sqlite3_column_int64(statement, 6);
    entry->is_erased = is_erased;
    if (seal != NULL && stored.is_sealed && !is_erased &&
        hl_seal_open_body(seal, stored.bytes, entry) != 0) {
        hl_entry_unref(entry);
        return -EBADMSG;
    }
    *out_entry = entry;
    return 0;
}

int hl_sqlite_read_place(sqlite3_stmt *statement, int column, struct hl_place *out_place)
{
    *out_place = (struct hl_place){0};
    return read_text(statement, column, out_place->site, HL_SITE_SIZE_MAX) &&
                   hl_sqlite_column_id(statement, column + 1, &out_place->inbox)
               ? 0
               : -EBADMSG;
}

bool hl_sqlite_column_chain(sqlite3_stmt *statement, int column, struct hl_chain *out_chain)
{
    struct hl_bytes bytes = hl_sqlite_column_bytes(statement, column);

    if (bytes.size != sizeof(out_chain->b))
        return false;
    memcpy(out_chain->b, bytes.data, bytes.size);
    return true;
}
