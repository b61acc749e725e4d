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

static int patch(struct fixture *f, const char *etag, const char *body)
{
    prepare_if(f, ANN, HL_PATCH, "", HL_HEADER_IF_MATCH, etag);
    hl_fake_exchange_set_body(&f->exchange, "application/json", body);
    return run(f);
}

static void test_tags_and_fields_are_one_entry(void **state)
{
    struct fixture *f = *state;
    static const char body[] =
        "{\"tags\":[\"vip\",\"b\"],\"custom_fields\":{\"order\":17,\"old\":null}}";
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    for (int i = 0; i < 2; i++) { /* a repeat is the same entry */
        assert_int_equal(patch(f, "\"r1\"", body), 200);
        assert_string_equal(hl_fake_exchange_header(&f->exchange, "etag"), "\"r2\"");
    }
    assert_int_equal(patch(f, "\"r1\"", "{\"tags\":[]}"), 412); /* other content, old state */
    assert_int_equal(patch(f, "\"r2\"", "{\"status\":\"closed\",\"tags\":[\"done\"]}"), 200);
    prepare(f, ANN, HL_GET, "/messages?after=1");
    assert_int_equal(run(f), 200);
    const char *text = hl_fake_exchange_text(&f->exchange);
    assert_non_null(strstr(text, "\"kind\":\"updated\",\"visibility\":\"internal\",\"body\":"
                                 "{\"custom_fields\":{\"old\":null,\"order\":17},"
                                 "\"tags\":[\"vip\",\"b\"]}"));
    assert_non_null(strstr(text, "\"kind\":\"closed\",\"visibility\":\"public\",\"body\":"
                                 "{\"tags\":[\"done\"]}"));
}

static void test_patches_that_are_not_good(void **state)
{
    static const char *const wrong[] = {
        "{}",
        "{\"tags\":\"vip\"}",
        "{\"tags\":[\"a\",\"a\"]}",
        "{\"tags\":[\"\"]}",
        "{\"tags\":[\"a\\nb\"]}",
        "{\"tags\":[7]}",
        "{\"tags\":[\"0123456789012345678901234567890123456789012345678901234567890123456\"]}",
        "{\"tags\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\","
        "\"14\",\"15\",\"16\",\"17\",\"18\",\"19\",\"20\",\"21\",\"22\",\"23\",\"24\",\"25\","
        "\"26\",\"27\",\"28\",\"29\",\"30\",\"31\",\"32\",\"33\"]}",
        "{\"custom_fields\":[]}",
        "{\"custom_fields\":{\"a\":{}}}",
        "{\"custom_fields\":{\"\":1}}",
        "{\"status\":\"gone\",\"tags\":[]}",
    };
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(patch(f, "\"r1\"", wrong[i]), 422);
}

static void test_a_move_to_another_inbox(void **state)
{
    struct fixture *f = *state;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(f->directory);
    const struct hl_inbox *inbox = hl_snapshot_default_inbox(snapshot, "shop");
    char body[128];
    assert_non_null(inbox);
    snprintf(body, sizeof(body), "{\"inbox\":\"%s\"}", inbox->record.id);
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    assert_int_equal(claim(f, ANN), 200);
    prepare_if(f, BEN, HL_PUT, "/assignee", HL_HEADER_IF_MATCH, "\"r2\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json", body);
    assert_int_equal(run(f), 403); /* it is Ann's */
    prepare_if(f, ANN, HL_PUT, "/assignee", HL_HEADER_IF_MATCH, "\"r2\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json", body);
    assert_int_equal(run(f), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"assignee\":null"));
    prepare(f, ANN, HL_GET, "/messages?after=2");
    assert_int_equal(run(f), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), inbox->record.id));
    hl_directory_snapshot_unref(snapshot);
    prepare_if(f, ANN, HL_PUT, "/assignee", HL_HEADER_IF_MATCH, "\"r3\"");
    hl_fake_exchange_set_body(&f->exchange, "application/json",
                              "{\"inbox\":\"inb_00000000000000000000000000000000\"}");
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
        TEST(test_tags_and_fields_are_one_entry),
        TEST(test_patches_that_are_not_good),
        TEST(test_a_move_to_another_inbox),
        TEST(test_integrations_do_not_claim),
        TEST(test_unknown_conversations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
