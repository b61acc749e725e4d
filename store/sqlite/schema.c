#include "store/sqlite/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"

/* Version 1. Entries lie in order of arrival with one narrow index. The tags of the mids are
 * kept in blocks of 64: an index on them would double what an entry costs. */
static const char schema_1[] =
    "CREATE TABLE meta ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  epoch INTEGER NOT NULL,"
    "  boots INTEGER NOT NULL,"
    "  tag_key BLOB NOT NULL,"
    "  fingerprint BLOB NOT NULL,"
    "  position INTEGER NOT NULL,"
    "  seal BLOB NOT NULL"
    ") STRICT;"
    "CREATE TABLE conversations ("
    "  number INTEGER PRIMARY KEY,"
    "  id BLOB NOT NULL UNIQUE,"
    "  site TEXT NOT NULL,"
    "  reference TEXT UNIQUE,"
    "  status INTEGER NOT NULL,"
    "  assignee BLOB,"
    "  revision INTEGER NOT NULL,"
    "  floor INTEGER NOT NULL DEFAULT 0,"
    "  opened_ms INTEGER NOT NULL,"
    "  claimed_ms INTEGER NOT NULL DEFAULT 0,"
    "  waiting_since_ms INTEGER"
    ") STRICT;"
    "CREATE TABLE entries ("
    "  position INTEGER PRIMARY KEY,"
    "  conversation INTEGER NOT NULL REFERENCES conversations (number),"
    "  offset INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL,"
    "  role INTEGER NOT NULL,"
    "  author BLOB,"
    "  subject BLOB,"
    "  wall_ms INTEGER NOT NULL,"
    "  mid TEXT NOT NULL,"
    "  chain BLOB NOT NULL,"
    "  body TEXT NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX entries_order ON entries (conversation, offset);"
    "CREATE TABLE mid_blocks ("
    "  conversation INTEGER NOT NULL REFERENCES conversations (number),"
    "  block INTEGER NOT NULL,"
    "  tags BLOB NOT NULL,"
    "  PRIMARY KEY (conversation, block)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries"
    "  BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;"
    "CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries"
    "  BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;"
    "CREATE INDEX conversations_newest ON conversations (opened_ms, number);"
    "CREATE INDEX conversations_waiting ON conversations (waiting_since_ms, number)"
    "  WHERE waiting_since_ms IS NOT NULL;";

/* Version 2: read positions, and lists of one site, one agent and what is open. */
static const char schema_2[] =
    "CREATE TABLE marks ("
    "  conversation INTEGER NOT NULL REFERENCES conversations (number),"
    "  role INTEGER NOT NULL,"
    "  participant BLOB NOT NULL,"
    "  delivered INTEGER NOT NULL,"
    "  read INTEGER NOT NULL,"
    "  raised_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (conversation, role, participant)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX conversations_open ON conversations (opened_ms, number) WHERE status = 1;"
    "CREATE INDEX conversations_site ON conversations (site, opened_ms, number);"
    "CREATE INDEX conversations_assignee ON conversations (assignee, opened_ms, number)"
    "  WHERE assignee IS NOT NULL;";

/* Version 3: inboxes, who the visitor is to the site, and sealed bodies; lists are the business
 * of store/index.h. Keys are only appended
 * and overwritten in place, so that no page keeps a stale copy of one. A plain body of an older
 * version may become as many spaces, once its conversation is erased. */
static const char schema_3[] =
    "ALTER TABLE meta ADD COLUMN region BLOB;"
    "ALTER TABLE entries ADD COLUMN sealed BLOB;"
    "ALTER TABLE conversations ADD COLUMN key INTEGER;"
    "CREATE TABLE conversation_keys ("
    "  number INTEGER PRIMARY KEY,"
    "  wrapped BLOB NOT NULL"
    ") STRICT;"
    "DROP TRIGGER entries_no_update;"
    "CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries WHEN NOT ("
    "  NEW.position = OLD.position AND NEW.conversation = OLD.conversation"
    "  AND NEW.offset = OLD.offset AND NEW.kind = OLD.kind AND NEW.role = OLD.role"
    "  AND NEW.author IS OLD.author AND NEW.subject IS OLD.subject"
    "  AND NEW.wall_ms = OLD.wall_ms AND NEW.mid = OLD.mid AND NEW.chain = OLD.chain"
    "  AND OLD.sealed IS NULL AND NEW.sealed IS NULL AND trim(NEW.body) = ''"
    "  AND length(CAST(NEW.body AS BLOB)) = length(CAST(OLD.body AS BLOB))"
    "  AND (SELECT erased FROM conversations WHERE number = OLD.conversation) = 1)"
    "  BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;"
    "ALTER TABLE conversations ADD COLUMN inbox BLOB;"
    "ALTER TABLE conversations ADD COLUMN first_inbox BLOB;"
    "ALTER TABLE conversations ADD COLUMN identity BLOB;"
    "ALTER TABLE conversations ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;"
    "DROP INDEX conversations_newest;"
    "DROP INDEX conversations_waiting;"
    "DROP INDEX conversations_open;"
    "DROP INDEX conversations_site;"
    "DROP INDEX conversations_assignee;";

/* steps[n] leads from version n to n + 1. */
static const char *const steps[HL_SQLITE_SCHEMA_VERSION] = {schema_1, schema_2, schema_3};

int hl_sqlite_schema_check(sqlite3 *db, int64_t *out_version)
{
    int64_t application = 0;
    int64_t n_objects = 0;
    int r = hl_sqlite_query_integer(db, "PRAGMA application_id", &application);

    *out_version = 0;
    if (r == 0)
        r = hl_sqlite_query_integer(db, "PRAGMA user_version", out_version);
    if (r == 0)
        r = hl_sqlite_query_integer(db, "SELECT count(*) FROM sqlite_schema", &n_objects);
    if (r == -EBADMSG)
        return HL_SQLITE_SCHEMA_FOREIGN;
    if (r != 0)
        return r;
    if (application == 0 && *out_version == 0 && n_objects == 0)
        return 0;
    if (application != HL_SQLITE_APPLICATION_ID || *out_version < 1)
        return HL_SQLITE_SCHEMA_FOREIGN;
    return *out_version > HL_SQLITE_SCHEMA_VERSION ? HL_SQLITE_SCHEMA_NEWER : 0;
}

static int run_step(sqlite3 *db, int64_t from)
{
    char versions[96];
    int r = hl_sqlite_run(db, "BEGIN IMMEDIATE");

    if (r != 0)
        return r;
    (void)snprintf(versions, sizeof(versions),
                   "PRAGMA application_id = %d; PRAGMA user_version = %lld",
                   (int)HL_SQLITE_APPLICATION_ID, (long long)from + 1);
    r = hl_sqlite_run(db, steps[from]);
    if (r == 0)
        r = hl_sqlite_run(db, versions);
    if (r == 0)
        r = hl_sqlite_run(db, "COMMIT");
    if (r != 0)
        (void)hl_sqlite_run(db, "ROLLBACK"); /* fails if SQLite rolled back already */
    return r;
}

int hl_sqlite_schema_migrate(sqlite3 *db, int64_t version)
{
    int64_t at = 0;
    int r = hl_sqlite_schema_check(db, &at);

    HL_CHECK(version <= HL_SQLITE_SCHEMA_VERSION);
    for (; r == 0 && at < version; at++)
        r = run_step(db, at);
    return r;
}

uint64_t hl_sqlite_draw_epoch(void)
{
    uint64_t epoch = 0;

    while (epoch == 0) {
        hl_random_fill(hl_random_system(), &epoch, sizeof(epoch));
        epoch &= (UINT64_C(1) << 53) - 1;
    }
    return epoch;
}

int hl_sqlite_meta_read(sqlite3 *db, struct hl_sqlite_meta *out_meta)
{
    sqlite3_stmt *statement = NULL;
    int r = hl_sqlite_prepare(
        db, "SELECT epoch, boots, tag_key, fingerprint, position, seal FROM meta", &statement);

    if (r == 0)
        r = hl_sqlite_step(statement);
    if (r == 0) {
        struct hl_bytes tag_key = hl_sqlite_column_bytes(statement, 2);
        struct hl_bytes fingerprint = hl_sqlite_column_bytes(statement, 3);
        struct hl_bytes seal = hl_sqlite_column_bytes(statement, 5);
        if (tag_key.size == sizeof(out_meta->tag_key) &&
            fingerprint.size == sizeof(out_meta->fingerprint.b) &&
            seal.size == sizeof(out_meta->seal.b)) {
            out_meta->epoch = (uint64_t)sqlite3_column_int64(statement, 0);
            out_meta->boots = (uint64_t)sqlite3_column_int64(statement, 1);
            memcpy(out_meta->tag_key, tag_key.data, tag_key.size);
            memcpy(out_meta->fingerprint.b, fingerprint.data, fingerprint.size);
            out_meta->position = (uint64_t)sqlite3_column_int64(statement, 4);
            memcpy(out_meta->seal.b, seal.data, seal.size);
        } else {
            r = -EBADMSG;
        }
    }
    (void)sqlite3_finalize(statement);
    return r == HL_SQLITE_NO_ROW ? -ENOENT : r;
}

static int insert_meta(sqlite3 *db, const uint8_t *chain_key)
{
    sqlite3_stmt *statement = NULL;
    uint8_t tag_key[HL_HASH_KEY_SIZE];
    struct hl_chain fingerprint;
    int r =
        hl_sqlite_prepare(db,
                          "INSERT INTO meta (one, epoch, boots, tag_key, fingerprint, position, "
                          "seal) VALUES (1, ?1, 0, ?2, ?3, 0, zeroblob(32))",
                          &statement);

    if (r != 0)
        return r;
    hl_random_fill(hl_random_system(), tag_key, sizeof(tag_key));
    hl_chain_fingerprint(chain_key, &fingerprint);
    hl_sqlite_bind_integer(statement, 1, (int64_t)hl_sqlite_draw_epoch());
    hl_sqlite_bind_blob(statement, 2, (struct hl_bytes){(char *)tag_key, sizeof(tag_key)});
    hl_sqlite_bind_blob(statement, 3,
                        (struct hl_bytes){(char *)fingerprint.b, sizeof(fingerprint.b)});
    r = hl_sqlite_finish(statement);
    (void)sqlite3_finalize(statement);
    return r;
}

/* The first boot with a region's key notes its fingerprint. 0, HL_SQLITE_META_WITHOUT_KEYS,
 * -EKEYREJECTED, -errno. */
static int check_region(sqlite3 *db, const uint8_t *region_key)
{
    int64_t size = 0;
    uint8_t fingerprint[HL_SEAL_FINGERPRINT_SIZE];
    struct hl_bytes expected = {(const char *)fingerprint, sizeof(fingerprint)};
    sqlite3_stmt *statement = NULL;
    int r = hl_sqlite_prepare(db, "UPDATE meta SET region = ?1 WHERE region IS NULL OR region = ?1",
                              &statement);

    hl_seal_fingerprint(region_key, fingerprint);
    if (r == 0) {
        hl_sqlite_bind_blob(statement, 1, expected);
        r = hl_sqlite_finish(statement);
    }
    (void)sqlite3_finalize(statement);
    if (r != 0 || sqlite3_changes(db) == 1)
        return r;
    r = hl_sqlite_query_integer(db, "SELECT length(region) FROM meta", &size);
    if (r != 0)
        return r;
    return size == 1 ? HL_SQLITE_META_WITHOUT_KEYS : -EKEYREJECTED;
}

int hl_sqlite_meta_boot(sqlite3 *db, const uint8_t chain_key[HL_CHAIN_KEY_SIZE],
                        const uint8_t region_key[HL_SEAL_KEY_SIZE], struct hl_sqlite_meta *out_meta)
{
    struct hl_chain fingerprint;
    int r = hl_sqlite_meta_read(db, out_meta);

    if (r == -ENOENT) {
        r = insert_meta(db, chain_key);
        if (r == 0)
            r = hl_sqlite_meta_read(db, out_meta);
    }
    if (r != 0)
        return r;
    hl_chain_fingerprint(chain_key, &fingerprint);
    if (!hl_chain_equal(&fingerprint, &out_meta->fingerprint))
        return -EKEYREJECTED;
    r = check_region(db, region_key);
    if (r != 0)
        return r;
    out_meta->boots++;
    return hl_sqlite_run(db, "UPDATE meta SET boots = boots + 1");
}
