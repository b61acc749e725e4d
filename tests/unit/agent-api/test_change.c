#include "agent-api/conversation/change.h"

#include "tests/unit/agent-api/api_fixture.h"

static struct hl_fake_exchange *prepare_if(struct fixture *f, int who, enum hl_method method,
                                           const char *below, enum hl_header header,
                                           const char *value)
{
    struct hl_fake_exchange *exchange = prepare(f, who, method, below);
    hl_fake_exchange_set(exchange, header, value);
    return exchange;
}

static int claim(struct fixture *f, int who)
{
    prepare_if(f, who, HL_PUT, "/assignee", HL_HEADER_IF_NONE_MATCH, "*");
    return run(f);
}

static void test_one_of_two_claims_wins(void **state)
{
    struct fixture *f = *state;
    char ann[HL_ID_TEXT_SIZE];
    struct hl_fake_exchange anns;
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    hl_id_format(&f->people[ANN].id, HL_ID_AGENT, ann);

    hl_fake_exchange_init(&anns, HL_PUT, f->path);
    snprintf(anns.target, sizeof(anns.target), "%s/assignee", f->path);
    anns.exchange.path = hl_bytes_of(anns.target);
    hl_fake_exchange_set(&anns, HL_HEADER_AUTHORIZATION, f->bearer[ANN]);
    hl_fake_exchange_set(&anns, HL_HEADER_IF_NONE_MATCH, "*");
    hl_api_handle(f->api, &anns.exchange); /* both are under way */
    assert_int_equal(claim(f, BEN), 412);
    assert_true(anns.is_answered);
    assert_int_equal(anns.status, 200);
    assert_string_equal(hl_fake_exchange_header(&anns, "etag"), "\"r2\"");
    assert_string_equal(hl_fake_exchange_header(&anns, "holdline-position"), "5.2");
    hl_fake_exchange_fini(&anns);

    json_t *problem = hl_fake_exchange_json(&f->exchange);
    assert_string_equal(json_string_value(json_object_get(problem, "code")), "precondition_failed");
    assert_string_equal(json_string_value(json_object_get(problem, "assignee")), ann);
    assert_string_equal(json_string_value(json_object_get(problem, "assignee_name")), "Ann");
    assert_string_equal(json_string_value(json_object_get(problem, "etag")), "\"r2\"");
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "etag"), "\"r2\"");
    json_decref(problem);
    assert_int_equal(claim(f, ANN), 200); /* the winner may ask again */
}

static void test_conditions_are_required_and_read(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    prepare(f, ANN, HL_PUT, "/assignee");
    assert_int_equal(run(f), 428);
    assert_code(f, "precondition_required");
    static const char *const wrong[] = {"r1",      "\"1\"",   "\"r\"", "\"r1\", \"r2\"",
                                        "\"r-1\"", "W/\"r1\""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        prepare_if(f, ANN, HL_PUT, "/assignee", HL_HEADER_IF_MATCH, wrong[i]);
        assert_int_equal(run(f), 400);
    }
    prepare_if(f, ANN, HL_PUT, "/assignee", HL_HEADER_IF_NONE_MATCH, "\"r1\"");
    assert_int_equal(run(f), 400);
}

static void test_transfer_needs_the_current_state(void **state)
{
    struct fixture *f = *state;
    char body[128];
    char ben[HL_ID_TEXT_SIZE];
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    assert_int_equal(claim(f, ANN), 200);
    hl_id_format(&f->people[BEN].id, HL_ID_AGENT, ben);
    snprintf(body, sizeof(body), "{\"agent\":\"%s\"}", ben);
    prepare_if(f, ANN, HL_PUT, "/assignee", HL_HEADER_IF_MATCH, "\"r1\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json", body);
    assert_int_equal(run(f), 412);
    for (int i = 0; i < 2; i++) { /* the repeat of a request whose answer was lost */
        prepare_if(f, ANN, HL_PUT, "/assignee", HL_HEADER_IF_MATCH, "\"r2\"");
        hl_fake_exchange_set_body(&f->exchange, "application/json", body);
        assert_int_equal(run(f), 200);
        assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), ben));
    }
    prepare_if(f, ANN, HL_PUT, "/assignee", HL_HEADER_IF_MATCH, "\"r3\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json", "{\"agent\":\"agt_x\"}");
    assert_int_equal(run(f), 422);
    /* an integration is nobody to give a customer to */
    hl_id_format(&f->people[ROBOT].id, HL_ID_AGENT, ben);
    snprintf(body, sizeof(body), "{\"agent\":\"%s\"}", ben);
    prepare_if(f, ANN, HL_PUT, "/assignee", HL_HEADER_IF_MATCH, "\"r3\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json", body);
    assert_int_equal(run(f), 422);
}

static void test_release_is_for_the_holder_or_an_admin(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    assert_int_equal(claim(f, ANN), 200);
    prepare(f, BEN, HL_DELETE, "/assignee");
    assert_int_equal(run(f), 403);
    prepare(f, ADMIN, HL_DELETE, "/assignee");
    assert_int_equal(run(f), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"assignee\":null"));
    prepare(f, ANN, HL_DELETE, "/assignee");
    assert_int_equal(run(f), 200); /* nobody has it: nothing to do */
    assert_int_equal(claim(f, BEN), 200);
    prepare(f, BEN, HL_DELETE, "/assignee");
    assert_int_equal(run(f), 200);
}

static void test_close_and_reopen(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    for (int i = 0; i < 2; i++) {
        prepare_if(f, ANN, HL_PATCH, "", HL_HEADER_IF_MATCH, "\"r1\"");
        hl_fake_exchange_set_body(&f->exchange, "application/json", "{\"status\":\"closed\"}");
        assert_int_equal(run(f), 200);
        assert_string_equal(hl_fake_exchange_header(&f->exchange, "etag"), "\"r2\"");
    }
    prepare_if(f, ANN, HL_PATCH, "", HL_HEADER_IF_MATCH, "\"r2\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json", "{\"status\":\"closed\"}");
    assert_int_equal(run(f), 200); /* it is closed: no second entry */
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "etag"), "\"r2\"");
    prepare_if(f, BEN, HL_PATCH, "", HL_HEADER_IF_MATCH, "\"r1\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json", "{\"status\":\"open\"}");
    assert_int_equal(run(f), 412);
    prepare_if(f, BEN, HL_PATCH, "", HL_HEADER_IF_MATCH, "\"r2\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json", "{\"status\":\"open\"}");
    assert_int_equal(run(f), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"status\":\"open\""));
    prepare_if(f, BEN, HL_PATCH, "", HL_HEADER_IF_MATCH, "\"r3\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json", "{\"status\":\"gone\"}");
    assert_int_equal(run(f), 422);
}

static void test_integrations_do_not_claim(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    assert_int_equal(claim(f, ROBOT), 403);
    assert_code(f, "forbidden");
}

static void test_unknown_conversations(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(claim(f, ANN), 404);
    prepare(f, ANN, HL_DELETE, "/assignee");
    assert_int_equal(run(f), 404);
    prepare(f, ANN, HL_GET, "");
    assert_int_equal(run(f), 404);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, drop_fixture)
    const struct CMUnitTest tests[] = {
        TEST(test_one_of_two_claims_wins),
        TEST(test_conditions_are_required_and_read),
        TEST(test_transfer_needs_the_current_state),
        TEST(test_release_is_for_the_holder_or_an_admin),
        TEST(test_close_and_reopen),
        TEST(test_integrations_do_not_claim),
        TEST(test_unknown_conversations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
