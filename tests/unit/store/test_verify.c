#include "store/verify.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/result.h"
#include "store/log_sqlite.h"
#include "store/sqlite/file.h"
#include "tests/support/log_client.h"
#include "tests/support/temp_folder.h"

static const uint8_t chain_key[32] = {7};

struct fixture {
    struct hl_temp_folder folder;
    char path[160];
    char target[160];
};

static struct hl_log *open_log(const char *path)
{
    struct hl_log *log = NULL;
    char why[256] = "";
    int r = hl_log_sqlite_open(&(struct hl_log_sqlite_config){.path = path,
                                                              .clock = hl_clock_system(),
                                                              .chain_key = chain_key,
                                                              .region_key = chain_key},
                               why, sizeof(why), &log);

    if (r != 0)
        fail_msg("%d: %s", r, why);
    return log;
}

/* A data file with three conversations of 100 entries each, one of them claimed. */
static int setup(void **state)
{
    static struct fixture fixture;
    struct hl_log_client client;
    const struct hl_author agent = {.role = HL_ROLE_AGENT, .id = hl_test_id(5)};

    hl_temp_folder_init(&fixture.folder);
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/holdline.db", fixture.folder.path);
    (void)snprintf(fixture.target, sizeof(fixture.target), "%s/copy.db", fixture.folder.path);
    hl_log_client_init(&client, open_log(fixture.path));
    for (uint64_t i = 0; i < 300; i++) {
        char mid[24];
        (void)snprintf(mid, sizeof(mid), "%llu", (unsigned long long)i);
        struct hl_client_entry entry = {.conversation = hl_test_id(i % 3), .mid = mid};
        if (i == 150) {
            entry.kind = HL_ENTRY_CLAIMED;
            entry.author = agent;
            entry.subject = agent.id;
        }
        assert_int_equal(hl_log_client_submit(&client, &entry).r, 0);
    }
    hl_log_close(client.log);
    hl_log_client_fini(&client);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    hl_temp_folder_fini(&((struct fixture *)*state)->folder);
    return 0;
}

static struct hl_verify_report verify(const char *path, int expected)
{
    struct hl_verify_report report;
    int r = hl_verify(path, chain_key, &report);

    if (r != expected)
        fail_msg("verify: %d\n%.*s", r, (int)report.findings.size, report.findings.data);
    hl_buffer_fini(&report.findings);
    return report;
}

/* Runs SQL on the file as somebody would who has taken the triggers away. */
static void tamper(struct fixture *fixture, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(hl_sqlite_file_open(fixture->path, NULL, HL_SQLITE_WRITE, &db), 0);
    assert_int_equal(hl_sqlite_run(db, "DROP TRIGGER IF EXISTS entries_no_update;"
                                       "DROP TRIGGER IF EXISTS entries_no_delete"),
                     0);
    if (hl_sqlite_run(db, sql) != 0)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(hl_sqlite_run(db, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
    hl_sqlite_file_close(db);
}

static void test_sound_file(void **state)
{
    struct fixture *fixture = *state;
    struct hl_verify_report report = verify(fixture->path, 0);

    assert_int_equal(report.position, 300);
    assert_int_equal(report.n_entries, 300);
    assert_int_equal(report.n_conversations, 3);
    assert_int_equal(report.n_integrity + report.n_gaps + report.n_chain + report.n_index, 0);
}

static void test_every_change_of_an_entry_is_found(void **state)
{
    struct fixture *fixture = *state;
    static const char *const changes[] = {
        "UPDATE entries SET body = '{\"text\":\"hellp\"}' WHERE position = 100",
        "UPDATE entries SET body = '{}', sealed = NULL WHERE position = 100",
        "UPDATE entries SET body = '  ', sealed = NULL WHERE position = 100",
        "UPDATE entries SET sealed = zeroblob(length(sealed)) WHERE position = 100",
        "UPDATE conversations SET identity = zeroblob(50) WHERE number = 1",
        "UPDATE entries SET wall_ms = wall_ms + 1 WHERE position = 100",
        "UPDATE entries SET role = 2 WHERE position = 100",
        "UPDATE entries SET mid = 'x' WHERE position = 100",
        "UPDATE entries SET kind = 2 WHERE position = 100",
        "UPDATE entries SET chain = zeroblob(32) WHERE position = 300",
        "UPDATE conversations SET site = 'other' WHERE number = 1",
        "UPDATE conversations SET reference = 'HL-9' WHERE number = 1",
    };

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        assert_int_equal(hl_backup(fixture->path, fixture->target), 0);
        struct fixture copy = {.folder = fixture->folder};
        memcpy(copy.path, fixture->target, sizeof(copy.path));
        tamper(&copy, changes[i]);
        struct hl_verify_report report = verify(copy.path, HL_VERIFY_BROKEN);
        if (report.n_chain == 0)
            fail_msg("not found: %s", changes[i]);
        assert_int_equal(unlink(copy.path), 0);
    }
}

static void test_deleted_row(void **state)
{
    struct fixture *fixture = *state;

    tamper(fixture, "DELETE FROM entries WHERE position = 100");
    struct hl_verify_report report = verify(fixture->path, HL_VERIFY_BROKEN);
    assert_int_equal(report.n_gaps, 2); /* of positions, and of offsets */
}

static void test_deleted_row_with_the_hole_closed(void **state)
{
    struct fixture *fixture = *state;

    tamper(fixture, "DELETE FROM entries WHERE position = 300;"
                    "UPDATE entries SET position = 300 WHERE position = 299");
    struct hl_verify_report report = verify(fixture->path, HL_VERIFY_BROKEN);
    assert_true(report.n_gaps + report.n_chain > 0);
}

static void test_cut_off_tail(void **state)
{
    struct fixture *fixture = *state;

    tamper(fixture, "DELETE FROM entries WHERE position > 298");
    struct hl_verify_report report = verify(fixture->path, HL_VERIFY_BROKEN);
    assert_int_equal(report.n_gaps, 1);
    tamper(fixture, "UPDATE meta SET position = 298");
    report = verify(fixture->path, HL_VERIFY_BROKEN);
    assert_int_equal(report.n_gaps, 0);
    assert_int_equal(report.n_chain, 1);
}

static void test_swapped_rows(void **state)
{
    struct fixture *fixture = *state;

    tamper(fixture, "UPDATE entries SET offset = 1000 WHERE position = 100;"
                    "UPDATE entries SET offset = 34 WHERE position = 103;"
                    "UPDATE entries SET offset = 35 WHERE position = 100");
    struct hl_verify_report report = verify(fixture->path, HL_VERIFY_BROKEN);
    assert_true(report.n_chain > 0);
}

static void test_edited_index_rows(void **state)
{
    struct fixture *fixture = *state;

    tamper(fixture, "UPDATE conversations SET assignee = NULL WHERE number = 1;"
                    "UPDATE mid_blocks SET tags = zeroblob(512) WHERE conversation = 2");
    struct hl_verify_report report = verify(fixture->path, HL_VERIFY_BROKEN);
    assert_int_equal(report.n_index, 2);
    assert_int_equal(report.n_chain, 0);
}

static void test_missing_triggers(void **state)
{
    struct fixture *fixture = *state;

    tamper(fixture, "");
    struct hl_verify_report report = verify(fixture->path, HL_VERIFY_BROKEN);
    assert_int_equal(report.n_integrity, 1);
    assert_int_equal(report.n_gaps + report.n_chain + report.n_index, 0);
}

static void test_orphaned_entries(void **state)
{
    struct fixture *fixture = *state;

    tamper(fixture, "DELETE FROM conversations WHERE number = 2");
    struct hl_verify_report report = verify(fixture->path, HL_VERIFY_BROKEN);
    assert_true(report.n_integrity > 1);
}

/* A bit flips on the disk, anywhere in the file: nothing that can be read passes for sound. */
static void test_flipped_bits(void **state)
{
    struct fixture *fixture = *state;
    int fd = open(fixture->path, O_RDWR);
    off_t size = lseek(fd, 0, SEEK_END);
    size_t n_found = 0;

    assert_true(fd >= 0 && size > 0);
    for (off_t at = 4096 + 2000; at < size; at += 4096) {
        unsigned char byte = 0;
        struct hl_verify_report report;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        int r = hl_verify(fixture->path, chain_key, &report);
        hl_buffer_fini(&report.findings);
        n_found += r != 0;
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    (void)close(fd);
    assert_true(n_found > 5); /* the others lie in unused space */
    (void)verify(fixture->path, 0);
}

static void test_other_key_and_other_files(void **state)
{
    struct fixture *fixture = *state;
    const uint8_t other_key[32] = {8};
    struct hl_verify_report report;

    assert_int_equal(hl_verify(fixture->path, other_key, &report), HL_VERIFY_BROKEN);
    assert_int_equal(report.n_chain, 4); /* of each conversation, and the seal */
    hl_buffer_fini(&report.findings);
    assert_true(hl_verify("/nonexistent/x.db", chain_key, &report) < 0);
    hl_buffer_fini(&report.findings);
    tamper(fixture, "PRAGMA user_version = 99");
    (void)verify(fixture->path, HL_VERIFY_SCHEMA_NEWER);
    tamper(fixture, "PRAGMA application_id = 5");
    (void)verify(fixture->path, HL_VERIFY_NOT_A_LOG);
}

static void test_backup_and_restore(void **state)
{
    struct fixture *fixture = *state;
    struct hl_verify_report report;
    char backup[200];

    (void)snprintf(backup, sizeof(backup), "%s/backup.db", fixture->folder.path);
    assert_int_equal(hl_backup(fixture->path, backup), 0);
    assert_int_equal(hl_backup(fixture->path, backup), -EEXIST);
    uint64_t epoch = verify(backup, 0).epoch;
    assert_int_equal(verify(fixture->path, 0).epoch, epoch);

    assert_int_equal(hl_restore(backup, NULL, fixture->target, chain_key, &report), 0);
    assert_int_equal(report.n_entries, 300);
    hl_buffer_fini(&report.findings);
    assert_int_equal(hl_restore(backup, NULL, fixture->target, chain_key, &report), -EEXIST);
    hl_buffer_fini(&report.findings);
    assert_int_not_equal(verify(fixture->target, 0).epoch, epoch);

    /* a restored log serves, and remembers every mid */
    struct hl_log_client client;
    hl_log_client_init(&client, open_log(fixture->target));
    struct hl_client_answer answer = hl_log_client_submit(
        &client, &(struct hl_client_entry){.conversation = hl_test_id(0), .mid = "0"});
    assert_int_equal(answer.r, 0);
    assert_true(answer.duplicate);
    hl_log_close(client.log);
    hl_log_client_fini(&client);
}

static void copy_raw(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    char part[4096];

    assert_true(in != NULL && out != NULL);
    for (size_t n; (n = fread(part, 1, sizeof(part), in)) > 0;)
        assert_int_equal(fwrite(part, 1, n, out), n);
    assert_int_equal(fclose(in), 0);
    assert_int_equal(fclose(out), 0);
}

/* What a killed process leaves, a data file and a write-ahead log, is verified and copied as it
 * is: what was committed counts, wherever it lies. */
static void test_files_of_a_killed_process(void **state)
{
    struct fixture *fixture = *state;
    struct hl_log_client client;
    char path[200];
    char wal[210];

    hl_log_client_init(&client, open_log(fixture->path));
    struct hl_client_entry entry = {.conversation = hl_test_id(0), .mid = "late"};
    assert_int_equal(hl_log_client_submit(&client, &entry).r, 0);
    copy_raw(fixture->path, fixture->target);
    (void)snprintf(path, sizeof(path), "%s-wal", fixture->path);
    (void)snprintf(wal, sizeof(wal), "%s-wal", fixture->target);
    copy_raw(path, wal);
    hl_log_close(client.log);
    hl_log_client_fini(&client);

    assert_int_equal(verify(fixture->target, 0).n_entries, 301);
    (void)snprintf(path, sizeof(path), "%s/backup.db", fixture->folder.path);
    assert_int_equal(hl_backup(fixture->target, path), 0);
    assert_int_equal(verify(path, 0).n_entries, 301);
}

static void test_broken_backup_is_not_restored(void **state)
{
    struct fixture *fixture = *state;
    struct hl_verify_report report;

    tamper(fixture, "UPDATE entries SET body = '{}' WHERE position = 1");
    assert_int_equal(hl_restore(fixture->path, NULL, fixture->target, chain_key, &report),
                     HL_VERIFY_BROKEN);
    assert_int_equal(report.n_chain, 1);
    hl_buffer_fini(&report.findings);
    assert_int_not_equal(access(fixture->target, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sound_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_change_of_an_entry_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deleted_row, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deleted_row_with_the_hole_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_off_tail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_swapped_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edited_index_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_triggers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_orphaned_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flipped_bits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_key_and_other_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backup_and_restore, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_of_a_killed_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_backup_is_not_restored, setup, teardown),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
