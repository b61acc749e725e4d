#include "session/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session/hub_fixture.h"

static void say(struct fixture *fixture, struct fixture_visitor *visitor, int seq)
{
    fixture_send(fixture, 0, visitor->link,
                 "{\"t\":\"pub\",\"mid\":\"m%d\",\"seq\":%d,\"body\":{\"text\":\"hi %d\"}}", seq,
                 seq, seq);
}

static struct fixture_link *join_agent(struct fixture *fixture, size_t hub)
{
    struct fixture_link *link = fixture_link_open(fixture, hub);

    fixture_send(fixture, hub, link,
                 "{\"t\":\"hello\",\"v\":1,\"token\":\"" FIXTURE_AGENT_KEY "\"}");
    assert_non_null(fixture_frame(link, "welcome", 0));
    return link;
}

static void test_first_conversation(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    assert_int_equal(fixture_number(fixture_frame(visitor.link, "synced", 0), "o"), 0);
    assert_int_equal(visitor.link->n_messages, 1);
    say(fixture, &visitor, 1);
    json_t *ok = fixture_frame(visitor.link, "pub_ok", 0);
    assert_int_equal(fixture_number(ok, "o"), 1);
    assert_int_equal(fixture_number(ok, "seq"), 1);
    assert_string_equal(fixture_text(ok, "e"), "7");
    assert_string_equal(fixture_text(ok, "dur"), "memory");
    assert_null(fixture_frame(visitor.link, "msg", 0)); /* its own */
}

static void test_agent_and_visitor_talk(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1);
    struct fixture_link *agent = join_agent(fixture, 0);
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"%s\"}", visitor.conversation);
    json_t *msg = fixture_frame(agent, "msg", 0);
    assert_int_equal(fixture_number(msg, "o"), 1);
    assert_string_equal(fixture_text(json_object_get(msg, "from"), "role"), "visitor");
    assert_int_equal(fixture_number(fixture_frame(agent, "synced", 0), "o"), 1);

    fixture_send(fixture, 0, agent,
                 "{\"t\":\"pub\",\"c\":\"%s\",\"mid\":\"n1\",\"kind\":\"note\","
                 "\"body\":{\"text\":\"psst\"}}",
                 visitor.conversation);
    assert_null(fixture_frame(visitor.link, "msg", 0)); /* notes stay among agents */
    fixture_send(fixture, 0, agent,
                 "{\"t\":\"pub\",\"c\":\"%s\",\"mid\":\"a1\",\"body\":{\"text\":\"yes\"}}",
                 visitor.conversation);
    msg = fixture_frame(visitor.link, "msg", 0);
    assert_int_equal(fixture_number(msg, "o"), 3);
    assert_int_equal(fixture_number(msg, "after"), 1);
    say(fixture, &visitor, 2);
    assert_int_equal(fixture_number(fixture_frame(agent, "msg", 1), "o"), 4);
}

static void test_resume_sends_only_what_is_missing(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    for (int i = 1; i <= 3; i++)
        say(fixture, &visitor, i);
    fixture_link_gone(fixture, 0, visitor.link);
    fixture_restart(fixture);
    struct fixture_link *again = fixture_link_open(fixture, 0);
    fixture_send(fixture, 0, again,
                 "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\",\"seq\":4,"
                 "\"pos\":[{\"c\":\"%s\",\"e\":\"7\",\"o\":2}]}",
                 visitor.token, visitor.conversation);
    json_t *welcome = fixture_frame(again, "welcome", 0);
    const json_t *conversation = json_array_get(json_object_get(welcome, "conv"), 0);
    assert_string_equal(fixture_text(conversation, "verdict"), "resumed");
    assert_int_equal(fixture_number(conversation, "head"), 3);
    assert_int_equal(fixture_number(welcome, "seq"), 4);
    assert_int_equal(fixture_count(again, "msg"), 1);
    assert_int_equal(fixture_number(fixture_frame(again, "msg", 0), "o"), 3);
    assert_int_equal(fixture_number(fixture_frame(again, "synced", 0), "o"), 3);
    assert_int_equal(again->n_messages, 1);
}

/* A token is opened by reading the log, so what comes meanwhile waits for the welcome. */
static void test_frames_before_the_welcome_wait_for_it(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    char hello[1300];

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1);
    (void)snprintf(hello, sizeof(hello),
                   "[{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"},{\"t\":\"ping\",\"ts\":1}]",
                   visitor.token);
    struct fixture_link *again = fixture_link_open(fixture, 0);
    hl_hub_link_receive(fixture->hubs[0], &again->link, hl_bytes_of(hello));
    hl_hub_link_receive(fixture->hubs[0], &again->link, hl_bytes_of("{\"t\":\"ping\",\"ts\":2}"));
    hl_hub_link_receive(fixture->hubs[0], &again->link, hl_bytes_of("nonsense"));
    fixture_run(fixture);
    assert_int_equal(fixture_number(fixture_frame(again, "pong", 0), "ts"), 1);
    assert_int_equal(fixture_number(fixture_frame(again, "pong", 1), "ts"), 2);
    assert_string_equal(fixture_text(json_array_get(again->frames, 1), "t"), "welcome");
    assert_non_null(fixture_frame(again, "error", 0)); /* it is no frame: told at once */

    struct fixture_link *hasty = fixture_link_open(fixture, 0);
    (void)snprintf(hello, sizeof(hello), "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"}",
                   visitor.token);
    hl_hub_link_receive(fixture->hubs[0], &hasty->link, hl_bytes_of(hello));
    for (int i = 0; i < 5; i++)
        hl_hub_link_receive(fixture->hubs[0], &hasty->link, hl_bytes_of("{\"t\":\"ping\"}"));
    assert_int_equal(hasty->problem, HL_PROBLEM_PROTOCOL_ABUSE);
}

static void test_agents_follow_and_leave(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture->limits.subscriptions_max = 1;
    fixture_restart(fixture);
    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1);
    struct fixture_link *agent = join_agent(fixture, 0);
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"cnv_%032d\"}", 1);
    json_t *error = fixture_frame(agent, "error", 0);
    assert_string_equal(fixture_text(json_object_get(error, "problem"), "code"),
                        "unknown_conversation");
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"%s\"}", visitor.conversation);
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"cnv_%032d\"}", 2);
    error = fixture_frame(agent, "error", 1);
    assert_string_equal(fixture_text(json_object_get(error, "problem"), "code"), "too_many");
    fixture_send(fixture, 0, agent, "{\"t\":\"unsub\",\"c\":\"%s\"}", visitor.conversation);
    say(fixture, &visitor, 2);
    assert_int_equal(fixture_count(agent, "msg"), 1); /* what came before it left */
    fixture_send(fixture, 0, agent, "{\"t\":\"auth\",\"token\":\"" FIXTURE_AGENT_KEY "\"}");
    assert_non_null(fixture_frame(agent, "auth_ok", 0));
    fixture_send(fixture, 0, agent, "{\"t\":\"auth\",\"token\":\"hlk_other\"}");
    error = fixture_frame(agent, "error", 2);
    assert_string_equal(fixture_text(json_object_get(error, "problem"), "code"), "unauthorized");
}

static void test_new_keys_open_old_tokens_while_they_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    struct hl_token_keys keys = {.n_keys = 2};

    fixture_visit(fixture, 0, &visitor);
    memcpy(keys.keys[0].kid, "k2", 3);
    keys.keys[1] = fixture->keys.keys[0];
    hl_hub_set_keys(fixture->hubs[0], &keys);
    struct fixture_link *again = fixture_link_open(fixture, 0);
    fixture_send(fixture, 0, again, "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"}", visitor.token);
    assert_non_null(fixture_frame(again, "welcome", 0));
    keys.n_keys = 1;
    struct fixture_link *late = fixture_link_open(fixture, 0);
    fixture_send(fixture, 0, late, "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"}", visitor.token);
    assert_int_equal(late->problem, HL_PROBLEM_TOKEN_INVALID);
    hl_hub_set_keys(fixture->hubs[0], &fixture->keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_conversation, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_agent_and_visitor_talk, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_frames_before_the_welcome_wait_for_it, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_agents_follow_and_leave, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_new_keys_open_old_tokens_while_they_are_kept,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_resume_sends_only_what_is_missing, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
