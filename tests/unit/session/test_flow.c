/* Cursors, credit, slow and stalled readers, gaps and resets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session/hub_fixture.h"

static struct fixture_link *join_agent(struct fixture *fixture, const char *conversation, int after)
{
    struct fixture_link *agent = fixture_link_open(fixture, 0);

    fixture_send(fixture, 0, agent,
                 "{\"t\":\"hello\",\"v\":1,\"token\":\"" FIXTURE_AGENT_KEY "\"}");
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"%s\",\"after\":%d}", conversation,
                 after);
    return agent;
}

static void say(struct fixture *fixture, struct fixture_visitor *visitor, int from, int to)
{
    for (int i = from; i <= to; i++)
        fixture_send(fixture, 0, visitor->link,
                     "{\"t\":\"pub\",\"mid\":\"m%d\",\"body\":{\"text\":\"%d\"}}", i, i);
}

static void ack(struct fixture *fixture, struct fixture_link *link, const char *conversation,
                int offset)
{
    fixture_send(fixture, 0, link, "{\"t\":\"ack\",\"c\":\"%s\",\"o\":%d}", conversation, offset);
}

/* The msg frames of the link are exactly the offsets from … to, in order. */
static void assert_offsets(const struct fixture_link *link, int from, int to)
{
    size_t n_messages = fixture_count(link, "msg");

    assert_int_equal(n_messages, to - from + 1);
    for (size_t i = 0; i < n_messages; i++)
        assert_int_equal(fixture_number(fixture_frame(link, "msg", i), "o"), from + (int)i);
}

static int no_rate_setup(void **state)
{
    int r = fixture_setup(state);
    struct fixture *fixture = *state;

    fixture->limits.pubs_per_s = 0;
    fixture->limits.credit_entries = 20;
    fixture->limits.page_entries = 8;
    fixture_restart(fixture);
    return r;
}

static void test_credit_paces_a_replay(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 100);
    struct fixture_link *agent = join_agent(fixture, visitor.conversation, 0);
    for (int acked = 0; acked < 80; acked += 20) {
        assert_offsets(agent, 1, acked + 20);
        assert_null(fixture_frame(agent, "synced", 0));
        ack(fixture, agent, visitor.conversation, acked + 20);
    }
    assert_offsets(agent, 1, 100);
    assert_int_equal(fixture_number(fixture_frame(agent, "synced", 0), "o"), 100);
}

static void test_credit_frame_narrows_the_window(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    struct fixture_link *agent = fixture_link_open(fixture, 0);

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 10);
    fixture_send(fixture, 0, agent,
                 "[{\"t\":\"hello\",\"v\":1,\"token\":\"" FIXTURE_AGENT_KEY "\"},"
                 "{\"t\":\"credit\",\"n\":3},{\"t\":\"sub\",\"c\":\"%s\"}]",
                 visitor.conversation);
    assert_offsets(agent, 1, 3);
    ack(fixture, agent, visitor.conversation, 2);
    assert_offsets(agent, 1, 5);
    fixture_send(fixture, 0, agent, "{\"t\":\"credit\",\"n\":20}");
    assert_offsets(agent, 1, 10);
}

static void test_blocked_link_gets_nothing_and_catches_up(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 1);
    struct fixture_link *agent = join_agent(fixture, visitor.conversation, 0);
    agent->is_blocked = true;
    say(fixture, &visitor, 2, 15);
    assert_offsets(agent, 1, 1);
    agent->is_blocked = false;
    hl_hub_link_writable(fixture->hubs[0], &agent->link);
    fixture_run(fixture);
    assert_offsets(agent, 1, 15);
    say(fixture, &visitor, 16, 17); /* live again */
    assert_offsets(agent, 1, 17);
}

static void test_stalled_reader_is_ended(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 30);
    struct fixture_link *agent = join_agent(fixture, visitor.conversation, 0);
    for (int i = 0; i < 29; i++) {
        fixture_pass(fixture, 1000);
        fixture_send(fixture, 0, agent, "{\"t\":\"pong\"}"); /* alive, but acknowledges nothing */
        fixture_send(fixture, 0, visitor.link, "{\"t\":\"pong\"}");
    }
    assert_false(agent->is_closed);
    fixture_pass(fixture, 1500);
    assert_true(agent->is_closed);
    assert_int_equal(agent->problem, HL_PROBLEM_SLOW_CONSUMER);
    assert_false(visitor.link->is_closed);
}

static void test_unacknowledged_but_nothing_waits(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 5);
    struct fixture_link *agent = join_agent(fixture, visitor.conversation, 0);
    for (int i = 0; i < 120; i++) {
        fixture_pass(fixture, 1000);
        fixture_send(fixture, 0, agent, "{\"t\":\"pong\"}");
        fixture_send(fixture, 0, visitor.link, "{\"t\":\"pong\"}");
    }
    assert_false(agent->is_closed);
}

static void test_hist_sends_again(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 10);
    struct fixture_link *agent = join_agent(fixture, visitor.conversation, 6);
    assert_offsets(agent, 7, 10);
    fixture_forget_frames(agent);
    fixture_send(fixture, 0, agent, "{\"t\":\"hist\",\"c\":\"%s\",\"after\":2}",
                 visitor.conversation);
    assert_offsets(agent, 3, 10);
    assert_int_equal(fixture_number(fixture_frame(agent, "synced", 0), "o"), 10);
    say(fixture, &visitor, 11, 11);
    assert_offsets(agent, 3, 11);
}

static void trim(struct fixture *fixture, const char *conversation, uint64_t floor)
{
    struct hl_id id;

    assert_int_equal(hl_id_parse(hl_bytes_of(conversation), HL_ID_CONVERSATION, &id), 0);
    hl_log_memory_trim(fixture->log, &id, floor);
}

static struct fixture_link *come_back(struct fixture *fixture, struct fixture_visitor *visitor,
                                      const char *epoch, int offset)
{
    struct fixture_link *link = fixture_link_open(fixture, 0);

    fixture_send(fixture, 0, link,
                 "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\","
                 "\"pos\":[{\"c\":\"%s\",\"e\":\"%s\",\"o\":%d}]}",
                 visitor->token, visitor->conversation, epoch, offset);
    return link;
}

static const char *verdict_of(const struct fixture_link *link)
{
    const json_t *conversations = json_object_get(fixture_frame(link, "welcome", 0), "conv");

    return fixture_text(json_array_get(conversations, 0), "verdict");
}

static void test_trimmed_entries_are_a_gap(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 10);
    trim(fixture, visitor.conversation, 6);
    struct fixture_link *link = come_back(fixture, &visitor, "7", 3);
    assert_string_equal(verdict_of(link), "gap");
    json_t *gap = fixture_frame(link, "gap", 0);
    assert_int_equal(fixture_number(gap, "from"), 4);
    assert_int_equal(fixture_number(gap, "to"), 6);
    assert_int_equal(fixture_number(gap, "next"), 7);
    assert_offsets(link, 7, 10);
    link = come_back(fixture, &visitor, "7", 6);
    assert_string_equal(verdict_of(link), "resumed");
    assert_offsets(link, 7, 10);
}

static void test_other_epoch_or_ahead_is_a_reset(void **state)
{
    static const struct {
        const char *epoch;
        int offset;
    } cases[] = {{"6", 3}, {"7", 11}, {"what", 3}};
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 10);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture_link *link = come_back(fixture, &visitor, cases[i].epoch, cases[i].offset);
        assert_string_equal(verdict_of(link), "reset");
        assert_offsets(link, 1, 10);
    }
}

static void test_sub_from_another_epoch_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 3);
    struct fixture_link *agent = join_agent(fixture, visitor.conversation, 9);
    const json_t *problem = json_object_get(fixture_frame(agent, "error", 0), "problem");
    assert_string_equal(fixture_text(problem, "code"), "cursor_expired");
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"%s\"}", visitor.conversation);
    assert_offsets(agent, 1, 3);
}

static void test_one_group_is_one_message(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, 1, 8);
    struct fixture_link *agent = join_agent(fixture, visitor.conversation, 8);
    fixture_forget_frames(agent);
    fixture_send(fixture, 0, agent, "{\"t\":\"hist\",\"c\":\"%s\",\"after\":0}",
                 visitor.conversation);
    assert_int_equal(agent->n_messages, 1); /* a page and synced */
    assert_offsets(agent, 1, 8);
}

#define FLOW_TEST(name) cmocka_unit_test_setup_teardown(name, no_rate_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(test_credit_paces_a_replay),
        FLOW_TEST(test_credit_frame_narrows_the_window),
        FLOW_TEST(test_blocked_link_gets_nothing_and_catches_up),
        FLOW_TEST(test_stalled_reader_is_ended),
        FLOW_TEST(test_unacknowledged_but_nothing_waits),
        FLOW_TEST(test_hist_sends_again),
        FLOW_TEST(test_trimmed_entries_are_a_gap),
        FLOW_TEST(test_other_epoch_or_ahead_is_a_reset),
        FLOW_TEST(test_sub_from_another_epoch_is_refused),
        FLOW_TEST(test_one_group_is_one_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
