#include "gateway/secrets.h"

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
    char root[64];
    char folder[96];
    char why[512];
    struct hl_secrets secrets;
};

static int load_secrets(struct fixture *f, bool may_make)
{
    return hl_secrets_load(f->folder, may_make, hl_clock_system(), hl_random_system(), f->why,
                           sizeof(f->why), &f->secrets);
}

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->root, sizeof(f->root), "/tmp/holdline-secrets-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->folder, sizeof(f->folder), "%s/secrets", f->root);
    assert_int_equal(load_secrets(f, true), 0);
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;
    char command[160];
    snprintf(command, sizeof(command), "rm -rf '%s'", f->root);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void test_made_once_and_private(void **state)
{
    struct fixture *f = *state;
    struct hl_secrets first = f->secrets;
    struct stat status;
    char path[128];

    assert_int_equal(load_secrets(f, true), 0);
    assert_memory_equal(&first, &f->secrets, sizeof(first));
    assert_int_equal(f->secrets.tokens.n_keys, 1);
    assert_int_equal(stat(f->folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    snprintf(path, sizeof(path), "%s/chain", f->folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_open_permissions_are_refused(void **state)
{
    struct fixture *f = *state;
    char path[128];

    snprintf(path, sizeof(path), "%s/reference", f->folder);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(load_secrets(f, true), HL_SECRETS_OPEN_TO_OTHERS);
    assert_non_null(strstr(f->why, "reference is mode 0640"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(f->folder, 0755), 0);
    assert_int_equal(load_secrets(f, true), HL_SECRETS_OPEN_TO_OTHERS);
}

static void test_a_lost_chain_key_is_not_made_anew(void **state)
{
    struct fixture *f = *state;
    char path[128];

    snprintf(path, sizeof(path), "%s/chain", f->folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(load_secrets(f, false), HL_SECRETS_DAMAGED);
    assert_non_null(strstr(f->why, "backup"));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("0123\n", file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(load_secrets(f, true), HL_SECRETS_DAMAGED);
}

static int64_t read_fake_ms(void *arg)
{
    return *(int64_t *)arg;
}

static uint64_t read_fake_mono(void *arg)
{
    return (uint64_t) * (int64_t *)arg;
}

static void test_rotation_keeps_the_newest_keys(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = INT64_C(4000000000000); /* after the key the fixture made */
    struct hl_clock clock = {read_fake_ms, read_fake_mono, &now_ms};
    char kids[9][HL_TOKEN_KID_SIZE + 1];

    for (int i = 0; i < 9; i++, now_ms++) {
        assert_int_equal(hl_secrets_rotate_token(f->folder, &clock, hl_random_system(), kids[i]),
                         0);
    }
    assert_int_equal(load_secrets(f, false), 0);
    assert_int_equal(f->secrets.tokens.n_keys, HL_TOKEN_KEYS_MAX);
    assert_string_equal(f->secrets.tokens.keys[0].kid, kids[8]);
    assert_string_equal(f->secrets.tokens.keys[7].kid, kids[1]);
}

static void test_derivation_tells_its_inputs_apart(void **state)
{
    struct fixture *f = *state;
    uint8_t a[64];
    uint8_t b[64];

    hl_secrets_derive(f->secrets.reference, "enquiry", hl_bytes_of("ab"), hl_bytes_of("c"), a);
    hl_secrets_derive(f->secrets.reference, "enquiry", hl_bytes_of("ab"), hl_bytes_of("c"), b);
    assert_memory_equal(a, b, 64);
    hl_secrets_derive(f->secrets.reference, "enquiry", hl_bytes_of("a"), hl_bytes_of("bc"), b);
    assert_memory_not_equal(a, b, 64);
    hl_secrets_derive(f->secrets.chain, "enquiry", hl_bytes_of("ab"), hl_bytes_of("c"), b);
    assert_memory_not_equal(a, b, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_made_once_and_private, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_open_permissions_are_refused, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(test_a_lost_chain_key_is_not_made_anew, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(test_rotation_keeps_the_newest_keys, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(test_derivation_tells_its_inputs_apart, make_fixture,
                                        drop_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
