/* What only the SQLite engine has: files, versions, locks, threads. */
#include "store/log_sqlite.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/result.h"
#include "store/sqlite/schema.h"
#include "tests/support/log_client.h"
#include "tests/support/temp_folder.h"

static const uint8_t chain_key[32] = {7};

struct fixture {
    struct hl_temp_folder folder;
    char path[160];
    struct hl_log_sqlite_config config;
    struct hl_log *log;
    struct hl_log_client client;
    char why[256];
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.log = NULL};
    hl_temp_folder_init(&fixture.folder);
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/holdline.db", fixture.folder.path);
    fixture.config = (struct hl_log_sqlite_config){.path = fixture.path,
                                                   .clock = hl_clock_system(),
                                                   .chain_key = chain_key,
                                                   .region_key = chain_key};
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    hl_temp_folder_fini(&((struct fixture *)*state)->folder);
    return 0;
}

static int try_open(struct fixture *fixture)
{
    fixture->why[0] = '\0';
    return hl_log_sqlite_open(&fixture->config, fixture->why, sizeof(fixture->why), &fixture->log);
}

static void open_log(struct fixture *fixture)
{
    int r = try_open(fixture);

    if (r != 0)
        fail_msg("%d: %s", r, fixture->why);
    hl_log_client_init(&fixture->client, fixture->log);
}

static void close_log(struct fixture *fixture)
{
    hl_log_close(fixture->log);
    hl_log_client_fini(&fixture->client);
}

static struct hl_client_answer say(struct hl_log_client *client, uint64_t conversation,
                                   const char *mid)
{
    return hl_log_client_submit(
        client, &(struct hl_client_entry){.conversation = hl_test_id(conversation), .mid = mid});
}

static sqlite3 *open_file(struct fixture *fixture)
{
    sqlite3 *db = NULL;

    assert_int_equal(hl_sqlite_file_open(fixture->path, NULL, HL_SQLITE_CREATE, &db), 0);
    return db;
}

static void test_newer_schema_is_refused(void **state)
{
    struct fixture *fixture = *state;

    open_log(fixture);
    close_log(fixture);
    sqlite3 *db = open_file(fixture);
    assert_int_equal(hl_sqlite_run(db, "PRAGMA user_version = 9"), 0);
    hl_sqlite_file_close(db);
    assert_int_equal(try_open(fixture), HL_LOG_SQLITE_SCHEMA_NEWER);
    assert_non_null(strstr(fixture->why, "newer holdline"));
}

static void test_older_schema_is_migrated(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *db = open_file(fixture);
    int64_t version = 0;

    assert_int_equal(hl_sqlite_schema_migrate(db, 1), 0);
    assert_int_equal(hl_sqlite_schema_check(db, &version), 0);
    assert_int_equal(version, 1);
    /* something that must survive */
    assert_int_equal(
        hl_sqlite_run(
            db, "INSERT INTO meta VALUES (1, 77, 3, zeroblob(16), zeroblob(32), 0, zeroblob(32))"),
        0);
    struct hl_chain fingerprint;
    hl_chain_fingerprint(chain_key, &fingerprint);
    sqlite3_stmt *statement = NULL;
    assert_int_equal(hl_sqlite_prepare(db, "UPDATE meta SET fingerprint = ?1", &statement), 0);
    hl_sqlite_bind_blob(statement, 1,
                        (struct hl_bytes){(char *)fingerprint.b, sizeof(fingerprint.b)});
    assert_int_equal(hl_sqlite_finish(statement), 0);
    hl_sqlite_file_close(db);

    struct hl_log_info info;
    open_log(fixture);
    hl_log_info(fixture->log, &info);
    assert_int_equal(info.epoch, 77);
    assert_int_equal(info.boots, 4);
    assert_int_equal(say(&fixture->client, 1, "a").r, 0);
    hl_log_mark(fixture->log, &(struct hl_log_mark){.conversation = hl_test_id(1),
                                                    .participant = {1, hl_test_id(1)},
                                                    .delivered = 1});
    close_log(fixture);
    db = open_file(fixture);
    assert_int_equal(hl_sqlite_schema_check(db, &version), 0);
    assert_int_equal(version, HL_SQLITE_SCHEMA_VERSION);
    int64_t n_marks = 0;
    assert_int_equal(hl_sqlite_query_integer(db, "SELECT count(*) FROM marks", &n_marks), 0);
    assert_int_equal(n_marks, 1);
    hl_sqlite_file_close(db);
}

static void test_foreign_files_are_refused(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *db = open_file(fixture);

    assert_int_equal(hl_sqlite_run(db, "CREATE TABLE other (a)"), 0);
    hl_sqlite_file_close(db);
    assert_int_equal(try_open(fixture), HL_LOG_SQLITE_NOT_A_LOG);
    assert_true(strlen(fixture->why) > 0);

    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 2000; i++)
        assert_true(fputs("no database at all. ", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(try_open(fixture), HL_LOG_SQLITE_NOT_A_LOG);
}

static void test_other_chain_key_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const uint8_t other_key[32] = {8};

    open_log(fixture);
    close_log(fixture);
    fixture->config.chain_key = other_key;
    assert_int_equal(try_open(fixture), -EKEYREJECTED);
    assert_non_null(strstr(fixture->why, "chain or region key"));
}

static void test_one_process_per_folder(void **state)
{
    struct fixture *fixture = *state;
    struct hl_log *second = NULL;
    char why[256] = "";

    open_log(fixture);
    /* flock is per open file, so this process stands for another one */
    assert_int_equal(hl_log_sqlite_open(&fixture->config, why, sizeof(why), &second),
                     HL_LOG_SQLITE_LOCKED);
    assert_non_null(strstr(why, "in use"));
    close_log(fixture);
    open_log(fixture);
    close_log(fixture);
}

static void test_entries_are_never_changed(void **state)
{
    struct fixture *fixture = *state;

    open_log(fixture);
    assert_int_equal(say(&fixture->client, 1, "a").r, 0);
    close_log(fixture);
    sqlite3 *db = open_file(fixture);
    assert_int_not_equal(hl_sqlite_run(db, "UPDATE entries SET body = '{}'"), 0);
    assert_int_not_equal(hl_sqlite_run(db, "DELETE FROM entries"), 0);
    assert_int_not_equal(hl_sqlite_run(db, "UPDATE entries SET sealed = zeroblob(99)"), 0);
    hl_sqlite_file_close(db);
}

static void test_full_disk_is_refused_ahead_of_time(void **state)
{
    struct fixture *fixture = *state;
    struct hl_log_info info;

    open_log(fixture);
    assert_int_equal(say(&fixture->client, 1, "a").r, 0);
    close_log(fixture);
    fixture->config.disk_free_min = UINT64_MAX;
    open_log(fixture);
    assert_int_equal(say(&fixture->client, 1, "b").r, HL_LOG_FULL);
    hl_log_info(fixture->log, &info);
    assert_false(info.writable);
    assert_false(info.failed);
    assert_true(say(&fixture->client, 1, "a").duplicate);
    close_log(fixture);
    fixture->config.disk_free_min = 1;
    open_log(fixture);
    assert_int_equal(say(&fixture->client, 1, "b").offset, 2);
    close_log(fixture);
}

static void test_only_the_owner_may_read(void **state)
{
    struct fixture *fixture = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".copy"};
    char path[200];

    open_log(fixture);
    assert_int_equal(say(&fixture->client, 1, "a").r, 0);
    (void)snprintf(path, sizeof(path), "%s.copy", fixture->path);
    assert_int_equal(hl_log_backup(fixture->log, path), 0);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        struct stat status;
        (void)snprintf(path, sizeof(path), "%s%s", fixture->path, suffixes[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    close_log(fixture);
}

/* A copy is of one moment of a log that goes on. */
static void test_backup_of_a_running_log(void **state)
{
    struct fixture *fixture = *state;
    char target[160];
    int64_t n_entries = 0;

    (void)snprintf(target, sizeof(target), "%s/copy.db", fixture->folder.path);
    open_log(fixture);
    for (int i = 0; i < 100; i++) {
        char mid[16];
        (void)snprintf(mid, sizeof(mid), "%d", i);
        assert_int_equal(say(&fixture->client, 1, mid).r, 0);
    }
    assert_int_equal(hl_log_backup(fixture->log, target), 0);
    assert_int_equal(hl_log_backup(fixture->log, target), -EEXIST);
    assert_int_equal(say(&fixture->client, 1, "after").r, 0);
    close_log(fixture);
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s", target);
    sqlite3 *db = open_file(fixture);
    assert_int_equal(hl_sqlite_query_integer(db, "SELECT count(*) FROM entries", &n_entries), 0);
    assert_int_equal(n_entries, 100);
    hl_sqlite_file_close(db);
}

enum { N_WRITERS = 32, N_EACH = 60, N_CONVERSATIONS = 5 };

struct writer {
    struct hl_log *log;
    uint64_t number;
    pthread_t thread;
};

static void *run_writer(void *arg)
{
    struct writer *writer = arg;
    struct hl_log_client client;
    uint64_t last = 0;

    hl_log_client_init(&client, writer->log);
    for (uint64_t i = 0; i < N_EACH; i++) {
        char mid[48];
        (void)snprintf(mid, sizeof(mid), "%llu-%llu", (unsigned long long)writer->number,
                       (unsigned long long)i);
        struct hl_client_answer answer = say(&client, (writer->number + i) % N_CONVERSATIONS, mid);
        HL_CHECK(answer.r == 0 && !answer.duplicate && answer.position > last);
        last = answer.position;
    }
    hl_log_client_fini(&client);
    return NULL;
}

/* Pages and scans hold every number between their first and their last. */
static void check_density(struct hl_log_client *client)
{
    struct hl_log_scan scan = {.limit = 10000, .bytes_max = 10000000};

    HL_CHECK(hl_log_client_scan(client, &scan) == 0);
    HL_CHECK(scan.batch->n_entries == scan.head);
    for (uint64_t i = 0; i < scan.batch->n_entries; i++)
        HL_CHECK(scan.batch->entries[i]->position == i + 1);
    hl_batch_unref(scan.batch);
    for (uint64_t number = 0; number < N_CONVERSATIONS; number++) {
        struct hl_log_read read = {
            .conversation = hl_test_id(number), .limit = 10000, .bytes_max = 10000000};
        if (hl_log_client_read(client, &read) != 0)
            continue; /* nobody wrote there yet */
        HL_CHECK(read.batch->n_entries == read.found.head);
        for (uint64_t i = 0; i < read.batch->n_entries; i++)
            HL_CHECK(read.batch->entries[i]->offset == i + 1);
        hl_batch_unref(read.batch);
    }
}

static void test_dense_under_concurrency(void **state)
{
    struct fixture *fixture = *state;
    struct writer writers[N_WRITERS];
    struct hl_log_info info = {.position = 0};

    fixture->config.n_readers = 3;
    open_log(fixture);
    for (uint64_t i = 0; i < N_WRITERS; i++) {
        writers[i] = (struct writer){.log = fixture->log, .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, run_writer, &writers[i]), 0);
    }
    while (info.position < N_WRITERS * N_EACH) {
        check_density(&fixture->client);
        hl_log_info(fixture->log, &info);
    }
    for (size_t i = 0; i < N_WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
    check_density(&fixture->client);
    assert_int_equal(info.position, N_WRITERS * N_EACH);
    assert_true(info.groups < info.submits);
    close_log(fixture);
}

/* The tags of a long conversation come back from their blocks and its tail. */
static void test_long_conversation_after_reopen(void **state)
{
    struct fixture *fixture = *state;

    open_log(fixture);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            char mid[16];
            (void)snprintf(mid, sizeof(mid), "%d", i);
            struct hl_client_answer answer = say(&fixture->client, 1, mid);
            assert_int_equal(answer.r, 0);
            assert_int_equal(answer.offset, i + 1);
            assert_int_equal(answer.duplicate, round == 1);
        }
        close_log(fixture);
        open_log(fixture);
    }
    close_log(fixture);
}

/* Groups of many pages, bodies of the largest size. */
static void test_large_bodies(void **state)
{
    enum { N = 20 };
    struct fixture *fixture = *state;
    static char body[HL_ENTRY_BODY_SIZE_MAX + 1];
    struct hl_client_answer answers[N];
    bool answered[N];

    memset(body, 'x', HL_ENTRY_BODY_SIZE_MAX);
    open_log(fixture);
    for (int i = 0; i < N; i++) {
        char mid[16];
        (void)snprintf(mid, sizeof(mid), "%d", i);
        struct hl_client_entry entry = {.conversation = hl_test_id(1), .mid = mid, .body = body};
        assert_int_equal(hl_log_client_begin(&fixture->client, &entry, &answers[i], &answered[i]),
                         0);
    }
    close_log(fixture);
    for (int i = 0; i < N; i++)
        assert_true(answered[i] && answers[i].r == 0);
    open_log(fixture);
    struct hl_log_read read = {
        .conversation = hl_test_id(1), .limit = N, .bytes_max = N * HL_ENTRY_BODY_SIZE_MAX};
    assert_int_equal(hl_log_client_read(&fixture->client, &read), 0);
    assert_int_equal(read.batch->n_entries, N);
    for (size_t i = 0; i < N; i++)
        assert_true(hl_bytes_is(hl_entry_body(read.batch->entries[i]), body));
    hl_batch_unref(read.batch);
    close_log(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_newer_schema_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_older_schema_is_migrated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_files_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_chain_key_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_process_per_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_entries_are_never_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_disk_is_refused_ahead_of_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_the_owner_may_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backup_of_a_running_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dense_under_concurrency, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_conversation_after_reopen, setup, teardown),
    };

    return cmocka_run_group_tests_name("log_sqlite", tests, NULL, NULL);
}
