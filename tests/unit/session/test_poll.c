#include "session/poll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session/hub_fixture.h"

struct poller {
    char token[1100];
    char conversation[64];
    json_int_t generation;
};

static void note_welcome(struct poller *poller, const struct fixture_link *link)
{
    json_t *welcome = fixture_frame(link, "welcome", 0);

    assert_non_null(welcome);
    (void)snprintf(poller->token, sizeof(poller->token), "%s", fixture_text(welcome, "token"));
    const json_t *conversation = json_array_get(json_object_get(welcome, "conv"), 0);
    (void)snprintf(poller->conversation, sizeof(poller->conversation), "%s",
                   fixture_text(conversation, "c"));
    poller->generation = fixture_number(welcome, "gen");
    assert_int_equal(fixture_number(link->answer, "gen"), poller->generation);
}

static void first_poll(struct fixture *fixture, struct poller *poller)
{
    struct fixture_link *link =
        fixture_poll(fixture, 0, "{\"rid\":1,\"frames\":[{\"t\":\"hello\",\"v\":1}]}");

    assert_true(link->is_answered);
    note_welcome(poller, link);
    assert_non_null(fixture_frame(link, "synced", 0));
}

/* A poll at a position with frames given as JSON text. */
static struct fixture_link *poll_at(struct fixture *fixture, size_t hub,
                                    const struct poller *poller, int rid, int offset, int wait_ms,
                                    const char *frames)
{
    return fixture_poll(fixture, hub,
                        "{\"rid\":%d,\"gen\":%lld,\"token\":\"%s\",\"wait_ms\":%d,"
                        "\"pos\":[{\"c\":\"%s\",\"e\":\"7\",\"o\":%d}],\"frames\":[%s]}",
                        rid, (long long)poller->generation, poller->token, wait_ms,
                        poller->conversation, offset, frames);
}

static const char pub_1[] = "{\"t\":\"pub\",\"mid\":\"m1\",\"seq\":1,\"body\":{\"text\":\"hi\"}}";

static bool is_superseded(const struct fixture_link *link)
{
    return link->is_answered && json_is_true(json_object_get(link->answer, "superseded")) &&
           json_array_size(link->frames) == 0;
}

static struct fixture_link *join_agent(struct fixture *fixture, const struct poller *poller)
{
    struct fixture_link *agent = fixture_link_open(fixture, 0);

    fixture_send(fixture, 0, agent,
                 "{\"t\":\"hello\",\"v\":1,\"token\":\"" FIXTURE_AGENT_KEY "\"}");
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"%s\"}", poller->conversation);
    return agent;
}

static void agent_says(struct fixture *fixture, struct fixture_link *agent,
                       const struct poller *poller, int n)
{
    fixture_send(fixture, 0, agent,
                 "{\"t\":\"pub\",\"c\":\"%s\",\"mid\":\"a%d\",\"body\":{\"text\":\"yes %d\"}}",
                 poller->conversation, n, n);
}

static void test_result_comes_with_the_same_answer(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    first_poll(fixture, &poller);
    struct fixture_link *link = poll_at(fixture, 0, &poller, 2, 0, 25000, pub_1);
    assert_true(link->is_answered);
    assert_int_equal(fixture_number(fixture_frame(link, "pub_ok", 0), "o"), 1);
    assert_null(fixture_frame(link, "msg", 0));
}

static void test_parked_poll_hears_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    first_poll(fixture, &poller);
    (void)poll_at(fixture, 0, &poller, 2, 0, 0, pub_1);
    struct fixture_link *agent = join_agent(fixture, &poller);
    struct fixture_link *parked = poll_at(fixture, 0, &poller, 3, 1, 25000, "");
    if (parked->is_answered) /* presence of the agent */
        parked = poll_at(fixture, 0, &poller, 4, 1, 25000, "");
    assert_false(parked->is_answered);
    agent_says(fixture, agent, &poller, 1);
    assert_true(parked->is_answered);
    assert_int_equal(fixture_number(fixture_frame(parked, "msg", 0), "o"), 2);
}

static void test_wait_ends_with_an_empty_answer(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    first_poll(fixture, &poller);
    struct fixture_link *parked = poll_at(fixture, 0, &poller, 2, 0, 5000, "");
    fixture_pass(fixture, 4800);
    assert_false(parked->is_answered);
    fixture_pass(fixture, 400);
    assert_true(parked->is_answered);
    assert_int_equal(json_array_size(parked->frames), 0);
}

static void test_lost_answer_is_sent_again(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    first_poll(fixture, &poller);
    (void)poll_at(fixture, 0, &poller, 2, 0, 0, pub_1);
    struct fixture_link *agent = join_agent(fixture, &poller);
    agent_says(fixture, agent, &poller, 1);
    agent_says(fixture, agent, &poller, 2);
    struct fixture_link *lost = poll_at(fixture, 0, &poller, 3, 1, 0, "");
    assert_int_equal(fixture_count(lost, "msg"), 2);
    struct fixture_link *again = poll_at(fixture, 0, &poller, 4, 1, 0, "");
    assert_int_equal(fixture_count(again, "msg"), 2);
    again = poll_at(fixture, 0, &poller, 4, 1, 0, ""); /* the same request twice */
    assert_int_equal(fixture_count(again, "msg"), 2);
    again = poll_at(fixture, 0, &poller, 5, 2, 0, "");
    assert_int_equal(fixture_count(again, "msg"), 1);
    assert_int_equal(fixture_number(fixture_frame(again, "msg", 0), "o"), 3);
}

static void test_newer_poll_displaces_and_older_one_is_late(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    first_poll(fixture, &poller);
    struct fixture_link *parked = poll_at(fixture, 0, &poller, 2, 0, 25000, "");
    struct fixture_link *newer = poll_at(fixture, 0, &poller, 4, 0, 25000, "");
    assert_true(is_superseded(parked));
    assert_false(newer->is_answered);
    struct fixture_link *late = poll_at(fixture, 0, &poller, 3, 0, 25000, pub_1);
    assert_true(is_superseded(late));
    assert_false(newer->is_answered);
}

static void test_lost_welcome(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;
    struct fixture_link *link;

    first_poll(fixture, &poller);
    (void)poll_at(fixture, 0, &poller, 2, 0, 0, pub_1);
    fixture_restart(fixture);
    link = poll_at(fixture, 0, &poller, 3, 0, 0, ""); /* its answer is lost */
    assert_non_null(fixture_frame(link, "welcome", 0));
    link = poll_at(fixture, 0, &poller, 4, 0, 0, "");
    note_welcome(&poller, link);
    assert_int_equal(fixture_count(link, "msg"), 1);
    link = poll_at(fixture, 0, &poller, 5, 1, 0, "");
    assert_true(link->is_answered);
    assert_null(fixture_frame(link, "welcome", 0));
}

static void test_moves_between_hubs(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    fixture_add_hub(fixture);
    first_poll(fixture, &poller);
    struct fixture_link *parked = poll_at(fixture, 0, &poller, 2, 0, 25000, "");
    struct fixture_link *moved = poll_at(fixture, 1, &poller, 3, 0, 0, pub_1);
    assert_true(is_superseded(parked));
    assert_null(fixture_frame(moved, "welcome", 0)); /* the hub that has the session answers */
    assert_int_equal(fixture_number(fixture_frame(moved, "pub_ok", 0), "o"), 1);
    parked = poll_at(fixture, 1, &poller, 4, 1, 25000, "");
    assert_false(parked->is_answered);
    moved = poll_at(fixture, 0, &poller, 5, 1, 0, "");
    assert_true(is_superseded(parked));
    assert_true(moved->is_answered);
}

/* The answer to a poll that was handed over has nowhere to go; it comes with the next one. */
static void test_moved_poll_is_cut(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    fixture_add_hub(fixture);
    first_poll(fixture, &poller);
    struct fixture_link *cut = poll_at(fixture, 1, &poller, 2, 0, 25000, "");
    assert_false(cut->is_answered);
    fixture_link_gone(fixture, 1, cut);
    struct fixture_link *next = poll_at(fixture, 0, &poller, 3, 0, 0, pub_1);
    assert_int_equal(fixture_number(fixture_frame(next, "pub_ok", 0), "o"), 1);
    assert_false(cut->is_answered);
}

/* A poll with the generation of an attachment that another one has replaced, on either hub. */
static void test_replaced_between_hubs(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    fixture_add_hub(fixture);
    first_poll(fixture, &poller);
    struct poller old = poller;
    struct fixture_link *stream = fixture_link_open(fixture, 1);
    fixture_send(fixture, 1, stream, "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"}", poller.token);
    fixture_run(fixture);
    assert_non_null(fixture_frame(stream, "welcome", 0));
    fixture_send(fixture, 1, stream, "{\"t\":\"pong\"}");
    for (size_t hub = 0; hub < FIXTURE_HUBS; hub++) {
        struct fixture_link *stale = poll_at(fixture, hub, &old, 6 + (int)hub, 0, 0, "");
        assert_true(stale->is_closed);
        assert_int_equal(stale->problem, HL_PROBLEM_REPLACED);
    }
}

/* What the other hub refuses is refused here, texts and all. */
static void test_moved_poll_meets_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    fixture_add_hub(fixture);
    first_poll(fixture, &poller);
    struct fixture_link *parked = poll_at(fixture, 1, &poller, 2, 0, 25000, "");
    assert_false(parked->is_answered || parked->is_closed);
    hl_hub_drain(fixture->hubs[0], 0, 100);
    fixture_pass(fixture, 300);
    assert_true(parked->is_answered || parked->is_closed);
}

static void test_moves_to_a_stream_and_back(void **state)
{
    struct fixture *fixture = *state;
    struct poller poller;

    first_poll(fixture, &poller);
    struct fixture_link *parked = poll_at(fixture, 0, &poller, 2, 0, 25000, "");
    struct fixture_link *stream = fixture_link_open(fixture, 0);
    fixture_send(fixture, 0, stream, "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"}", poller.token);
    assert_true(parked->is_closed);
    assert_int_equal(parked->problem, HL_PROBLEM_REPLACED);
    struct fixture_link *late = poll_at(fixture, 0, &poller, 2, 0, 0, "");
    assert_true(is_superseded(late)); /* an old request must not end the new stream */
    assert_false(stream->is_closed);
    json_t *welcome = fixture_frame(stream, "welcome", 0);
    poller.generation = fixture_number(welcome, "gen");
    (void)snprintf(poller.token, sizeof(poller.token), "%s", fixture_text(welcome, "token"));
    fixture_send(fixture, 0, stream, "%s", pub_1);
    assert_non_null(fixture_frame(stream, "pub_ok", 0));
    struct fixture_link *back = poll_at(fixture, 0, &poller, 3, 0, 0, "");
    assert_true(stream->is_closed);
    assert_int_equal(stream->problem, HL_PROBLEM_REPLACED);
    assert_int_equal(fixture_count(back, "msg"),
                     1); /* its position says that the result got lost */
}

#define POLL_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLL_TEST(test_result_comes_with_the_same_answer),
        POLL_TEST(test_parked_poll_hears_at_once),
        POLL_TEST(test_wait_ends_with_an_empty_answer),
        POLL_TEST(test_lost_answer_is_sent_again),
        POLL_TEST(test_newer_poll_displaces_and_older_one_is_late),
        POLL_TEST(test_lost_welcome),
        POLL_TEST(test_moves_between_hubs),
        POLL_TEST(test_moved_poll_is_cut),
        POLL_TEST(test_replaced_between_hubs),
        POLL_TEST(test_moved_poll_meets_the_end),
        POLL_TEST(test_moves_to_a_stream_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
