#include "store/keys.h"

#include <errno.h>
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

struct fixture {
    char folder[64];
    char path[96];
    struct hl_keys *keys;
};

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->folder, sizeof(f->folder), "/tmp/holdline-keys-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/keys.db", f->folder);
    assert_int_equal(hl_keys_open(f->path, &f->keys), 0);
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    static const char *const names[] = {"keys.db", "copy.db", "keys.db-journal"};
    struct fixture *f = *state;
    hl_keys_close(f->keys);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(f->folder), 0);
    free(f);
    return 0;
}

static struct hl_key add_key(struct hl_keys *keys, const char *name, enum hl_key_role role,
                             char secret[HL_KEY_SECRET_SIZE])
{
    struct hl_key key;
    assert_int_equal(
        hl_keys_add(keys, name, role, hl_clock_system(), hl_random_system(), secret, &key), 0);
    return key;
}

static void test_a_secret_finds_its_key(void **state)
{
    struct fixture *f = *state;
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_key found;
    struct hl_key key = add_key(f->keys, "Zoë", HL_KEY_ADMIN, secret);

    assert_int_equal(strlen(secret), 47);
    assert_memory_equal(secret, "hlk_", 4);
    assert_int_equal(hl_keys_find(f->keys, hl_bytes_of(secret), &found), 0);
    assert_true(hl_id_equal(&found.id, &key.id));
    assert_int_equal(found.role, HL_KEY_ADMIN);
    assert_string_equal(found.name, "Zoë");
    assert_int_equal(hl_keys_find_id(f->keys, &key.id, &found), 0);

    secret[20] = secret[20] == 'a' ? 'b' : 'a';
    assert_int_equal(hl_keys_find(f->keys, hl_bytes_of(secret), &found), HL_KEYS_UNKNOWN);
    assert_int_equal(hl_keys_find(f->keys, hl_bytes_of(""), &found), HL_KEYS_UNKNOWN);
}

static void test_the_file_holds_no_secret_and_is_private(void **state)
{
    struct fixture *f = *state;
    char secret[HL_KEY_SECRET_SIZE];
    static char content[1 << 17];
    struct stat status;

    add_key(f->keys, "a", HL_KEY_AGENT, secret);
    assert_int_equal(stat(f->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    FILE *file = fopen(f->path, "rb");
    assert_non_null(file);
    size_t size = fread(content, 1, sizeof(content), file);
    fclose(file);
    assert_true(size > 0);
    assert_null(memmem(content, size, secret + 4, 43));
}

static void test_another_process_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct hl_keys *other = NULL;
    struct hl_key found;
    char secret[HL_KEY_SECRET_SIZE];
    uint64_t version = hl_keys_version(f->keys);

    assert_int_equal(hl_keys_open(f->path, &other), 0);
    assert_int_equal(hl_keys_refresh(f->keys), 0);
    struct hl_key key = add_key(other, "b", HL_KEY_AGENT, secret);
    /* an id waits for the refresh, a secret that somebody shows does not */
    assert_int_equal(hl_keys_find_id(f->keys, &key.id, &found), HL_KEYS_UNKNOWN);
    assert_int_equal(hl_keys_find(f->keys, hl_bytes_of(secret), &found), 0);
    assert_int_equal(hl_keys_refresh(f->keys), 0);
    assert_true(hl_keys_version(f->keys) > version);

    assert_int_equal(hl_keys_revoke(other, &key.id, 5), 0);
    assert_int_equal(hl_keys_revoke(other, &key.id, 6), HL_KEYS_UNKNOWN);
    assert_int_equal(hl_keys_refresh(f->keys), HL_KEYS_CHANGED);
    assert_int_equal(hl_keys_find(f->keys, hl_bytes_of(secret), &found), HL_KEYS_UNKNOWN);
    assert_int_equal(hl_keys_find_id(f->keys, &key.id, &found), HL_KEYS_UNKNOWN);
    hl_keys_close(other);
}

static void test_list_keeps_revoked_keys(void **state)
{
    struct fixture *f = *state;
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_key *items = NULL;
    size_t n_items = 0;
    struct hl_key first = add_key(f->keys, "first", HL_KEY_AGENT, secret);

    add_key(f->keys, "second", HL_KEY_INTEGRATION, secret);
    assert_int_equal(hl_keys_revoke(f->keys, &first.id, 77), 0);
    assert_int_equal(hl_keys_list(f->keys, &items, &n_items), 0);
    assert_int_equal(n_items, 2);
    assert_string_equal(items[0].name, "first");
    assert_int_equal(items[0].revoked_ms, 77);
    assert_int_equal(items[1].revoked_ms, 0);
    free(items);
}

static void test_backup_opens(void **state)
{
    struct fixture *f = *state;
    char copy[128];
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_keys *keys = NULL;
    struct hl_key found;

    add_key(f->keys, "a", HL_KEY_AGENT, secret);
    snprintf(copy, sizeof(copy), "%s/copy.db", f->folder);
    assert_int_equal(hl_keys_backup(f->path, copy), 0);
    assert_int_equal(hl_keys_backup(f->path, copy), -EEXIST);
    assert_int_equal(hl_keys_open(copy, &keys), 0);
    assert_int_equal(hl_keys_find(keys, hl_bytes_of(secret), &found), 0);
    hl_keys_close(keys);
}

static void test_other_files_are_refused(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct hl_keys *keys = NULL;

    snprintf(path, sizeof(path), "%s/copy.db", f->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 200; i++)
        fputs("this is no database\n", file);
    fclose(file);
    assert_int_equal(hl_keys_open(path, &keys), HL_KEYS_NOT_KEYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_secret_finds_its_key, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_the_file_holds_no_secret_and_is_private, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(test_another_process_is_noticed, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(test_list_keeps_revoked_keys, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_backup_opens, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_other_files_are_refused, make_fixture, drop_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
