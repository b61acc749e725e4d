/* gateway/visit/door.h: who is let in where. */
#include "gateway/visit/door.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/temp_directory.h"

#define RETURNS "inb_00000000000000000000000000000001"
#define ELSEWHERE "inb_00000000000000000000000000000002"

/* printf %s customer-1 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07 (32 bytes) */
static const char proof[] = "1762b89a97fa30d0ac4a0cf516ff812c8faa93e155da05559f8ee842d43fd75a";

struct fixture {
    struct hl_temp_directory temp;
    const char *origins[1];
    struct hl_doors doors;
    struct hl_link link;
    struct hl_visit visit;
    struct hl_id inbox;
};

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char secret[HL_IDENTITY_SECRET_SIZE];
    assert_non_null(f);
    memset(secret, 7, sizeof(secret));
    hl_temp_directory_init(&f->temp, hl_clock_system(), "main");
    hl_temp_directory_put(&f->temp, HL_RECORD_SITE, "shop", "",
                          "{\"name\":\"Shop\",\"origins\":[\"https://shop.example\"]}",
                          (struct hl_bytes){secret, sizeof(secret)});
    hl_temp_directory_put(&f->temp, HL_RECORD_INBOX, RETURNS, "shop",
                          "{\"is_default\":true,\"name\":\"Returns\"}", (struct hl_bytes){0});
    hl_temp_directory_put(&f->temp, HL_RECORD_INBOX, ELSEWHERE, "main",
                          "{\"is_default\":false,\"name\":\"Elsewhere\"}", (struct hl_bytes){0});
    f->origins[0] = "https://everywhere.example";
    f->doors = (struct hl_doors){
        .directory = f->temp.directory, .site = "main", .origins = f->origins, .n_origins = 1};
    f->visit = (struct hl_visit){.site = hl_bytes_of("shop"), .link = &f->link};
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;
    hl_temp_directory_fini(&f->temp);
    free(f);
    return 0;
}

static int admit(struct fixture *f)
{
    return hl_doors_admit(&f->doors, &f->visit, &f->inbox);
}

static int admit_from(struct fixture *f, const char *origin)
{
    f->link.origin = hl_bytes_of(origin);
    return admit(f);
}

static bool is_inbox(const struct fixture *f, const char *wanted)
{
    char text[HL_ID_TEXT_SIZE];
    hl_id_format(&f->inbox, HL_ID_INBOX, text);
    return strcmp(text, wanted) == 0;
}

static void test_sites_and_inboxes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(admit(f), 0);
    assert_true(is_inbox(f, RETURNS));
    f->visit.inbox = hl_bytes_of("Returns");
    assert_int_equal(admit(f), 0);
    f->visit.inbox = hl_bytes_of(RETURNS);
    assert_int_equal(admit(f), 0);
    f->visit.inbox = hl_bytes_of("returns");
    assert_int_equal(admit(f), HL_VISIT_NO_INBOX);
    f->visit.inbox = hl_bytes_of(ELSEWHERE); /* another site's */
    assert_int_equal(admit(f), HL_VISIT_NO_INBOX);
    f->visit.inbox = (struct hl_bytes){0};
    assert_int_equal(hl_id_parse(hl_bytes_of(ELSEWHERE), HL_ID_INBOX, &f->visit.inbox_before), 0);
    assert_int_equal(admit(f), 0);
    assert_true(is_inbox(f, RETURNS)); /* its inbox is not there any more */
    f->visit.site = hl_bytes_of("main");
    assert_int_equal(admit(f), 0);
    assert_true(is_inbox(f, ELSEWHERE));
    f->visit.site = hl_bytes_of("Shop");
    assert_int_equal(admit(f), HL_VISIT_NO_SITE);
    f->visit.site = (struct hl_bytes){"shop\0x", 6};
    assert_int_equal(admit(f), HL_VISIT_NO_SITE);
}

static void test_origins(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(admit_from(f, ""), 0);
    assert_int_equal(admit_from(f, "https://shop.example"), 0);
    assert_int_equal(admit_from(f, "https://everywhere.example"), 0);
    assert_int_equal(admit_from(f, "http://shop.example"), HL_VISIT_NO_ORIGIN);
    assert_int_equal(admit_from(f, "https://shop.example.evil.example"), HL_VISIT_NO_ORIGIN);
    assert_int_equal(admit_from(f, "null"), HL_VISIT_NO_ORIGIN);
    f->visit.site = hl_bytes_of("main");
    assert_int_equal(admit_from(f, "https://shop.example"), HL_VISIT_NO_ORIGIN);
    f->link.is_same_host = true;
    assert_int_equal(admit(f), 0);
    assert_true(hl_doors_know_origin(&f->doors, hl_bytes_of("https://shop.example")));
    assert_true(hl_doors_know_origin(&f->doors, hl_bytes_of("https://everywhere.example")));
    assert_false(hl_doors_know_origin(&f->doors, hl_bytes_of("https://other.example")));
}

static int admit_as(struct fixture *f, const char *identity, const char *hash)
{
    f->visit.identity = hl_bytes_of(identity);
    f->visit.identity_hash = hl_bytes_of(hash);
    return admit(f);
}

static void test_identities(void **state)
{
    struct fixture *f = *state;
    char upper[sizeof(proof)];
    for (size_t i = 0; i < sizeof(proof); i++)
        upper[i] = (char)(proof[i] >= 'a' ? proof[i] - 'a' + 'A' : proof[i]);
    assert_int_equal(admit_as(f, "customer-1", proof), 0);
    assert_int_equal(admit_as(f, "customer-1", upper), 0);
    assert_int_equal(admit_as(f, "customer-2", proof), HL_VISIT_NO_IDENTITY);
    assert_int_equal(admit_as(f, "customer-1", ""), HL_VISIT_NO_IDENTITY);
    assert_int_equal(admit_as(f, "customer-1", proof + 2), HL_VISIT_NO_IDENTITY);
    upper[0] = 'g';
    assert_int_equal(admit_as(f, "customer-1", upper), HL_VISIT_NO_IDENTITY);
    f->visit.site = hl_bytes_of("main"); /* has no secret: nobody can prove anything */
    assert_int_equal(admit_as(f, "customer-1", proof), HL_VISIT_NO_IDENTITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sites_and_inboxes, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_origins, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_identities, make_fixture, drop_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
