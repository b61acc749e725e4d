#include "gateway/enquiry/enquiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/enquiry/reference.h"
#include "store/log_memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_exchange.h"
#include "tests/support/fake_loop.h"
#include "tests/support/temp_directory.h"

static const char good[] = "{\"contact\":{\"name\":\"Jo\",\"email\":\"jo@example.com\"},"
                           "\"message\":{\"text\":\"Do you ship?\"},\"country\":\"DE\"}";

struct fixture {
    struct hl_fake_clock clock;
    struct hl_fake_loop loop;
    struct hl_log *log;
    uint8_t key[HL_SECRET_SIZE];
    struct hl_temp_directory directory;
    struct hl_doors doors;
    struct hl_enquiries enquiries;
    struct hl_fake_exchange exchange; /* of the last call */
};

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    hl_fake_clock_init(&f->clock, INT64_C(1700000000000));
    hl_fake_loop_init(&f->loop);
    struct hl_log_memory_config config = {&f->clock.clock, 5, 100};
    assert_int_equal(hl_log_memory_open(&config, &f->log), 0);
    memset(f->key, 9, sizeof(f->key));
    hl_temp_directory_init(&f->directory, &f->clock.clock, "shop");
    f->doors = (struct hl_doors){.directory = f->directory.directory, .site = "shop"};
    f->enquiries = (struct hl_enquiries){.log = f->log,
                                         .loop = &f->loop.loop,
                                         .clock = &f->clock.clock,
                                         .doors = &f->doors,
                                         .public_url = "https://chat.example",
                                         .reference_key = f->key,
                                         .body_bytes_max = 4096,
                                         .expected_answer_minutes = 60};
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;
    hl_log_close(f->log);
    hl_temp_directory_fini(&f->directory);
    hl_fake_loop_fini(&f->loop);
    hl_fake_exchange_fini(&f->exchange);
    free(f);
    return 0;
}

static struct hl_fake_exchange *prepare(struct fixture *f, const char *type, const char *key,
                                        const char *body)
{
    hl_fake_exchange_fini(&f->exchange);
    hl_fake_exchange_init(&f->exchange, HL_POST, "/v1/enquiries");
    hl_fake_exchange_set_body(&f->exchange, type, body);
    if (key != NULL)
        hl_fake_exchange_set(&f->exchange, HL_HEADER_IDEMPOTENCY_KEY, key);
    return &f->exchange;
}

static int run(struct fixture *f)
{
    struct hl_route_params params = {0};
    hl_enquiry_post(&f->enquiries, &f->exchange.exchange, &params);
    hl_fake_loop_run_all(&f->loop);
    assert_true(f->exchange.is_answered);
    return f->exchange.status;
}

static int post(struct fixture *f, const char *key, const char *body)
{
    prepare(f, "application/json", key, body);
    return run(f);
}

static void copy_member(struct fixture *f, const char *name, char *out, size_t out_size)
{
    json_t *answer = hl_fake_exchange_json(&f->exchange);
    const char *value = json_string_value(json_object_get(answer, name));
    snprintf(out, out_size, "%s", value != NULL ? value : "(none)");
    json_decref(answer);
}

static void assert_code(struct fixture *f, const char *code)
{
    char text[64];
    copy_member(f, "code", text, sizeof(text));
    assert_string_equal(text, code);
}

static void test_accepted_once_however_often_it_comes(void **state)
{
    struct fixture *f = *state;
    char first[8][80];
    static const char *const same[] = {"reference", "conversation", "expected_by", "status_url",
                                       "durability"};
    char text[128];
    assert_int_equal(post(f, "\"k 1\"", good), 201);
    for (size_t i = 0; i < 5; i++)
        copy_member(f, same[i], first[i], sizeof(first[i]));
    assert_int_equal(strlen(first[0]), 17);
    assert_memory_equal(first[0], "HL-", 3);
    assert_string_equal(first[2], "2023-11-14T23:13:20.000Z");
    snprintf(text, sizeof(text), "https://chat.example/v1/enquiries/%s", first[0]);
    assert_string_equal(first[3], text);
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "location"), text);
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "holdline-position"), "5.1");

    hl_fake_clock_advance(&f->clock, 86400000);
    /* the same content in another spelling, and the site said aloud */
    assert_int_equal(
        post(f, "\"k 1\"",
             "{\"site\":\"shop\", \"country\":\"DE\", \"message\":{\"text\":\"Do you ship?\"},"
             "\"contact\":{\"email\":\"jo@example.com\",\"name\":\"Jo\"}}"),
        200);
    for (size_t i = 0; i < 5; i++) {
        copy_member(f, same[i], text, sizeof(text));
        assert_string_equal(text, first[i]);
    }
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "idempotent-replayed"), "true");
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"duplicate\":true"));
    assert_int_equal(f->enquiries.n_accepted, 1);
    assert_int_equal(f->enquiries.n_repeated, 1);

    assert_int_equal(post(f, "\"k 1\"", "{\"contact\":{},\"message\":{\"text\":\"Other\"}}"), 422);
    assert_code(f, "mid_conflict");
    assert_int_equal(post(f, "k2", good), 201);
}

static void test_a_key_is_required(void **state)
{
    struct fixture *f = *state;
    static char long_key[300];
    memset(long_key, 'k', sizeof(long_key) - 1);
    assert_int_equal(post(f, NULL, good), 400);
    assert_code(f, "idempotency_required");
    static const char *const wrong[] = {"\"\"",     "a b",     "\"a",      "a\"b",
                                        "\"a\"b\"", "\"a\\\"", "k\xc3\xa4"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(post(f, wrong[i], good), 400);
        assert_code(f, "bad_request");
    }
    assert_int_equal(post(f, long_key, good), 400);
    assert_int_equal(post(f, "\"a\\\"b\\\\\"", good), 201);
}

static void test_what_an_enquiry_may_say(void **state)
{
    static const struct {
        const char *body;
        const char *pointer;
    } cases[] = {
        {"{\"message\":{\"text\":\"a\"}}", "/contact"},
        {"{\"contact\":[],\"message\":{\"text\":\"a\"}}", "/contact"},
        {"{\"contact\":{\"fax\":\"1\"},\"message\":{\"text\":\"a\"}}", "/contact/fax"},
        {"{\"contact\":{},\"message\":{\"text\":\"a\"},\"a/~b\":1}", "/a~1~0b"},
        {"{\"contact\":{\"name\":\"\"},\"message\":{\"text\":\"a\"}}", "/contact/name"},
        {"{\"contact\":{\"name\":\"a\\nb\"},\"message\":{\"text\":\"a\"}}", "/contact/name"},
        {"{\"contact\":{\"email\":\"nobody\"},\"message\":{\"text\":\"a\"}}", "/contact/email"},
        {"{\"contact\":{\"email\":\"a@b@c\"},\"message\":{\"text\":\"a\"}}", "/contact/email"},
        {"{\"contact\":{\"phone\":\"call me\"},\"message\":{\"text\":\"a\"}}", "/contact/phone"},
        {"{\"contact\":{}}", "/message"},
        {"{\"contact\":{},\"message\":{\"text\":\"\"}}", "/message/text"},
        {"{\"contact\":{},\"message\":{\"text\":\"a\"},\"fields\":{\"a\":{}}}", "/fields"},
        {"{\"contact\":{},\"message\":{\"text\":\"a\"},\"consent\":true}", "/consent"},
        {"{\"contact\":{},\"message\":{\"text\":\"a\"},\"country\":\"DEU\"}", "/country"},
        {"{\"contact\":{},\"message\":{\"text\":\"a\"},\"site\":7}", "/site"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(post(f, "k", cases[i].body), 422);
        json_t *answer = hl_fake_exchange_json(&f->exchange);
        const json_t *error = json_array_get(json_object_get(answer, "errors"), 0);
        assert_string_equal(json_string_value(json_object_get(error, "pointer")), cases[i].pointer);
        json_decref(answer);
    }
    assert_int_equal(post(f, "k", "{\"contact\":{},\"message\":{\"text\":\"a\"},\"extra\":1}"),
                     422);
    assert_int_equal(
        post(f, "k", "{\"contact\":{},\"message\":{\"text\":\"a\"},\"site\":\"other\"}"), 404);
    assert_code(f, "unknown_site");
    assert_int_equal(post(f, "k", "{"), 400);
    assert_int_equal(post(f, "k", "[]"), 422);
    prepare(f, "text/plain", "k", good);
    assert_int_equal(run(f), 415);
    assert_int_equal(f->enquiries.n_accepted, 0);
}

static void test_a_form_without_script(void **state)
{
    struct fixture *f = *state;
    char reference[64];
    static const char form[] = "name=Jo+Doe&email=jo%40example.com&phone=&message=Hi%21&"
                               "budget=1000+%E2%82%AC&consent=on&idempotency_key=f1";
    prepare(f, "application/x-www-form-urlencoded", NULL, form);
    assert_int_equal(run(f), 201);
    assert_string_equal(f->exchange.type, "application/json");
    copy_member(f, "reference", reference, sizeof(reference));

    prepare(f, "application/x-www-form-urlencoded; charset=utf-8", NULL, form);
    hl_fake_exchange_set(&f->exchange, HL_HEADER_ACCEPT, "text/html,application/xhtml+xml,*/*");
    assert_int_equal(run(f), 200);
    assert_string_equal(f->exchange.type, "text/html; charset=utf-8");
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), reference));

    /* the same enquiry as JSON */
    assert_int_equal(post(f, "f1",
                          "{\"contact\":{\"name\":\"Jo Doe\",\"email\":\"jo@example.com\"},"
                          "\"message\":{\"text\":\"Hi!\"},\"fields\":{\"budget\":\"1000 \xe2\x82"
                          "\xac\"},\"consent\":{\"consent\":\"on\"}}"),
                     200);
}

static void test_a_form_without_a_key_is_known_by_what_it_says(void **state)
{
    struct fixture *f = *state;
    char first[64];
    char second[64];
    prepare(f, "application/x-www-form-urlencoded", NULL, "message=Hi&name=Jo");
    assert_int_equal(run(f), 201);
    copy_member(f, "reference", first, sizeof(first));
    prepare(f, "application/x-www-form-urlencoded", NULL, "name=Jo&message=Hi");
    assert_int_equal(run(f), 200);
    copy_member(f, "reference", second, sizeof(second));
    assert_string_equal(second, first);
    prepare(f, "application/x-www-form-urlencoded", NULL, "name=Jo&message=Hi%21");
    assert_int_equal(run(f), 201);
    hl_fake_clock_advance(&f->clock, 86400000);
    prepare(f, "application/x-www-form-urlencoded", NULL, "message=Hi&name=Jo");
    assert_int_equal(run(f), 201);
}

static void test_a_form_that_is_refused_tells_people(void **state)
{
    struct fixture *f = *state;
    prepare(f, "application/x-www-form-urlencoded", NULL,
            "message=Hi&email=%3Cscript%3E&idempotency_key=f1");
    hl_fake_exchange_set(&f->exchange, HL_HEADER_ACCEPT, "text/html");
    assert_int_equal(run(f), 422);
    assert_string_equal(f->exchange.type, "text/html; charset=utf-8");
    assert_null(strstr(hl_fake_exchange_text(&f->exchange), "<script>"));
    static const char *const malformed[] = {"message=%ZZ", "message=%FF", "a=1&a=2", "message=%00"};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        prepare(f, "application/x-www-form-urlencoded", "k", malformed[i]);
        assert_int_equal(run(f), 400);
    }
}

static int get_status(struct fixture *f, const char *reference)
{
    struct hl_route_params params = {.values = {hl_bytes_of(reference)}};
    hl_fake_exchange_fini(&f->exchange);
    hl_fake_exchange_init(&f->exchange, HL_GET, "/v1/enquiries/x");
    hl_enquiry_get(&f->enquiries, &f->exchange.exchange, &params);
    hl_fake_loop_run_all(&f->loop);
    assert_true(f->exchange.is_answered);
    return f->exchange.status;
}

static void test_status_by_reference(void **state)
{
    struct fixture *f = *state;
    char reference[64];
    assert_int_equal(post(f, "k1", good), 201);
    copy_member(f, "reference", reference, sizeof(reference));
    assert_int_equal(get_status(f, reference), 200);
    const char *text = hl_fake_exchange_text(&f->exchange);
    assert_non_null(strstr(text, "\"status\":\"accepted\""));
    assert_null(strstr(text, "jo@example.com"));
    assert_null(strstr(text, "Do you ship"));
    assert_null(strstr(text, "cnv_"));
    assert_int_equal(get_status(f, "HL-0000-0000-0000"), 404);
    assert_int_equal(get_status(f, "nonsense"), 404);
}

static void test_references_as_people_type_them(void **state)
{
    char reference[HL_REFERENCE_TEXT_SIZE];
    (void)state;
    assert_true(hl_reference_parse(hl_bytes_of("hl-o123-abil-wxyz"), reference));
    assert_string_equal(reference, "HL-0123-AB11-WXYZ");
    assert_true(hl_reference_parse(hl_bytes_of("HL0123AB11WXYZ"), reference));
    assert_false(hl_reference_parse(hl_bytes_of("HL-0123-AB11-WXY"), reference));
    assert_false(hl_reference_parse(hl_bytes_of("HL-0123-AB11-WXYZ0"), reference));
    assert_false(hl_reference_parse(hl_bytes_of("HL-0123-AB11-WXYU"), reference));
    assert_false(hl_reference_parse(hl_bytes_of(""), reference));
}

static void test_names_depend_on_all_that_names(void **state)
{
    struct fixture *f = *state;
    struct hl_enquiry_names a;
    struct hl_enquiry_names b;
    uint8_t other[HL_SECRET_SIZE] = {1};
    hl_enquiry_names(f->key, hl_bytes_of("s"), hl_bytes_of("k"), &a);
    hl_enquiry_names(f->key, hl_bytes_of("s"), hl_bytes_of("k"), &b);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_true(hl_mid_is_valid(hl_bytes_of(a.mid)));
    hl_enquiry_names(f->key, hl_bytes_of("s"), hl_bytes_of("l"), &b);
    assert_string_not_equal(a.reference, b.reference);
    hl_enquiry_names(other, hl_bytes_of("s"), hl_bytes_of("k"), &b);
    assert_string_not_equal(a.reference, b.reference);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, drop_fixture)
    const struct CMUnitTest tests[] = {
        TEST(test_accepted_once_however_often_it_comes),
        TEST(test_a_key_is_required),
        TEST(test_what_an_enquiry_may_say),
        TEST(test_a_form_without_script),
        TEST(test_a_form_without_a_key_is_known_by_what_it_says),
        TEST(test_a_form_that_is_refused_tells_people),
        TEST(test_status_by_reference),
        TEST(test_references_as_people_type_them),
        TEST(test_names_depend_on_all_that_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
