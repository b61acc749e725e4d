#include "store/verify.h"

#include <stdio.h>

#include "base/check.h"
#include "base/result.h"
#include "store/mid_set.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/schema.h"

enum { FINDINGS_SIZE_MAX = 65536, INTEGRITY_ROWS_MAX = 100 };

struct verifier {
    sqlite3 *db;
    int64_t version; /* of its schema */
    const uint8_t *chain_key;
    struct hl_sqlite_meta meta;
    sqlite3_stmt *blocks;
    struct hl_verify_report *report;
};

/* A line that does not fit any more is counted all the same. */
static void add_finding(struct verifier *verifier, uint64_t *count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_finding(struct verifier *verifier, uint64_t *count, const char *format, ...)
{
    struct hl_buffer *findings = &verifier->report->findings;
    char line[512];
    va_list args;

    ++*count;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    hl_buffer_printf(findings, "%s\n", line);
}

static int check_integrity(struct verifier *verifier)
{
    uint64_t *count = &verifier->report->n_integrity;
    sqlite3_stmt *statement = NULL;
    int r = hl_sqlite_prepare(verifier->db, "PRAGMA integrity_check(100)", &statement);

    _Static_assert(INTEGRITY_ROWS_MAX == 100, "as in the statement");
    while (r == 0 && (r = hl_sqlite_step(statement)) == 0) {
        struct hl_bytes text = hl_sqlite_column_bytes(statement, 0);
        if (!hl_bytes_is(text, "ok"))
            add_finding(verifier, count, "integrity: %.*s", (int)text.size, text.data);
    }
    (void)sqlite3_finalize(statement);
    if (r == -EBADMSG) {
        add_finding(verifier, count, "integrity: the file cannot be read to its end");
        return 0;
    }
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

static int check_foreign_keys(struct verifier *verifier)
{
    uint64_t *count = &verifier->report->n_integrity;
    sqlite3_stmt *statement = NULL;
    int r = hl_sqlite_prepare(verifier->db, "PRAGMA foreign_key_check", &statement);

    while (r == 0 && *count < INTEGRITY_ROWS_MAX && (r = hl_sqlite_step(statement)) == 0)
        add_finding(verifier, count, "integrity: %s row %lld belongs to no conversation",
                    (const char *)sqlite3_column_text(statement, 0),
                    (long long)sqlite3_column_int64(statement, 1));
    (void)sqlite3_finalize(statement);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

/* What keeps entries from being changed must be there. */
static int check_triggers(struct verifier *verifier)
{
    int64_t n_triggers = 0;
    int r = hl_sqlite_query_integer(verifier->db,
                                    "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' "
                                    "AND tbl_name = 'entries' AND name IN "
                                    "('entries_no_update', 'entries_no_delete')",
                                    &n_triggers);

    if (r == 0 && n_triggers != 2)
        add_finding(verifier, &verifier->report->n_integrity,
                    "integrity: the triggers that protect entries are missing");
    return r;
}

static int check_positions(struct verifier *verifier)
{
    struct hl_verify_report *report = verifier->report;
    sqlite3_stmt *statement = NULL;
    int r = hl_sqlite_prepare(
        verifier->db, "SELECT position FROM entries NOT INDEXED ORDER BY position", &statement);

    while (r == 0 && (r = hl_sqlite_step(statement)) == 0) {
        uint64_t position = (uint64_t)sqlite3_column_int64(statement, 0);
        if (position != report->position + 1)
            add_finding(verifier, &report->n_gaps, "gap: position %llu follows %llu",
                        (unsigned long long)position, (unsigned long long)report->position);
        report->position = position;
        report->n_entries++;
    }
    (void)sqlite3_finalize(statement);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

/* The last entry must be the one that the seal names. */
static int check_seal(struct verifier *verifier)
{
    struct hl_verify_report *report = verifier->report;
    sqlite3_stmt *statement = NULL;
    struct hl_chain last;
    struct hl_chain seal;

    if (report->position != verifier->meta.position) {
        add_finding(verifier, &report->n_gaps, "gap: the log ends at position %llu instead of %llu",
                    (unsigned long long)report->position,
                    (unsigned long long)verifier->meta.position);
        return 0;
    }
    if (report->position == 0)
        return 0;
    int r = hl_sqlite_prepare(verifier->db, "SELECT chain FROM entries WHERE position = ?1",
                              &statement);
    if (r == 0) {
        hl_sqlite_bind_integer(statement, 1, (int64_t)report->position);
        r = hl_sqlite_step(statement);
    }
    if (r == 0 && hl_sqlite_column_chain(statement, 0, &last)) {
        hl_chain_seal(verifier->chain_key, report->position, &last, &seal);
        if (!hl_chain_equal(&seal, &verifier->meta.seal))
            add_finding(verifier, &report->n_chain, "chain: the seal of the log is broken");
    }
    (void)sqlite3_finalize(statement);
    return r < 0 ? r : 0;
}

/* One conversation being read again from its first entry. */
struct replay {
    char name[HL_ID_TEXT_SIZE];
    struct hl_conversation stored; /* as its row says */
    struct hl_conversation folded; /* as its entries say */
    struct hl_chain chain;
    struct hl_mid_set mids;
    enum hl_seal_state seal;
    uint64_t n_plain; /* bodies that are neither sealed nor erased */
    bool broken;      /* told once; what follows means nothing */
};

/* Of a body that is erased and was plain only the link is left: the next one binds it. */
static bool is_link_sound(struct verifier *verifier, struct replay *replay, sqlite3_stmt *row,
                          const struct hl_entry *entry)
{
    struct hl_sqlite_stored body = hl_sqlite_read_stored(row);
    struct hl_chain next;
    struct hl_chain stored;

    if (!hl_sqlite_column_chain(row, HL_SQLITE_ENTRY_WIDTH, &stored))
        return false;
    if (body.is_sealed && sqlite3_column_bytes(row, 8) > 0)
        return false;
    replay->n_plain += !body.is_sealed && !body.is_blank && entry->kind != HL_ENTRY_ERASED;
    if (body.is_blank && replay->stored.is_erased)
        next = stored;
    else
        hl_chain_next(verifier->chain_key, &replay->chain, entry, body.bytes, body.is_sealed,
                      &next);
    replay->chain = next;
    return hl_chain_equal(&next, &stored);
}

static void replay_entry(struct verifier *verifier, struct replay *replay, sqlite3_stmt *row,
                         struct hl_entry *entry)
{
    struct hl_verify_report *report = verifier->report;

    if (entry->offset != replay->folded.head + 1) {
        add_finding(verifier, &report->n_gaps, "gap: %s: offset %llu follows %llu", replay->name,
                    (unsigned long long)entry->offset, (unsigned long long)replay->folded.head);
        replay->broken = true;
        return;
    }
    if (!is_link_sound(verifier, replay, row, entry)) {
        add_finding(verifier, &report->n_chain, "chain: %s: broken at offset %llu", replay->name,
                    (unsigned long long)entry->offset);
        replay->broken = true;
        return;
    }
    (void)hl_conversation_apply(&replay->folded, entry);
    hl_mid_set_add(&replay->mids,
                   hl_mid_tag(verifier->meta.tag_key, &entry->author, hl_entry_mid(entry)));
}

static int replay_row(struct verifier *verifier, struct replay *replay, sqlite3_stmt *row)
{
    struct hl_entry *entry = NULL;
    int r = hl_sqlite_read_entry(row, &replay->stored.id, NULL, &entry);

    if (r == -EBADMSG) {
        add_finding(verifier, &verifier->report->n_chain, "chain: %s: position %lld is unreadable",
                    replay->name, (long long)sqlite3_column_int64(row, 0));
        replay->broken = true;
        return 0;
    }
    if (r != 0)
        return r;
    r = hl_mid_set_reserve(&replay->mids, replay->folded.head + 1);
    if (r == 0)
        replay_entry(verifier, replay, row, entry);
    hl_entry_unref(entry);
    return r;
}

static bool block_is(const struct hl_mid_set *mids, uint32_t n, sqlite3_stmt *row)
{
    uint8_t expected[HL_MID_BLOCK_SIZE];

    if (n >= mids->n_tags / HL_MID_BLOCK_TAGS || sqlite3_column_int64(row, 0) != n)
        return false;
    hl_mid_set_pack_block(mids, n, expected);
    return hl_bytes_equal(hl_sqlite_column_bytes(row, 1),
                          (struct hl_bytes){(const char *)expected, sizeof(expected)});
}

/* The blocks of mids must say what the entries say. */
static int check_blocks(struct verifier *verifier, struct replay *replay, uint64_t number)
{
    sqlite3_stmt *blocks = verifier->blocks;
    uint32_t n_blocks = 0;
    int r = 0;

    hl_sqlite_bind_integer(blocks, 1, (int64_t)number);
    while ((r = hl_sqlite_step(blocks)) == 0 && block_is(&replay->mids, n_blocks, blocks))
        n_blocks++;
    (void)sqlite3_reset(blocks);
    if (r < 0)
        return r;
    if (r == 0 || n_blocks != replay->mids.n_tags / HL_MID_BLOCK_TAGS)
        add_finding(verifier, &verifier->report->n_index,
                    "index: %s: its mids differ from its entries", replay->name);
    return 0;
}

static void compare_states(struct verifier *verifier, const struct replay *replay)
{
    const struct hl_conversation *stored = &replay->stored;
    const struct hl_conversation *folded = &replay->folded;

    if (stored->status != folded->status || stored->revision != folded->revision ||
        !hl_id_equal(&stored->assignee, &folded->assignee) ||
        !hl_id_equal(&stored->inbox, &folded->inbox) || stored->is_erased != folded->is_erased ||
        stored->opened_ms != folded->opened_ms || stored->claimed_ms != folded->claimed_ms ||
        stored->waiting_since_ms != folded->waiting_since_ms)
        add_finding(verifier, &verifier->report->n_index,
                    "index: %s: the conversation's row differs from its entries", replay->name);
}

/* What is erased must be gone. */
static void check_erasure(struct verifier *verifier, const struct replay *replay)
{
    bool is_gone = replay->seal == HL_SEAL_DESTROYED || replay->seal == HL_SEAL_NONE;

    verifier->report->n_erased += replay->stored.is_erased || replay->seal == HL_SEAL_DESTROYED;
    if (replay->stored.is_erased && (!is_gone || replay->n_plain > 0))
        add_finding(verifier, &verifier->report->n_index,
                    "index: %s: is erased, but its content could still be read", replay->name);
}

/* Reads the conversation's entries in order. 0, -errno. */
static int replay_conversation(struct verifier *verifier, struct replay *replay, uint64_t number,
                               sqlite3_stmt *rows)
{
    const struct hl_conversation *stored = &replay->stored;
    int r = 0;

    hl_id_format(&stored->id, HL_ID_CONVERSATION, replay->name);
    replay->folded.id = stored->id;
    hl_sqlite_bind_integer(rows, 1, (int64_t)number);
    while (r == 0 && !replay->broken && (r = hl_sqlite_step(rows)) == 0)
        r = replay_row(verifier, replay, rows);
    (void)sqlite3_reset(rows);
    if (r < 0 || replay->broken)
        return r < 0 ? r : 0;
    compare_states(verifier, replay);
    check_erasure(verifier, replay);
    return check_blocks(verifier, replay, number);
}

#define CONVERSATION_COLUMNS                                                                       \
    "c.number, c.id, c.site, c.reference, c.status, c.assignee, c.revision, c.floor, "             \
    "c.opened_ms, c.claimed_ms, c.waiting_since_ms, "
static const char conversations_sql[] =
    "SELECT " CONVERSATION_COLUMNS "c.inbox, c.identity, c.erased, k.wrapped, 0, 0, c.first_inbox "
    "FROM conversations c " HL_SQLITE_KEY_SOURCE " ORDER BY c.number";
static const char entries_sql[] = "SELECT " HL_SQLITE_ENTRY_COLUMNS ", e.chain FROM entries e "
                                  "WHERE e.conversation = ?1 ORDER BY e.offset";
/* Of a file from before there were inboxes and keys. */
static const char old_conversations_sql[] =
    "SELECT " CONVERSATION_COLUMNS "NULL, NULL, 0, NULL, 0, 0, NULL FROM conversations c "
    "ORDER BY c.number";
static const char old_entries_sql[] =
    "SELECT e.position, e.offset, e.kind, e.role, e.author, e.subject, e.wall_ms, e.mid, e.body, "
    "NULL, e.chain FROM entries e WHERE e.conversation = ?1 ORDER BY e.offset";

/* The conversation as it was opened. 0, -EBADMSG. */
static int begin_replay(struct verifier *verifier, struct replay *replay, sqlite3_stmt *row,
                        uint64_t *out_number)
{
    int r = hl_sqlite_read_conversation(row, NULL, &replay->stored, out_number, NULL);
    struct hl_conversation opened = replay->stored;

    if (r == 0 && !hl_sqlite_column_id(row, HL_SQLITE_CONVERSATION_WIDTH, &opened.inbox))
        r = -EBADMSG;
    if (r != 0)
        return r;
    replay->stored.is_erased = sqlite3_column_int64(row, 13) != 0; /* as its row says */
    replay->seal = hl_seal_look(hl_sqlite_column_bytes(row, 14));
    hl_chain_begin(verifier->chain_key, &opened,
                   hl_sqlite_column_bytes(row, HL_SQLITE_CONVERSATION_IDENTITY), &replay->chain);
    replay->folded.inbox = opened.inbox;
    return 0;
}

static int check_conversations(struct verifier *verifier)
{
    struct hl_verify_report *report = verifier->report;
    sqlite3_stmt *conversations = NULL;
    sqlite3_stmt *entries = NULL;
    bool is_old = verifier->version < 3;
    int r = hl_sqlite_prepare(verifier->db, is_old ? old_conversations_sql : conversations_sql,
                              &conversations);

    if (r == 0)
        r = hl_sqlite_prepare(verifier->db, is_old ? old_entries_sql : entries_sql, &entries);
    if (r == 0)
        r = hl_sqlite_prepare(verifier->db,
                              "SELECT block, tags FROM mid_blocks WHERE conversation = ?1 "
                              "ORDER BY block",
                              &verifier->blocks);
    while (r == 0 && (r = hl_sqlite_step(conversations)) == 0) {
        struct replay replay = {.broken = false};
        uint64_t number = 0;
        report->n_conversations++;
        if (begin_replay(verifier, &replay, conversations, &number) == 0)
            r = replay_conversation(verifier, &replay, number, entries);
        else
            add_finding(verifier, &report->n_index, "index: conversation %llu is unreadable",
                        (unsigned long long)number);
        hl_mid_set_fini(&replay.mids);
    }
    (void)sqlite3_finalize(verifier->blocks);
    (void)sqlite3_finalize(entries);
    (void)sqlite3_finalize(conversations);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

/* All of it in one transaction: a gateway may be writing meanwhile. */
static int check_all(struct verifier *verifier)
{
    struct hl_verify_report *report = verifier->report;
    int r = hl_sqlite_meta_read(verifier->db, &verifier->meta);

    report->epoch = verifier->meta.epoch;
    if (r == 0)
        r = check_integrity(verifier);
    if (r == 0)
        r = check_foreign_keys(verifier);
    if (r == 0)
        r = check_triggers(verifier);
    if (r == 0)
        r = check_positions(verifier);
    if (r == 0)
        r = check_seal(verifier);
    if (r == 0)
        r = check_conversations(verifier);
    if (r == -EBADMSG || r == -ENOENT) {
        add_finding(verifier, &report->n_integrity, "integrity: the file is damaged");
        r = 0;
    }
    if (r != 0)
        return r;
    return report->n_integrity + report->n_gaps + report->n_chain + report->n_index == 0
               ? 0
               : HL_VERIFY_BROKEN;
}

static int check_schema(struct verifier *verifier)
{
    int r = hl_sqlite_schema_check(verifier->db, &verifier->version);

    if (r == HL_SQLITE_SCHEMA_NEWER)
        return HL_VERIFY_SCHEMA_NEWER;
    /* version 0 is an empty file */
    return r == HL_SQLITE_SCHEMA_FOREIGN || (r == 0 && verifier->version == 0) ? HL_VERIFY_NOT_A_LOG
                                                                               : r;
}

int hl_verify(const char *path, const uint8_t chain_key[32], struct hl_verify_report *report)
{
    struct verifier verifier = {.chain_key = chain_key, .report = report};

    *report = (struct hl_verify_report){.epoch = 0};
    hl_buffer_init(&report->findings, FINDINGS_SIZE_MAX);
    int r = hl_sqlite_file_open(path, NULL, HL_SQLITE_READ, &verifier.db);
    if (r == 0)
        r = check_schema(&verifier);
    if (r == 0)
        r = hl_sqlite_run(verifier.db, "BEGIN");
    if (r == 0)
        r = check_all(&verifier);
    hl_sqlite_file_close(verifier.db);
    return r;
}
