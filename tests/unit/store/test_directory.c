#include "store/directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/result.h"
#include "store/directory_people.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_folder.h"

struct fixture {
    struct hl_temp_folder folder;
    char path[512];
    char keys_path[512];
    struct hl_fake_clock clock;
    struct hl_directory *directory;
};

static int open_at(struct fixture *f, struct hl_directory **out_directory)
{
    struct hl_directory_config config = {f->path, f->keys_path, &f->clock.clock,
                                         hl_random_system()};
    return hl_directory_open(&config, out_directory);
}

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    hl_temp_folder_init(&f->folder);
    snprintf(f->path, sizeof(f->path), "%s/%s", f->folder.path, "directory.db");
    snprintf(f->keys_path, sizeof(f->keys_path), "%s/%s", f->folder.path, "keys.db");
    hl_fake_clock_init(&f->clock, INT64_C(1700000000000));
    assert_int_equal(open_at(f, &f->directory), 0);
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;
    hl_directory_close(f->directory);
    hl_temp_folder_fini(&f->folder);
    free(f);
    return 0;
}

static struct hl_id add_person(struct hl_directory *directory, const char *name,
                               enum hl_key_role role, char secret[HL_KEY_SECRET_SIZE])
{
    struct hl_id id;
    struct hl_person_wish wish = {.name = name, .role = role};
    assert_int_equal(hl_directory_add_person(directory, &wish, secret, &id), 0);
    return id;
}

static void test_the_file_is_private(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    assert_int_equal(stat(f->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_people_and_their_keys(void **state)
{
    struct fixture *f = *state;
    char secret[HL_KEY_SECRET_SIZE];
    char second[HL_KEY_SECRET_SIZE];
    struct hl_principal who;
    struct hl_id key;
    struct hl_id zoe = add_person(f->directory, "Zoë", HL_KEY_SUPERVISOR, secret);
    assert_int_equal(hl_directory_find_secret(f->directory, hl_bytes_of(secret), &who), 0);
    assert_true(hl_id_equal(&who.id, &zoe));
    assert_string_equal(who.name, "Zoë");
    assert_int_equal(who.role, HL_KEY_SUPERVISOR);
    assert_int_equal(hl_directory_add_key(f->directory, &zoe, "laptop", second, &key), 0);
    assert_int_equal(hl_directory_find_secret(f->directory, hl_bytes_of(second), &who), 0);
    assert_true(hl_id_equal(&who.key, &key));
    assert_int_equal(hl_directory_revoke_key(f->directory, &key), 0);
    assert_int_equal(hl_directory_revoke_key(f->directory, &key), HL_DIRECTORY_UNKNOWN);
    assert_int_equal(hl_directory_find_secret(f->directory, hl_bytes_of(second), &who),
                     HL_DIRECTORY_UNKNOWN);
    assert_int_equal(hl_directory_find_secret(f->directory, hl_bytes_of(secret), &who), 0);
    assert_int_equal(hl_directory_let_go(f->directory, &zoe), 0);
    assert_int_equal(hl_directory_renew(f->directory, &who), HL_DIRECTORY_UNKNOWN);
    assert_int_equal(hl_directory_find_agent(f->directory, &zoe, &who), HL_DIRECTORY_UNKNOWN);
    secret[10] = secret[10] == 'a' ? 'b' : 'a';
    assert_int_equal(hl_directory_find_secret(f->directory, hl_bytes_of(secret), &who),
                     HL_DIRECTORY_UNKNOWN);
    assert_int_equal(hl_directory_find_secret(f->directory, hl_bytes_of(""), &who),
                     HL_DIRECTORY_UNKNOWN);
}

static void test_another_process_is_seen(void **state)
{
    struct fixture *f = *state;
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_directory *other = NULL;
    struct hl_principal who;
    assert_int_equal(open_at(f, &other), 0);
    assert_int_equal(hl_directory_refresh(f->directory), 0);
    uint64_t version = hl_directory_version(f->directory);
    struct hl_id ben = add_person(other, "Ben", HL_KEY_AGENT, secret);
    assert_int_equal(hl_directory_find_agent(f->directory, &ben, &who), HL_DIRECTORY_UNKNOWN);
    assert_int_equal(hl_directory_find_secret(f->directory, hl_bytes_of(secret), &who), 0);
    assert_true(hl_directory_version(f->directory) > version);
    assert_int_equal(hl_directory_refresh(f->directory), 0);
    assert_int_equal(hl_directory_let_go(other, &ben), 0);
    assert_int_equal(hl_directory_refresh(f->directory), HL_DIRECTORY_CHANGED);
    assert_int_equal(hl_directory_find_secret(f->directory, hl_bytes_of(secret), &who),
                     HL_DIRECTORY_UNKNOWN);
    hl_directory_close(other);
}

static void test_an_email_is_one_active_agents(void **state)
{
    struct fixture *f = *state;
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_id id;
    struct hl_id other;
    struct hl_person_wish wish = {.name = "A", .role = HL_KEY_AGENT, .email = "a@b.example"};
    assert_int_equal(hl_directory_add_person(f->directory, &wish, secret, &id), 0);
    assert_int_equal(hl_directory_add_person(f->directory, &wish, secret, &other),
                     HL_DIRECTORY_TAKEN);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(f->directory);
    assert_non_null(hl_snapshot_agent_of_email(snapshot, "A@B.example"));
    hl_directory_snapshot_unref(snapshot);
    assert_int_equal(hl_directory_let_go(f->directory, &id), 0);
    assert_int_equal(hl_directory_add_person(f->directory, &wish, secret, &other), 0);
}

static void test_the_site_of_the_configuration(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(hl_directory_ensure_site(f->directory, "shop"), 0);
    assert_int_equal(hl_directory_ensure_site(f->directory, "shop"), 0);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(f->directory);
    assert_int_equal(snapshot->n_sites, 1);
    assert_int_equal(snapshot->n_inboxes, 1);
    assert_string_equal(hl_snapshot_site(snapshot, "shop")->name, "shop");
    const struct hl_inbox *inbox = hl_snapshot_default_inbox(snapshot, "shop");
    assert_non_null(inbox);
    assert_ptr_equal(hl_snapshot_inbox(snapshot, &inbox->id), inbox);
    assert_ptr_equal(hl_snapshot_inbox_named(snapshot, "shop", inbox->name), inbox);
    assert_null(hl_snapshot_inbox_named(snapshot, "other", inbox->name));
    assert_false(inbox->has_hours);
    hl_directory_snapshot_unref(snapshot);
}

static struct hl_directory_change canned_change(enum hl_directory_operation operation,
                                                const char *document)
{
    struct hl_directory_change change = {.operation = operation,
                                         .kind = HL_RECORD_CANNED,
                                         .id = "cnr_000102030405060708090a0b0c0d0e0f",
                                         .site = "shop",
                                         .now_ms = 5,
                                         .document = hl_bytes_of(document)};
    hl_record_label(change.label, "shop", "hi");
    return change;
}

static void test_revisions(void **state)
{
    struct fixture *f = *state;
    struct hl_directory_change change =
        canned_change(HL_DIRECTORY_CREATE, "{\"shortcut\":\"hi\",\"text\":\"Hello\"}");
    assert_int_equal(hl_directory_apply(f->directory, &change), 0);
    assert_int_equal(change.revision, 1);
    assert_int_equal(hl_directory_apply(f->directory, &change), HL_DIRECTORY_TAKEN);
    change = canned_change(HL_DIRECTORY_REPLACE, "{\"shortcut\":\"hi\",\"text\":\"Hallo\"}");
    change.has_if_revision = true;
    change.if_revision = 1;
    assert_int_equal(hl_directory_apply(f->directory, &change), 0);
    assert_int_equal(change.revision, 2);
    assert_int_equal(hl_directory_apply(f->directory, &change), HL_DIRECTORY_REVISION);
    change.operation = HL_DIRECTORY_DELETE;
    assert_int_equal(hl_directory_apply(f->directory, &change), HL_DIRECTORY_REVISION);
    change.if_revision = 2;
    assert_int_equal(hl_directory_apply(f->directory, &change), 0);
    assert_int_equal(hl_directory_apply(f->directory, &change), HL_DIRECTORY_UNKNOWN);
}

static void test_limits(void **state)
{
    struct fixture *f = *state;
    struct hl_directory_change change =
        canned_change(HL_DIRECTORY_CREATE, "{\"shortcut\":\"hi\",\"text\":\"Hello\"}");
    change.n_max = 1;
    assert_int_equal(hl_directory_apply(f->directory, &change), 0);
    change.id[10] = 'f';
    change.label[0] = '\0';
    assert_int_equal(hl_directory_apply(f->directory, &change), HL_DIRECTORY_LIMIT);
}

static void test_once(void **state)
{
    struct fixture *f = *state;
    struct hl_directory_once once = {
        .name = {1}, .request = {2}, .secret = {3}, .answer = hl_bytes_of("first answer")};
    struct hl_directory_change change =
        canned_change(HL_DIRECTORY_CREATE, "{\"shortcut\":\"hi\",\"text\":\"Hello\"}");
    change.once = &once;
    change.now_ms = INT64_C(1700000000000);
    assert_int_equal(hl_directory_apply(f->directory, &change), 0);
    assert_false(change.replayed);
    change.now_ms += HL_ONCE_KEPT_MS - 1;
    once.answer = hl_bytes_of("second");
    assert_int_equal(hl_directory_apply(f->directory, &change), 0);
    assert_true(change.replayed);
    assert_true(hl_bytes_is(hl_buffer_bytes(&change.answer), "first answer"));
    hl_buffer_fini(&change.answer);
    once.request[0] = 9;
    assert_int_equal(hl_directory_apply(f->directory, &change), HL_DIRECTORY_MISMATCH);
    change.now_ms += 1; /* seven days: forgotten, so it is a new request */
    assert_int_equal(hl_directory_apply(f->directory, &change), HL_DIRECTORY_TAKEN);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static const char old_schema[] =
    "CREATE TABLE key(id BLOB PRIMARY KEY, hash BLOB NOT NULL UNIQUE, role INTEGER NOT NULL,"
    " name TEXT NOT NULL, created_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL DEFAULT 0)"
    " WITHOUT ROWID, STRICT; PRAGMA application_id=1751935793; PRAGMA user_version=1;"
    "INSERT INTO key VALUES(x'01900000000000000000000000000001', randomblob(32), 3, 'Root', 7, 0);"
    /* hlk_ and 43 times A */
    "INSERT INTO key VALUES(x'01900000000000000000000000000002',"
    " x'%s', 1, 'Gone', 8, 9);";

static void test_an_older_keys_file_is_taken_over(void **state)
{
    struct fixture *f = *state;
    char sql[1024];
    char renamed[600];
    static const char hash[] = "00000000000000000000000000000000"
                               "00000000000000000000000000000001";
    struct hl_id root = {{0x01, 0x90, [15] = 1}};
    struct hl_id gone = {{0x01, 0x90, [15] = 2}};
    snprintf(sql, sizeof(sql), old_schema, hash);
    snprintf(renamed, sizeof(renamed), "%s.taken-over", f->keys_path);
    for (int i = 0; i < 2; i++) { /* the second time as after a crash before the file was renamed */
        hl_directory_close(f->directory);
        f->directory = NULL;
        run_sql(f->keys_path, sql);
        assert_int_equal(open_at(f, &f->directory), 0);
        assert_int_equal(access(f->keys_path, F_OK), -1);
        assert_int_equal(access(renamed, F_OK), 0);
        struct hl_directory_snapshot *snapshot = hl_directory_snapshot(f->directory);
        assert_int_equal(snapshot->n_agents, 2);
        assert_int_equal(snapshot->n_keys, 2);
        assert_int_equal(hl_snapshot_agent(snapshot, &root)->role, HL_KEY_ADMIN);
        assert_int_equal(hl_snapshot_agent(snapshot, &root)->is_active, i == 0);
        assert_int_equal(hl_snapshot_key(snapshot, &root)->record.created_ms, 7);
        assert_false(hl_snapshot_agent(snapshot, &gone)->is_active);
        assert_int_equal(hl_snapshot_key(snapshot, &gone)->revoked_ms, 9);
        hl_directory_snapshot_unref(snapshot);
        if (i == 0)
            assert_int_equal(hl_directory_let_go(f->directory, &root), 0);
    }
}

static void test_foreign_and_newer_files(void **state)
{
    struct fixture *f = *state;
    struct hl_directory *directory = NULL;
    hl_directory_close(f->directory);
    f->directory = NULL;
    run_sql(f->path, "PRAGMA user_version=99");
    assert_int_equal(open_at(f, &directory), HL_DIRECTORY_NEWER);
    run_sql(f->path, "PRAGMA user_version=1; PRAGMA application_id=5");
    assert_int_equal(open_at(f, &directory), HL_DIRECTORY_NO_DIRECTORY);
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 100; i++)
        fputs("this is no database, whatever its name says\n", file);
    fclose(file);
    assert_int_equal(open_at(f, &directory), HL_DIRECTORY_NO_DIRECTORY);
}

static void test_backup_and_uses(void **state)
{
    struct fixture *f = *state;
    char secret[HL_KEY_SECRET_SIZE];
    char copy[512];
    struct hl_principal who;
    struct hl_directory *other = NULL;
    add_person(f->directory, "A", HL_KEY_AGENT, secret);
    assert_int_equal(hl_directory_find_secret(f->directory, hl_bytes_of(secret), &who), 0);
    assert_int_equal(hl_directory_key_used_ms(f->directory, &who.key), f->clock.wall_ms);
    hl_directory_close(f->directory); /* writes the uses */
    assert_int_equal(open_at(f, &f->directory), 0);
    assert_int_equal(hl_directory_key_used_ms(f->directory, &who.key), f->clock.wall_ms);
    snprintf(copy, sizeof(copy), "%s/%s", f->folder.path, "copy.db");
    assert_int_equal(hl_directory_backup(f->path, copy), 0);
    assert_int_equal(hl_directory_backup(f->path, copy), -EEXIST);
    struct hl_directory_config config = {copy, NULL, &f->clock.clock, hl_random_system()};
    assert_int_equal(hl_directory_open(&config, &other), 0);
    assert_int_equal(hl_directory_find_secret(other, hl_bytes_of(secret), &who), 0);
    hl_directory_close(other);
}

static void test_who_sees_what(void **state)
{
    struct hl_principal who = {0};
    struct hl_id one = {{1}};
    struct hl_id other = {{2}};
    (void)state;
    assert_true(hl_principal_sees(&who, "shop", &one));
    memcpy(who.site, "shop", 5);
    assert_true(hl_principal_sees(&who, "shop", &one));
    assert_false(hl_principal_sees(&who, "shop2", &one));
    who.n_inboxes = 1;
    who.inboxes[0] = one;
    assert_true(hl_principal_sees(&who, "shop", &one));
    assert_false(hl_principal_sees(&who, "shop", &other));
    assert_true(hl_principal_sees(&who, "shop", &(struct hl_id){{0}}));
    assert_false(hl_principal_sees(&who, "shop2", &(struct hl_id){{0}}));
}

int main(void)
{
#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_fixture, drop_fixture)
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(test_the_file_is_private),
        WITH_DIRECTORY(test_people_and_their_keys),
        WITH_DIRECTORY(test_another_process_is_seen),
        WITH_DIRECTORY(test_an_email_is_one_active_agents),
        WITH_DIRECTORY(test_the_site_of_the_configuration),
        WITH_DIRECTORY(test_revisions),
        WITH_DIRECTORY(test_limits),
        WITH_DIRECTORY(test_once),
        WITH_DIRECTORY(test_an_older_keys_file_is_taken_over),
        WITH_DIRECTORY(test_foreign_and_newer_files),
        WITH_DIRECTORY(test_backup_and_uses),
        cmocka_unit_test(test_who_sees_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
