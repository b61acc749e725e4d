/* What lies on the disk: no word of a body, and after an erasure no byte of its key. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/result.h"
#include "store/log_sqlite.h"
#include "store/sqlite/file.h"
#include "store/sqlite/schema.h"
#include "store/verify.h"
#include "tests/support/log_client.h"
#include "tests/support/temp_folder.h"

enum { N_CONVERSATIONS = 200, ERASED = 77 };

static const uint8_t chain_key[32] = {7};
static const uint8_t region_key[32] = {9};
static const char canary[] = "canary-of-the-body";
static const struct hl_author house = {.role = HL_ROLE_SYSTEM, .id = {{0x11}}};

struct fixture {
    struct hl_temp_folder folder;
    char path[160];
    struct hl_log *log;
    struct hl_log_client client;
};

static void open_log(struct fixture *fixture)
{
    char why[256] = "";
    int r = hl_log_sqlite_open(&(struct hl_log_sqlite_config){.path = fixture->path,
                                                              .clock = hl_clock_system(),
                                                              .chain_key = chain_key,
                                                              .region_key = region_key},
                               why, sizeof(why), &fixture->log);

    if (r != 0)
        fail_msg("%d: %s", r, why);
    hl_log_client_init(&fixture->client, fixture->log);
}

static void close_log(struct fixture *fixture)
{
    hl_log_close(fixture->log);
    hl_log_client_fini(&fixture->client);
}

static int setup(void **state)
{
    static struct fixture fixture;

    hl_temp_folder_init(&fixture.folder);
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/holdline.db", fixture.folder.path);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    hl_temp_folder_fini(&((struct fixture *)*state)->folder);
    return 0;
}

static bool file_holds(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    struct hl_buffer content;
    char block[4096];
    size_t n = 0;

    if (file == NULL)
        return false;
    hl_buffer_init(&content, 64 << 20);
    while ((n = fread(block, 1, sizeof(block), file)) > 0)
        hl_buffer_append(&content, block, n);
    assert_false(hl_buffer_failed(&content));
    bool holds = content.size >= size && memmem(content.data, content.size, bytes, size) != NULL;
    hl_buffer_fini(&content);
    assert_int_equal(fclose(file), 0);
    return holds;
}

/* In the data file or its write-ahead log. */
static bool disk_holds(const struct fixture *fixture, const void *bytes, size_t size)
{
    char wal[200];

    (void)snprintf(wal, sizeof(wal), "%s-wal", fixture->path);
    return file_holds(fixture->path, bytes, size) || file_holds(wal, bytes, size);
}

static void say(struct fixture *fixture, uint64_t conversation, const char *mid)
{
    char body[64];

    (void)snprintf(body, sizeof(body), "{\"text\":\"%s-%d\"}", canary, (int)conversation);
    assert_int_equal(
        hl_log_client_submit(&fixture->client,
                             &(struct hl_client_entry){.conversation = hl_test_id(conversation),
                                                       .mid = mid,
                                                       .body = body,
                                                       .identity = "canary-of-the-identity"})
            .r,
        0);
}

static void erase(struct fixture *fixture, uint64_t conversation)
{
    assert_int_equal(
        hl_log_client_submit(&fixture->client,
                             &(struct hl_client_entry){.conversation = hl_test_id(conversation),
                                                       .author = house,
                                                       .kind = HL_ENTRY_ERASED,
                                                       .mid = "erased",
                                                       .body = "{\"reason\":\"asked for\"}"})
            .r,
        0);
}

static void read_wrapped(const struct fixture *fixture, uint64_t conversation,
                         uint8_t out_wrapped[HL_SEAL_WRAPPED_SIZE])
{
    const struct hl_id id = hl_test_id(conversation);
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(hl_sqlite_file_open(fixture->path, NULL, HL_SQLITE_READ, &db), 0);
    assert_int_equal(hl_sqlite_prepare(db,
                                       "SELECT k.wrapped FROM conversations c JOIN "
                                       "conversation_keys k ON k.number = c.key WHERE c.id = ?1",
                                       &statement),
                     0);
    hl_sqlite_bind_id(statement, 1, &id);
    assert_int_equal(hl_sqlite_step(statement), 0);
    struct hl_bytes wrapped = hl_sqlite_column_bytes(statement, 0);
    assert_int_equal(wrapped.size, HL_SEAL_WRAPPED_SIZE);
    memcpy(out_wrapped, wrapped.data, wrapped.size);
    (void)sqlite3_finalize(statement);
    hl_sqlite_file_close(db);
}

static void wait_for_sweep(struct fixture *fixture)
{
    uint64_t until_ms = hl_clock_mono_ms(hl_clock_system()) + 30000;
    struct hl_log_info info = {.is_sweeping = true};

    while (info.is_sweeping && hl_clock_mono_ms(hl_clock_system()) < until_ms) {
        hl_log_info(fixture->log, &info);
        (void)sched_yield();
    }
    assert_false(info.is_sweeping);
}

static struct hl_verify_report verify(const struct fixture *fixture, int expected)
{
    struct hl_verify_report report;
    int r = hl_verify(fixture->path, chain_key, &report);

    if (r != expected)
        fail_msg("verify: %d\n%.*s", r, (int)report.findings.size, report.findings.data);
    hl_buffer_fini(&report.findings);
    return report;
}

static void test_nothing_is_plain(void **state)
{
    struct fixture *fixture = *state;

    open_log(fixture);
    say(fixture, 1, "a");
    say(fixture, 1, "b");
    assert_false(disk_holds(fixture, canary, strlen(canary)));
    close_log(fixture);
    assert_false(disk_holds(fixture, canary, strlen(canary)));
    assert_false(disk_holds(fixture, "canary-of-the-identity", 22));
}

static void test_no_byte_of_the_key_stays(void **state)
{
    struct fixture *fixture = *state;
    uint8_t wrapped[HL_SEAL_WRAPPED_SIZE];
    uint8_t other[HL_SEAL_WRAPPED_SIZE];

    open_log(fixture);
    for (uint64_t i = 1; i <= N_CONVERSATIONS; i++)
        say(fixture, i, "a");
    read_wrapped(fixture, ERASED, wrapped);
    read_wrapped(fixture, ERASED + 1, other);
    assert_true(disk_holds(fixture, wrapped, sizeof(wrapped)));
    erase(fixture, ERASED);
    wait_for_sweep(fixture);
    assert_false(disk_holds(fixture, wrapped, 16));
    assert_false(disk_holds(fixture, wrapped + 24, 32)); /* the key itself, wrapped */
    assert_true(disk_holds(fixture, other, sizeof(other)));
    say(fixture, ERASED + 1, "b"); /* the log goes on */
    assert_int_equal(verify(fixture, 0).n_erased, 1);
    close_log(fixture);
    assert_false(disk_holds(fixture, wrapped + 24, 32));
    assert_int_equal(verify(fixture, 0).n_erased, 1);
}

/* A reader that stays in its snapshot keeps the write-ahead log; the sweep waits for it. */
static void test_a_reader_only_delays_it(void **state)
{
    struct fixture *fixture = *state;
    uint8_t wrapped[HL_SEAL_WRAPPED_SIZE];
    struct hl_log_info info;
    sqlite3 *db = NULL;
    int64_t n = 0;

    open_log(fixture);
    say(fixture, 1, "a");
    read_wrapped(fixture, 1, wrapped);
    assert_int_equal(hl_sqlite_file_open(fixture->path, NULL, HL_SQLITE_READ, &db), 0);
    assert_int_equal(hl_sqlite_run(db, "BEGIN"), 0);
    assert_int_equal(hl_sqlite_query_integer(db, "SELECT count(*) FROM entries", &n), 0);
    erase(fixture, 1);
    say(fixture, 2, "a");
    hl_log_info(fixture->log, &info);
    assert_true(info.is_sweeping);
    hl_sqlite_file_close(db);
    wait_for_sweep(fixture);
    assert_false(disk_holds(fixture, wrapped + 24, 32));
    close_log(fixture);
}

/* What a file of schema 2 holds: bodies in the clear. */
static void make_old_file(const struct fixture *fixture)
{
    struct hl_conversation opened = {.id = hl_test_id(1), .site = "main"};
    struct hl_chain chain;
    struct hl_chain seal;
    sqlite3_stmt *insert = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(hl_sqlite_file_open(fixture->path, NULL, HL_SQLITE_CREATE, &db), 0);
    assert_int_equal(hl_sqlite_schema_migrate(db, 2), 0);
    assert_int_equal(hl_sqlite_prepare(db,
                                       "INSERT INTO conversations (number, id, site, status, "
                                       "revision, opened_ms, waiting_since_ms) "
                                       "VALUES (1, ?1, 'main', 1, 1, 1000, 1000)",
                                       &insert),
                     0);
    hl_sqlite_bind_id(insert, 1, &opened.id);
    assert_int_equal(hl_sqlite_finish(insert), 0);
    (void)sqlite3_finalize(insert);
    hl_chain_begin(chain_key, &opened, (struct hl_bytes){NULL, 0}, &chain);
    for (uint64_t i = 1; i <= 3; i++) {
        const char *mids[] = {"a", "b", "c"};
        struct hl_entry *entry = hl_entry_create(
            &(struct hl_entry_fields){.conversation = opened.id,
                                      .author = {HL_ROLE_VISITOR, hl_test_id(1)},
                                      .kind = HL_ENTRY_MESSAGE,
                                      .mid = hl_bytes_of(mids[i - 1]),
                                      .body = hl_bytes_of("{\"text\":\"canary-of-the-body\"}")});
        entry->offset = entry->position = i;
        entry->wall_ms = 1000;
        struct hl_chain previous = chain;
        hl_chain_next(chain_key, &previous, entry, hl_entry_body(entry), false, &chain);
        assert_int_equal(
            hl_sqlite_prepare(db,
                              "INSERT INTO entries VALUES (?1, 1, ?1, 1, 1, ?2, NULL, 1000, "
                              "?3, ?4, ?5)",
                              &insert),
            0);
        hl_sqlite_bind_integer(insert, 1, (int64_t)i);
        hl_sqlite_bind_id(insert, 2, &entry->author.id);
        hl_sqlite_bind_text(insert, 3, hl_entry_mid(entry));
        hl_sqlite_bind_blob(insert, 4, (struct hl_bytes){(char *)chain.b, sizeof(chain.b)});
        hl_sqlite_bind_text(insert, 5, hl_entry_body(entry));
        assert_int_equal(hl_sqlite_finish(insert), 0);
        (void)sqlite3_finalize(insert);
        hl_entry_unref(entry);
    }
    hl_chain_seal(chain_key, 3, &chain, &seal);
    assert_int_equal(hl_sqlite_prepare(db,
                                       "INSERT INTO meta VALUES (1, 77, 0, zeroblob(16), ?1, 3, "
                                       "?2)",
                                       &insert),
                     0);
    hl_chain_fingerprint(chain_key, &chain);
    hl_sqlite_bind_blob(insert, 1, (struct hl_bytes){(char *)chain.b, sizeof(chain.b)});
    hl_sqlite_bind_blob(insert, 2, (struct hl_bytes){(char *)seal.b, sizeof(seal.b)});
    assert_int_equal(hl_sqlite_finish(insert), 0);
    (void)sqlite3_finalize(insert);
    hl_sqlite_file_close(db);
}

static void read_bodies(struct fixture *fixture, const char *expected, bool is_erased)
{
    struct hl_log_read read = {.conversation = hl_test_id(1), .limit = 3, .bytes_max = 10000};

    assert_int_equal(hl_log_client_read(&fixture->client, &read), 0);
    assert_int_equal(read.batch->n_entries, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(hl_bytes_is(hl_entry_body(read.batch->entries[i]), expected));
        assert_int_equal(read.batch->entries[i]->is_erased, is_erased);
    }
    hl_batch_unref(read.batch);
}

static void test_plain_bodies_of_an_older_file(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *db = NULL;

    make_old_file(fixture);
    assert_int_equal(verify(fixture, 0).n_entries, 3); /* before it is migrated, too */
    open_log(fixture);
    read_bodies(fixture, "{\"text\":\"canary-of-the-body\"}", false);
    say(fixture, 1, "d"); /* this one is sealed */
    close_log(fixture);
    assert_int_equal(verify(fixture, 0).n_entries, 4);
    /* as long as it is not erased nobody may change anything */
    assert_int_equal(hl_sqlite_file_open(fixture->path, NULL, HL_SQLITE_WRITE, &db), 0);
    assert_int_not_equal(
        hl_sqlite_run(db,
                      "UPDATE entries SET body = replace(hex(zeroblob(length(body))), '00', ' ') "
                      "WHERE position = 1"),
        0);
    hl_sqlite_file_close(db);
    open_log(fixture);
    assert_true(disk_holds(fixture, canary, strlen(canary)));
    erase(fixture, 1);
    wait_for_sweep(fixture);
    assert_false(disk_holds(fixture, canary, strlen(canary)));
    read_bodies(fixture, "{}", true);
    close_log(fixture);
    assert_false(disk_holds(fixture, canary, strlen(canary)));
    assert_int_equal(verify(fixture, 0).n_erased, 1);
}

/* An entry that says so, but the key is still there: somebody has put it back. */
static void test_a_key_put_back_is_found(void **state)
{
    struct fixture *fixture = *state;
    uint8_t wrapped[HL_SEAL_WRAPPED_SIZE];
    sqlite3_stmt *update = NULL;
    sqlite3 *db = NULL;

    open_log(fixture);
    say(fixture, 1, "a");
    read_wrapped(fixture, 1, wrapped);
    erase(fixture, 1);
    close_log(fixture);
    assert_int_equal(hl_sqlite_file_open(fixture->path, NULL, HL_SQLITE_WRITE, &db), 0);
    assert_int_equal(hl_sqlite_prepare(db, "UPDATE conversation_keys SET wrapped = ?1", &update),
                     0);
    hl_sqlite_bind_blob(update, 1, (struct hl_bytes){(char *)wrapped, sizeof(wrapped)});
    assert_int_equal(hl_sqlite_finish(update), 0);
    (void)sqlite3_finalize(update);
    hl_sqlite_file_close(db);
    assert_int_equal(verify(fixture, HL_VERIFY_BROKEN).n_index, 1);
}

/* An old backup and newer keys: what was erased since is not brought back. */
static void test_erasure_reaches_backups(void **state)
{
    struct fixture *fixture = *state;
    struct fixture restored = *fixture;
    struct hl_verify_report report;
    uint8_t wrapped[HL_SEAL_WRAPPED_SIZE];
    char backup[200], keys[200], old_keys[200];
    char again[200];

    (void)snprintf(backup, sizeof(backup), "%s/backup.db", fixture->folder.path);
    (void)snprintf(again, sizeof(again), "%s/again.db", fixture->folder.path);
    (void)snprintf(old_keys, sizeof(old_keys), "%s/old.keys", fixture->folder.path);
    (void)snprintf(keys, sizeof(keys), "%s/new.keys", fixture->folder.path);
    (void)snprintf(restored.path, sizeof(restored.path), "%s/restored.db", fixture->folder.path);
    open_log(fixture);
    say(fixture, 1, "a");
    say(fixture, 2, "a");
    read_wrapped(fixture, 2, wrapped);
    assert_int_equal(hl_backup_apart(fixture->path, backup, old_keys), 0);
    assert_int_equal(hl_backup_apart(fixture->path, backup, keys), -EEXIST);
    assert_false(file_holds(backup, wrapped + 24, 32));
    assert_true(file_holds(old_keys, wrapped + 24, 32));
    erase(fixture, 1);
    say(fixture, 3, "a");
    assert_int_equal(hl_backup_apart(fixture->path, again, keys), 0);
    close_log(fixture);

    assert_int_equal(hl_restore(backup, NULL, restored.path, chain_key, &report),
                     HL_VERIFY_KEYS_MISSING);
    hl_buffer_fini(&report.findings);
    assert_int_equal(hl_restore(again, old_keys, restored.path, chain_key, &report),
                     HL_VERIFY_KEYS_TOO_OLD);
    hl_buffer_fini(&report.findings);
    assert_int_equal(hl_restore(backup, again, restored.path, chain_key, &report),
                     HL_VERIFY_KEYS_FOREIGN);
    hl_buffer_fini(&report.findings);
    assert_int_equal(hl_restore(backup, keys, restored.path, chain_key, &report), 0);
    hl_buffer_fini(&report.findings);
    assert_int_equal(verify(&restored, 0).n_erased, 1);
    open_log(&restored);
    struct hl_log_read read = {.conversation = hl_test_id(1), .limit = 3, .bytes_max = 10000};
    assert_int_equal(hl_log_client_read(&restored.client, &read), 0);
    assert_true(read.found.is_erased);
    assert_true(read.batch->entries[0]->is_erased);
    hl_batch_unref(read.batch);
    struct hl_client_entry late = {.conversation = hl_test_id(1), .mid = "late"};
    assert_int_equal(hl_log_client_submit(&restored.client, &late).r, HL_LOG_ERASED);
    read.conversation = hl_test_id(2);
    assert_int_equal(hl_log_client_read(&restored.client, &read), 0);
    assert_false(read.batch->entries[0]->is_erased);
    hl_batch_unref(read.batch);
    close_log(&restored);
}

static void test_a_copy_without_keys_is_not_served(void **state)
{
    struct fixture *fixture = *state;
    struct hl_log *log = NULL;
    char backup[200], keys[200];

    (void)snprintf(backup, sizeof(backup), "%s/backup.db", fixture->folder.path);
    (void)snprintf(keys, sizeof(keys), "%s/backup.keys", fixture->folder.path);
    open_log(fixture);
    say(fixture, 1, "a");
    close_log(fixture);
    assert_int_equal(hl_backup_apart(fixture->path, backup, keys), 0);
    assert_int_equal(hl_log_sqlite_open(&(struct hl_log_sqlite_config){.path = backup,
                                                                       .clock = hl_clock_system(),
                                                                       .chain_key = chain_key,
                                                                       .region_key = region_key},
                                        NULL, 0, &log),
                     HL_LOG_SQLITE_WITHOUT_KEYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_byte_of_the_key_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_reader_only_delays_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plain_bodies_of_an_older_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_key_put_back_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_erasure_reaches_backups, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_copy_without_keys_is_not_served, setup, teardown),
    };

    return cmocka_run_group_tests_name("erasure", tests, NULL, NULL);
}
