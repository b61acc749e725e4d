#include "store/sqlite/appender.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "store/engine.h"
#include "store/sqlite/rows.h"

enum { CACHED_CONVERSATIONS_MAX = 65536, CACHED_MEMORY_MAX = 128 * 1024 * 1024 };

static const char insert_conversation_sql[] =
    "INSERT INTO conversations (number, id, site, reference, status, assignee, revision, "
    "opened_ms, claimed_ms, waiting_since_ms, inbox, erased, first_inbox, identity, key) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
static const char update_conversation_sql[] =
    "UPDATE conversations SET status = ?5, assignee = ?6, revision = ?7, claimed_ms = ?9, "
    "waiting_since_ms = ?10, inbox = ?11, erased = ?12 WHERE number = ?1";
static const char raise_mark_sql[] =
    "INSERT INTO marks SELECT number, ?2, ?3, ?4, ?5, ?6 FROM conversations WHERE id = ?1 "
    "ON CONFLICT DO UPDATE SET delivered = max(delivered, excluded.delivered), "
    "read = max(read, excluded.read), raised_ms = excluded.raised_ms";

static int prepare_statements(struct hl_sqlite_appender *appender)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } table[] = {
        {&appender->begin, "BEGIN IMMEDIATE"},
        {&appender->seal, "UPDATE meta SET position = ?1, seal = ?2"},
        {&appender->commit, "COMMIT"},
        {&appender->rollback, "ROLLBACK"},
        {&appender->insert_entry,
         "INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"},
        {&appender->insert_block, "INSERT INTO mid_blocks VALUES (?1, ?2, ?3)"},
        {&appender->insert_conversation, insert_conversation_sql},
        {&appender->update_conversation, update_conversation_sql},
        {&appender->raise_mark, raise_mark_sql},
        {&appender->find_conversation,
         "SELECT " HL_SQLITE_CONVERSATION_COLUMNS ", l.role, l.author, l.chain "
         "FROM " HL_SQLITE_CONVERSATION_SOURCE " WHERE c.id = ?1"},
        {&appender->find_reference, "SELECT 1 FROM conversations WHERE reference = ?1"},
        {&appender->list_blocks,
         "SELECT tags FROM mid_blocks WHERE conversation = ?1 ORDER BY block"},
        {&appender->list_tail, "SELECT role, author, mid FROM entries "
                               "WHERE conversation = ?1 AND offset > ?2 ORDER BY offset"},
        {&appender->find_entry, "SELECT " HL_SQLITE_ENTRY_COLUMNS
                                " FROM entries e WHERE e.conversation = ?1 AND e.offset = ?2"},
        {&appender->find_foreign,
         "SELECT offset FROM entries WHERE conversation = ?1 AND NOT (role = ?2 AND author IS ?3) "
         "ORDER BY offset DESC LIMIT 1"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int r = hl_sqlite_prepare(appender->db, table[i].sql, table[i].statement);
        if (r != 0)
            return r;
    }
    return 0;
}

static int read_counter(sqlite3 *db, const char *sql, uint64_t *out_value)
{
    int64_t value = 0;
    int r = hl_sqlite_query_integer(db, sql, &value);

    *out_value = (uint64_t)value;
    return r;
}

int hl_sqlite_appender_init(struct hl_sqlite_appender *appender, sqlite3 *db,
                            const uint8_t chain_key[HL_CHAIN_KEY_SIZE],
                            const uint8_t region_key[HL_SEAL_KEY_SIZE],
                            const struct hl_sqlite_meta *meta)
{
    *appender = (struct hl_sqlite_appender){.db = db};
    memcpy(appender->chain_key, chain_key, sizeof(appender->chain_key));
    memcpy(appender->tag_key, meta->tag_key, sizeof(appender->tag_key));
    int r = hl_sqlite_cache_init(&appender->cache, CACHED_CONVERSATIONS_MAX, CACHED_MEMORY_MAX);
    if (r == 0)
        r = prepare_statements(appender);
    if (r == 0)
        r = hl_sqlite_sealer_init(&appender->sealer, db, region_key);
    if (r == 0)
        r = read_counter(db, "SELECT max(position) FROM entries", &appender->position);
    if (r == 0)
        r = read_counter(db, "SELECT max(number) FROM conversations", &appender->number);
    return r;
}

/* The statements go with their connection. */
void hl_sqlite_appender_fini(struct hl_sqlite_appender *appender)
{
    hl_sqlite_cache_fini(&appender->cache);
    hl_sqlite_sealer_fini(&appender->sealer);
}

int hl_sqlite_appender_begin(struct hl_sqlite_appender *appender)
{
    hl_sqlite_cache_begin_group(&appender->cache);
    hl_sqlite_sealer_begin(&appender->sealer);
    appender->began_position = appender->position;
    appender->began_number = appender->number;
    appender->broken = false;
    return hl_sqlite_finish(appender->begin);
}

/* Writes down which entry is the last, so that a tail that was cut off is missed. */
static int seal_log(struct hl_sqlite_appender *appender)
{
    struct hl_chain seal;

    hl_chain_seal(appender->chain_key, appender->position, &appender->last_chain, &seal);
    hl_sqlite_bind_integer(appender->seal, 1, (int64_t)appender->position);
    hl_sqlite_bind_blob(appender->seal, 2, (struct hl_bytes){(const char *)seal.b, sizeof(seal.b)});
    int r = hl_sqlite_finish(appender->seal);
    HL_CHECK(sqlite3_clear_bindings(appender->seal) == SQLITE_OK); /* the seal ends here */
    return r;
}

int hl_sqlite_appender_commit(struct hl_sqlite_appender *appender)
{
    int r = appender->position != appender->began_position ? seal_log(appender) : 0;

    return r != 0 ? r : hl_sqlite_finish(appender->commit);
}

void hl_sqlite_appender_roll_back(struct hl_sqlite_appender *appender)
{
    /* many errors have made SQLite roll back on its own */
    if (sqlite3_get_autocommit(appender->db) == 0)
        (void)hl_sqlite_finish(appender->rollback);
    hl_sqlite_cache_drop_group(&appender->cache);
    hl_sqlite_sealer_roll_back(&appender->sealer);
    appender->position = appender->began_position;
    appender->number = appender->began_number;
}

/* Adds what a row says to the set. 0, -EBADMSG. */
static int add_block(struct hl_mid_set *mids, sqlite3_stmt *row)
{
    struct hl_bytes block = hl_sqlite_column_bytes(row, 0);

    if (block.size != HL_MID_BLOCK_SIZE || mids->capacity - mids->n_tags < HL_MID_BLOCK_TAGS)
        return -EBADMSG;
    hl_mid_set_add_block(mids, (const uint8_t *)block.data);
    return 0;
}

static int add_mid(const struct hl_sqlite_appender *appender, struct hl_mid_set *mids,
                   sqlite3_stmt *row)
{
    struct hl_author author = {.role = (uint8_t)sqlite3_column_int(row, 0)};
    struct hl_bytes mid = hl_sqlite_column_bytes(row, 2);

    if (!hl_sqlite_column_id(row, 1, &author.id) || !hl_mid_is_valid(mid) ||
        mids->n_tags == mids->capacity)
        return -EBADMSG;
    hl_mid_set_add(mids, hl_mid_tag(appender->tag_key, &author, mid));
    return 0;
}

/* The blocks that are full, then the mids behind them one by one. */
static int load_tags(struct hl_sqlite_appender *appender,
                     struct hl_sqlite_conversation *conversation)
{
    struct hl_mid_set *mids = &conversation->mids;
    sqlite3_stmt *blocks = appender->list_blocks;
    sqlite3_stmt *tail = appender->list_tail;
    int r = hl_mid_set_reserve(mids, conversation->state.head);

    if (r != 0)
        return r;
    hl_sqlite_bind_integer(blocks, 1, (int64_t)conversation->number);
    while (r == 0 && (r = hl_sqlite_step(blocks)) == 0)
        r = add_block(mids, blocks);
    (void)sqlite3_reset(blocks);
    if (r != HL_SQLITE_NO_ROW)
        return r;
    r = 0;
    hl_sqlite_bind_integer(tail, 1, (int64_t)conversation->number);
    hl_sqlite_bind_integer(tail, 2, mids->n_tags);
    while (r == 0 && (r = hl_sqlite_step(tail)) == 0)
        r = add_mid(appender, mids, tail);
    (void)sqlite3_reset(tail);
    if (r != HL_SQLITE_NO_ROW)
        return r;
    bool complete = mids->n_tags == conversation->state.head;
    return complete ? 0 : -EBADMSG; /* a hole, or blocks that are not the entries' */
}

static int read_cached_row(const struct hl_sqlite_appender *appender, sqlite3_stmt *found,
                           struct hl_sqlite_conversation *conversation)
{
    int column = HL_SQLITE_CONVERSATION_WIDTH;
    int r = hl_sqlite_read_conversation(found, appender->sealer.region_key, &conversation->state,
                                        &conversation->number, &conversation->seal);

    if (r != 0)
        return r;
    conversation->last_author.role = (uint8_t)sqlite3_column_int(found, column);
    if (!hl_sqlite_column_id(found, column + 1, &conversation->last_author.id) ||
        !hl_sqlite_column_chain(found, column + 2, &conversation->chain))
        return -EBADMSG;
    return 0;
}

/* 0 (*out is NULL if there is none), -errno. */
static int load_conversation(struct hl_sqlite_appender *appender, const struct hl_id *id,
                             struct hl_sqlite_conversation **out_conversation)
{
    sqlite3_stmt *find = appender->find_conversation;

    hl_sqlite_bind_id(find, 1, id);
    int r = hl_sqlite_step(find);
    if (r == HL_SQLITE_NO_ROW)
        return 0;
    if (r < 0)
        return r;
    struct hl_sqlite_conversation *conversation = calloc(1, sizeof(*conversation));
    r = conversation == NULL ? -ENOMEM : read_cached_row(appender, find, conversation);
    (void)sqlite3_reset(find);
    if (r == 0)
        r = load_tags(appender, conversation);
    if (r != 0) {
        hl_sqlite_conversation_destroy(conversation);
        return r;
    }
    hl_sqlite_cache_add(&appender->cache, conversation);
    *out_conversation = conversation;
    return 0;
}

static int find_conversation(struct hl_sqlite_appender *appender, const struct hl_id *id,
                             struct hl_sqlite_conversation **out_conversation)
{
    *out_conversation = hl_sqlite_cache_find(&appender->cache, id);
    return *out_conversation != NULL ? 0 : load_conversation(appender, id, out_conversation);
}

/* Whether the mid was used: 0 (*out_first is the entry, or NULL), -errno. */
static int find_first(struct hl_sqlite_appender *appender,
                      const struct hl_sqlite_conversation *conversation,
                      const struct hl_entry *entry, uint64_t tag, struct hl_entry **out_first)
{
    uint32_t cursor = 0;

    for (uint64_t offset; (offset = hl_mid_set_find(&conversation->mids, tag, &cursor)) != 0;) {
        hl_sqlite_bind_integer(appender->find_entry, 1, (int64_t)conversation->number);
        hl_sqlite_bind_integer(appender->find_entry, 2, (int64_t)offset);
        int r = hl_sqlite_step(appender->find_entry);
        if (r != 0)
            return r < 0 ? r : -EBADMSG;
        struct hl_entry *first = NULL;
        r = hl_sqlite_read_entry(appender->find_entry, &entry->conversation, &conversation->seal,
                                 &first);
        (void)sqlite3_reset(appender->find_entry);
        if (r != 0)
            return r;
        if (hl_author_equal(&first->author, &entry->author) &&
            hl_bytes_equal(hl_entry_mid(first), hl_entry_mid(entry))) {
            *out_first = first;
            return 0;
        }
        hl_entry_unref(first);
    }
    return 0;
}

static int repeat_submit(struct hl_log_submit *submit, struct hl_entry *first)
{
    bool same = hl_engine_same_content(submit->entry, first);

    if (same) {
        submit->entry->offset = first->offset;
        submit->entry->position = first->position;
        submit->entry->wall_ms = first->wall_ms;
        hl_engine_fill_submit(submit, first, true);
    }
    hl_entry_unref(first);
    return same ? 0 : HL_LOG_MID_CONFLICT;
}

/* Offset of the last entry that is not the author's. 0, -errno. */
static int find_last_foreign(struct hl_sqlite_appender *appender,
                             struct hl_sqlite_conversation *conversation,
                             const struct hl_author *author, uint64_t *out_offset)
{
    sqlite3_stmt *find = appender->find_foreign;

    if (!hl_author_equal(author, &conversation->last_author)) {
        *out_offset = conversation->state.head;
        return 0;
    }
    if (!conversation->last_foreign_known) {
        hl_sqlite_bind_integer(find, 1, (int64_t)conversation->number);
        hl_sqlite_bind_integer(find, 2, author->role);
        hl_sqlite_bind_id(find, 3, &author->id);
        int r = hl_sqlite_step(find);
        if (r < 0)
            return r;
        conversation->last_foreign = r == 0 ? (uint64_t)sqlite3_column_int64(find, 0) : 0;
        conversation->last_foreign_known = true;
        (void)sqlite3_reset(find);
    }
    *out_offset = conversation->last_foreign;
    return 0;
}

/* The state's columns, at the parameters that insert and update share. */
static int store_state(sqlite3_stmt *statement, const struct hl_sqlite_conversation *conversation)
{
    const struct hl_conversation *state = &conversation->state;

    hl_sqlite_bind_integer(statement, 1, (int64_t)conversation->number);
    hl_sqlite_bind_integer(statement, 5, state->status);
    hl_sqlite_bind_id(statement, 6, &state->assignee);
    hl_sqlite_bind_integer(statement, 7, (int64_t)state->revision);
    hl_sqlite_bind_integer(statement, 9, state->claimed_ms);
    if (state->waiting_since_ms != 0)
        hl_sqlite_bind_integer(statement, 10, state->waiting_since_ms);
    else
        HL_CHECK(sqlite3_bind_null(statement, 10) == SQLITE_OK);
    hl_sqlite_bind_id(statement, 11, &state->inbox);
    hl_sqlite_bind_integer(statement, 12, state->is_erased);
    return hl_sqlite_finish(statement);
}

static int insert_conversation(struct hl_sqlite_appender *appender,
                               const struct hl_sqlite_conversation *conversation,
                               struct hl_bytes identity)
{
    sqlite3_stmt *insert = appender->insert_conversation;
    const struct hl_conversation *state = &conversation->state;

    hl_sqlite_bind_id(insert, 2, &state->id);
    hl_sqlite_bind_text(insert, 3, hl_bytes_of(state->site));
    if (state->reference[0] != '\0')
        hl_sqlite_bind_text(insert, 4, hl_bytes_of(state->reference));
    else
        HL_CHECK(sqlite3_bind_null(insert, 4) == SQLITE_OK);
    hl_sqlite_bind_integer(insert, 8, state->opened_ms);
    hl_sqlite_bind_id(insert, 13, &conversation->first_inbox);
    if (identity.size > 0)
        hl_sqlite_bind_blob(insert, 14, identity);
    else
        HL_CHECK(sqlite3_bind_null(insert, 14) == SQLITE_OK);
    hl_sqlite_bind_integer(insert, 15, (int64_t)conversation->key);
    return store_state(insert, conversation);
}

static int insert_entry(struct hl_sqlite_appender *appender,
                        const struct hl_sqlite_conversation *conversation,
                        const struct hl_entry *entry, const struct hl_sqlite_stored *stored)
{
    sqlite3_stmt *insert = appender->insert_entry;
    struct hl_bytes nothing = {NULL, 0};
    struct hl_bytes chain = {(const char *)conversation->chain.b, sizeof(conversation->chain.b)};

    hl_sqlite_bind_integer(insert, 1, (int64_t)entry->position);
    hl_sqlite_bind_integer(insert, 2, (int64_t)conversation->number);
    hl_sqlite_bind_integer(insert, 3, (int64_t)entry->offset);
    hl_sqlite_bind_integer(insert, 4, entry->kind);
    hl_sqlite_bind_integer(insert, 5, entry->author.role);
    hl_sqlite_bind_id(insert, 6, &entry->author.id);
    hl_sqlite_bind_id(insert, 7, &entry->subject);
    hl_sqlite_bind_integer(insert, 8, entry->wall_ms);
    hl_sqlite_bind_text(insert, 9, hl_entry_mid(entry));
    hl_sqlite_bind_blob(insert, 10, chain);
    hl_sqlite_bind_text(insert, 11, stored->is_sealed ? nothing : stored->bytes);
    if (stored->is_sealed)
        hl_sqlite_bind_blob(insert, 12, stored->bytes);
    else
        HL_CHECK(sqlite3_bind_null(insert, 12) == SQLITE_OK);
    return hl_sqlite_finish(insert);
}

/* Once 64 more mids are used their tags go to the disk together. */
static int insert_block(struct hl_sqlite_appender *appender,
                        const struct hl_sqlite_conversation *conversation)
{
    sqlite3_stmt *insert = appender->insert_block;
    uint32_t n_tags = conversation->mids.n_tags;
    uint8_t block[HL_MID_BLOCK_SIZE];

    if (n_tags % HL_MID_BLOCK_TAGS != 0)
        return 0;
    uint32_t n = n_tags / HL_MID_BLOCK_TAGS - 1;
    hl_mid_set_pack_block(&conversation->mids, n, block);
    hl_sqlite_bind_integer(insert, 1, (int64_t)conversation->number);
    hl_sqlite_bind_integer(insert, 2, n);
    hl_sqlite_bind_blob(insert, 3, (struct hl_bytes){(const char *)block, sizeof(block)});
    int r = hl_sqlite_finish(insert);
    HL_CHECK(sqlite3_clear_bindings(insert) == SQLITE_OK); /* the block ends with this call */
    return r;
}

/* Makes the conversation of a first entry in the cache; its row follows with the entry's.
 * 0, HL_LOG_REFERENCE_TAKEN, -errno. */
static int open_conversation(struct hl_sqlite_appender *appender,
                             const struct hl_conversation *opened,
                             struct hl_sqlite_conversation **out_conversation)
{
    if (opened->reference[0] != '\0') {
        hl_sqlite_bind_text(appender->find_reference, 1, hl_bytes_of(opened->reference));
        int r = hl_sqlite_step(appender->find_reference);
        if (r == 0)
            (void)sqlite3_reset(appender->find_reference);
        if (r != HL_SQLITE_NO_ROW)
            return r == 0 ? HL_LOG_REFERENCE_TAKEN : r;
    }
    struct hl_sqlite_conversation *conversation = calloc(1, sizeof(*conversation));
    if (conversation == NULL)
        return -ENOMEM;
    conversation->state = *opened;
    conversation->number = ++appender->number;
    conversation->last_foreign_known = true;
    conversation->first_inbox = opened->inbox;
    hl_sqlite_cache_add(&appender->cache, conversation);
    *out_conversation = conversation;
    return 0;
}

/* The row and the key of a conversation whose first entry is being stored. */
static int store_conversation(struct hl_sqlite_appender *appender,
                              struct hl_sqlite_conversation *conversation,
                              const struct hl_conversation *opened)
{
    int r = hl_sqlite_sealer_make(&appender->sealer, &opened->id, &conversation->seal,
                                  &conversation->key);

    if (r != 0)
        return r;
    struct hl_bytes identity =
        hl_sqlite_sealer_identity(&appender->sealer, &conversation->seal, opened);
    hl_chain_begin(appender->chain_key, opened, identity, &conversation->chain);
    return insert_conversation(appender, conversation, identity);
}

static void note_author(struct hl_sqlite_conversation *conversation, const struct hl_author *author)
{
    if (hl_author_equal(&conversation->last_author, author))
        return;
    conversation->last_author = *author;
    conversation->last_foreign = conversation->state.head;
    conversation->last_foreign_known = true;
}

/* The rows of an entry that has its numbers. */
static int store_entry(struct hl_sqlite_appender *appender,
                       struct hl_sqlite_conversation *conversation, const struct hl_entry *entry)
{
    struct hl_chain previous = conversation->chain;
    struct hl_sqlite_stored stored;
    int r = hl_sqlite_sealer_body(&appender->sealer, conversation->number, &conversation->seal,
                                  entry, &stored);

    if (r != 0)
        return r;
    hl_chain_next(appender->chain_key, &previous, entry, stored.bytes, stored.is_sealed,
                  &conversation->chain);
    appender->last_chain = conversation->chain;
    r = insert_entry(appender, conversation, entry, &stored);
    if (r == 0)
        r = insert_block(appender, conversation);
    if (r == 0 && entry->kind == HL_ENTRY_ERASED)
        r = hl_sqlite_sealer_destroy(&appender->sealer, conversation->number, entry->offset,
                                     &conversation->seal);
    return r;
}

/* Stores an entry that has been admitted. 0, -errno: then the group must be rolled back. */
static int append_entry(struct hl_sqlite_appender *appender,
                        struct hl_sqlite_conversation *conversation, struct hl_entry *entry,
                        uint64_t tag)
{
    struct hl_conversation before = conversation->state;
    int r = hl_mid_set_reserve(&conversation->mids, before.head + 1);

    if (r != 0)
        return r;
    entry->offset = before.head + 1;
    entry->position = ++appender->position;
    note_author(conversation, &entry->author);
    hl_mid_set_add(&conversation->mids, tag);
    bool changed = hl_conversation_apply(&conversation->state, entry);
    entry->place = hl_conversation_place(&conversation->state);
    if (before.head == 0)
        r = store_conversation(appender, conversation, &before);
    else if (changed)
        r = store_state(appender->update_conversation, conversation);
    if (r == 0)
        r = store_entry(appender, conversation, entry);
    /* numbers, offsets and references were free: a broken constraint is our own mistake */
    HL_CHECK(r != -EEXIST);
    return r;
}

/* Conditions and room for something new. 0, the outcomes of log.h, -errno. */
static int admit_submit(struct hl_sqlite_appender *appender,
                        struct hl_sqlite_conversation *conversation, struct hl_log_submit *submit,
                        bool full)
{
    uint64_t last_foreign = 0;

    if (submit->when.has_if_seen && conversation != NULL) {
        int r = find_last_foreign(appender, conversation, &submit->entry->author, &last_foreign);
        if (r != 0)
            return r;
    }
    int r = hl_engine_check_conditions(&submit->when, &submit->conversation, last_foreign);
    if (r != 0)
        return r;
    return full ? HL_LOG_FULL : 0;
}

static int decide_submit(struct hl_sqlite_appender *appender, struct hl_log_submit *submit,
                         int64_t wall_ms, bool full)
{
    struct hl_entry *entry = submit->entry;
    struct hl_sqlite_conversation *conversation = NULL;
    int r = find_conversation(appender, &entry->conversation, &conversation);

    if (r != 0)
        return r;
    if (conversation == NULL && submit->opening == NULL)
        return HL_LOG_UNKNOWN;
    uint64_t tag = hl_mid_tag(appender->tag_key, &entry->author, hl_entry_mid(entry));
    if (conversation != NULL) {
        struct hl_entry *first = NULL;
        submit->conversation = conversation->state;
        r = find_first(appender, conversation, entry, tag, &first);
        if (r != 0 || first != NULL)
            return r != 0 ? r : repeat_submit(submit, first);
    } else {
        hl_engine_open_conversation(&entry->conversation, submit->opening, &submit->conversation);
    }

    if (submit->conversation.is_erased)
        return HL_LOG_ERASED;
    r = admit_submit(appender, conversation, submit, full);
    if (r == 0 && conversation == NULL)
        r = open_conversation(appender, &submit->conversation, &conversation);
    if (r != 0)
        return r;
    entry->wall_ms = wall_ms;
    r = append_entry(appender, conversation, entry, tag);
    if (r != 0) {
        appender->broken = true;
        return r;
    }
    submit->conversation = conversation->state;
    hl_engine_fill_submit(submit, entry, false);
    return 0;
}

int hl_sqlite_appender_submit(struct hl_sqlite_appender *appender, struct hl_log_submit *submit,
                              int64_t wall_ms, bool full)
{
    int r = decide_submit(appender, submit, wall_ms, full);

    /* some errors, even of a read, make SQLite roll back everything */
    if (r < 0 && sqlite3_get_autocommit(appender->db) != 0)
        appender->broken = true;
    return r;
}

int hl_sqlite_appender_mark(struct hl_sqlite_appender *appender, const struct hl_log_mark *mark,
                            int64_t wall_ms)
{
    sqlite3_stmt *raise = appender->raise_mark;

    hl_sqlite_bind_id(raise, 1, &mark->conversation);
    hl_sqlite_bind_integer(raise, 2, mark->participant.role);
    hl_sqlite_bind_blob(
        raise, 3,
        (struct hl_bytes){(const char *)mark->participant.id.b, sizeof(mark->participant.id.b)});
    hl_sqlite_bind_integer(raise, 4, (int64_t)mark->delivered);
    hl_sqlite_bind_integer(raise, 5, (int64_t)mark->read);
    hl_sqlite_bind_integer(raise, 6, wall_ms);
    int r = hl_sqlite_finish(raise);
    appender->broken = appender->broken || r != 0;
    return r;
}
