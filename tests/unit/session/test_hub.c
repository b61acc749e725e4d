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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_conversation, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_agent_and_visitor_talk, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_resume_sends_only_what_is_missing, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
