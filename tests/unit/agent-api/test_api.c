#include "agent-api/api.h"

#include "tests/unit/agent-api/api_fixture.h"

static void test_a_key_is_needed(void **state)
{
    struct fixture *f = *state;
    prepare(f, -1, HL_GET, "/v1/agent");
    assert_int_equal(run(f), 401);
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "www-authenticate"),
                        "Bearer realm=\"holdline\"");
    assert_code(f, "unauthorized");
    hl_fake_exchange_set(prepare(f, -1, HL_GET, "/v1/agent"), HL_HEADER_AUTHORIZATION,
                         "Bearer hlk_wrong");
    assert_int_equal(run(f), 401);
    assert_non_null(
        strstr(hl_fake_exchange_header(&f->exchange, "www-authenticate"), "invalid_token"));

    prepare(f, ADMIN, HL_GET, "/v1/agent");
    assert_int_equal(run(f), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"role\":\"admin\""));
    assert_int_equal(hl_directory_let_go(f->directory, &f->people[ADMIN].id), 0);
    prepare(f, ADMIN, HL_GET, "/v1/agent");
    assert_int_equal(run(f), 401);
}

static void test_what_belongs_to_the_api(void **state)
{
    (void)state;
    assert_true(hl_api_owns(hl_bytes_of("/v1/conversations")));
    assert_true(hl_api_owns(hl_bytes_of("/v1/conversations/x/y")));
    assert_true(hl_api_owns(hl_bytes_of("/v1/events")));
    assert_false(hl_api_owns(hl_bytes_of("/v1/eventsx")));
    assert_false(hl_api_owns(hl_bytes_of("/v1/enquiries")));
}

static void test_unknown_paths_and_methods(void **state)
{
    struct fixture *f = *state;
    prepare(f, ANN, HL_GET, "/nothing");
    assert_int_equal(run(f), 404);
    prepare(f, ANN, HL_POST, "/assignee");
    assert_int_equal(run(f), 405);
    assert_non_null(strstr(hl_fake_exchange_header(&f->exchange, "allow"), "PUT"));
}

static void test_a_message_is_put_once(void **state)
{
    struct fixture *f = *state;
    char first[512];
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, "/messages/a%2D1"), "application/json",
                              "{\"text\":\"Good day\",\"if_seen\":1}");
    assert_int_equal(run(f), 201);
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "holdline-position"), "5.2");
    snprintf(first, sizeof(first), "%s", hl_fake_exchange_text(&f->exchange));
    assert_non_null(strstr(first, "\"offset\":2"));
    assert_non_null(strstr(first, "\"client_id\":\"a-1\""));

    hl_fake_clock_advance(&f->clock, 5000);
    write_as_visitor(f, "v2", "{\"text\":\"anybody?\"}");
    hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, "/messages/a-1"), "application/json",
                              "{\"if_seen\":1, \"text\":\"Good day\"}");
    assert_int_equal(run(f), 200); /* a repeat succeeds whatever happened since */
    assert_string_equal(hl_fake_exchange_text(&f->exchange), first);
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "idempotent-replayed"), "true");

    hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, "/messages/a-1"), "application/json",
                              "{\"text\":\"Something else\"}");
    assert_int_equal(run(f), 422);
    assert_code(f, "mid_conflict");
}

static void test_a_stale_writer_gets_what_was_missed(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"one\"}");
    write_as_visitor(f, "v2", "{\"text\":\"two\"}");
    hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, "/messages/a1"), "application/json",
                              "{\"text\":\"late\",\"if_seen\":1}");
    assert_int_equal(run(f), 409);
    json_t *problem = hl_fake_exchange_json(&f->exchange);
    const json_t *missed = json_object_get(problem, "missed");
    assert_string_equal(json_string_value(json_object_get(problem, "code")), "stale");
    assert_int_equal(json_integer_value(json_object_get(problem, "head")), 2);
    assert_int_equal(json_array_size(missed), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(missed, 0), "offset")), 2);
    json_decref(problem);
}

static void test_messages_that_are_refused(void **state)
{
    static const struct {
        const char *path;
        const char *type;
        const char *body;
        int status;
        const char *code;
    } cases[] = {
        {"/messages/a1", "text/plain", "{}", 415, "unsupported_type"},
        {"/messages/a1", "application/json", "{", 400, "not_json"},
        {"/messages/a1", "application/json", "[]", 422, "invalid_field"},
        {"/messages/a1", "application/json", "{}", 422, "invalid_field"},
        {"/messages/a1", "application/json", "{\"text\":\"\"}", 422, "invalid_field"},
        {"/messages/a1", "application/json", "{\"text\":1}", 422, "invalid_field"},
        {"/messages/a1", "application/json", "{\"body\":[]}", 422, "invalid_field"},
        {"/messages/a1", "application/json", "{\"body\":{}}", 422, "invalid_field"},
        {"/messages/a1", "application/json", "{\"body\":{\"text\":\"\"}}", 422, "invalid_field"},
        {"/messages/a1", "application/json", "{\"text\":\"a\",\"kind\":\"note\"}", 422,
         "invalid_field"},
        {"/messages/a1", "application/json", "{\"text\":\"a\",\"visibility\":\"x\"}", 422,
         "invalid_field"},
        {"/messages/a1", "application/json", "{\"text\":\"a\",\"if_seen\":-1}", 422,
         "invalid_field"},
        {"/messages/a%20b", "application/json", "{\"text\":\"a\"}", 422, "invalid_field"},
        {"/messages/a%zz", "application/json", "{\"text\":\"a\"}", 422, "invalid_field"},
        {"/v1/conversations/cnv_1/messages/a", "application/json", "{\"text\":\"a\"}", 404,
         "unknown_conversation"},
        {"/v1/conversations/cnv_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b/messages/a", "application/json",
         "{\"text\":\"a\"}", 404, "unknown_conversation"},
    };
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"one\"}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, cases[i].path), cases[i].type,
                                  cases[i].body);
        assert_int_equal(run(f), cases[i].status);
        assert_code(f, cases[i].code);
    }
}

static void test_an_oversize_message_is_refused(void **state)
{
    struct fixture *f = *state;
    static char body[8192];
    write_as_visitor(f, "v1", "{\"text\":\"one\"}");
    snprintf(body, sizeof(body), "{\"text\":\"%05000d\"}", 0);
    hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, "/messages/a1"), "application/json", body);
    assert_int_equal(run(f), 413);
    assert_code(f, "too_large");
}

static void test_a_transcript_by_offset(void **state)
{
    struct fixture *f = *state;
    char mid[8];
    for (int i = 1; i <= 5; i++) {
        snprintf(mid, sizeof(mid), "v%d", i);
        write_as_visitor(f, mid, "{\"text\":\"x\"}");
    }
    prepare(f, ANN, HL_GET, "/messages?after=1&limit=2");
    assert_int_equal(run(f), 200);
    json_t *page = hl_fake_exchange_json(&f->exchange);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 2);
    assert_int_equal(json_integer_value(json_object_get(page, "next_after")), 3);
    assert_true(json_is_true(json_object_get(page, "has_more")));
    assert_int_equal(json_integer_value(json_object_get(page, "head")), 5);
    json_decref(page);
    prepare(f, ANN, HL_GET, "/messages?before=3&limit=10");
    assert_int_equal(run(f), 200);
    page = hl_fake_exchange_json(&f->exchange);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 2);
    assert_true(json_is_false(json_object_get(page, "has_more")));
    json_decref(page);
    prepare(f, ANN, HL_GET, "/messages?after=1&before=3");
    assert_int_equal(run(f), 422);
    prepare(f, ANN, HL_GET, "/messages?limit=201");
    assert_int_equal(run(f), 422);
    prepare(f, ANN, HL_GET, "/v1/conversations/cnv_00000000000000000000000000000009/messages");
    assert_int_equal(run(f), 404);
}

static void test_positions(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"x\"}");
    hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, "/positions/me"), "application/json",
                              "{\"read\":1}");
    assert_int_equal(run(f), 200);
    prepare(f, ANN, HL_GET, "/positions");
    assert_int_equal(run(f), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"read\":1"));
    hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, "/positions/me"), "application/json",
                              "{\"read\":2}");
    assert_int_equal(run(f), 422);
    hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, "/positions/me"), "application/json", "{}");
    assert_int_equal(run(f), 422);
}

static void test_a_request_whose_connection_dies(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"x\"}");
    prepare(f, ANN, HL_GET, "/v1/agent"); /* the first use of a key is recorded */
    assert_int_equal(run(f), 200);
    hl_fake_exchange_set_body(prepare(f, ANN, HL_PUT, "/messages/a1"), "application/json",
                              "{\"text\":\"stored all the same\"}");
    hl_api_handle(f->api, &f->exchange.exchange);
    assert_true(hl_fake_loop_run_one(&f->loop)); /* the conversation is found, the log is asked */
    hl_fake_exchange_drop(&f->exchange);
    hl_fake_loop_run_all(&f->loop);
    prepare(f, ANN, HL_GET, "/messages?after=1");
    assert_int_equal(run(f), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "stored all the same"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, drop_fixture)
    const struct CMUnitTest tests[] = {
        TEST(test_a_key_is_needed),
        TEST(test_what_belongs_to_the_api),
        TEST(test_unknown_paths_and_methods),
        TEST(test_a_message_is_put_once),
        TEST(test_a_stale_writer_gets_what_was_missed),
        TEST(test_messages_that_are_refused),
        TEST(test_an_oversize_message_is_refused),
        TEST(test_a_transcript_by_offset),
        TEST(test_positions),
        TEST(test_a_request_whose_connection_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
