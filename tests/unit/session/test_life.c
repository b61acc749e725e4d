/* What time does to sessions, who replaces whom, who hears of whom, how a hub ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "session/hub_private.h"
#include "session/session.h"
#include "session/subscription.h"
#include "tests/unit/session/hub_fixture.h"

static struct fixture_link *attach(struct fixture *fixture, size_t hub, const char *token)
{
    struct fixture_link *link = fixture_link_open(fixture, hub);

    fixture_send(fixture, hub, link, "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"}", token);
    return link;
}

static void say(struct fixture *fixture, struct fixture_visitor *visitor, const char *mid)
{
    fixture_send(fixture, 0, visitor->link,
                 "{\"t\":\"pub\",\"mid\":\"%s\",\"body\":{\"text\":\"x\"}}", mid);
}

static void test_memory_of_a_session(void **state)
{
    (void)state;
    /* with what malloc adds to each, a parked poll's session stays within 700 bytes */
    assert_true(sizeof(struct hl_session) + sizeof(struct hl_subscription) <= 656);
}

static void test_pings_tell_heads(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, "m1");
    fixture_pass(fixture, 25200);
    const json_t *ping = fixture_frame(visitor.link, "ping", 0);
    const json_t *head = json_array_get(json_object_get(ping, "heads"), 0);
    assert_string_equal(fixture_text(head, "c"), visitor.conversation);
    assert_int_equal(fixture_number(head, "o"), 1);
    fixture_send(fixture, 0, visitor.link, "{\"t\":\"pong\"}");
    fixture_pass(fixture, 25200);
    assert_int_equal(fixture_count(visitor.link, "ping"), 2);
    assert_false(visitor.link->is_closed);
    fixture_pass(fixture, 10200); /* nobody answers */
    assert_int_equal(visitor.link->problem, HL_PROBLEM_TIMEOUT);
}

static void test_hello_must_come_in_time(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_link *link = fixture_link_open(fixture, 0);

    fixture_pass(fixture, 9900);
    assert_false(link->is_closed);
    fixture_pass(fixture, 200);
    assert_int_equal(link->problem, HL_PROBLEM_TIMEOUT);
}

static void test_sessions_without_link_are_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    struct hl_hub_stats stats;

    fixture_visit(fixture, 0, &visitor);
    fixture_link_gone(fixture, 0, visitor.link);
    fixture_pass(fixture, 59800);
    hl_hub_stats(fixture->hubs[0], &stats);
    assert_int_equal(stats.sessions, 1);
    fixture_pass(fixture, 400);
    hl_hub_stats(fixture->hubs[0], &stats);
    assert_int_equal(stats.sessions, 0);
    struct fixture_link *again = attach(fixture, 0, visitor.token);
    assert_non_null(fixture_frame(again, "welcome", 0));
}

static void test_newer_attachment_replaces(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_add_hub(fixture);
    for (size_t hub = 0; hub < 2; hub++) {
        fixture_visit(fixture, 0, &visitor);
        struct fixture_link *newer = attach(fixture, hub, visitor.token);
        assert_true(visitor.link->is_closed);
        assert_int_equal(visitor.link->problem, HL_PROBLEM_REPLACED);
        assert_int_equal(fixture_number(fixture_frame(visitor.link, "bye", 0), "code"), 4020);
        assert_non_null(fixture_frame(newer, "welcome", 0));
        assert_false(newer->is_closed);
    }
}

static void test_old_token_is_worthless_once_confirmed(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    struct fixture_link *newer = attach(fixture, 0, visitor.token);
    struct fixture_link *lost = attach(fixture, 0, visitor.token); /* the welcome got lost */
    assert_true(newer->is_closed);
    assert_false(lost->is_closed);
    fixture_send(fixture, 0, lost, "{\"t\":\"ping\"}"); /* confirms */
    struct fixture_link *thief = attach(fixture, 0, visitor.token);
    assert_int_equal(thief->problem, HL_PROBLEM_REPLACED);
    assert_false(lost->is_closed);
}

static void test_auth_renews_the_token(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    fixture_send(fixture, 0, visitor.link, "{\"t\":\"auth\"}");
    json_t *ok = fixture_frame(visitor.link, "auth_ok", 0);
    assert_string_not_equal(fixture_text(ok, "token"), visitor.token);
    assert_string_equal(fixture_text(ok, "expires"), "2023-12-14T22:13:20.000Z");
    struct fixture_link *again = attach(fixture, 0, fixture_text(ok, "token"));
    assert_non_null(fixture_frame(again, "welcome", 0));
}

static void test_bye_forgets_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    struct hl_hub_stats stats;

    fixture_visit(fixture, 0, &visitor);
    fixture_send(fixture, 0, visitor.link, "{\"t\":\"bye\"}");
    assert_true(visitor.link->is_closed);
    hl_hub_stats(fixture->hubs[0], &stats);
    assert_int_equal(stats.sessions, 0);
}

static void test_others_hear_typing_receipts_presence(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_add_hub(fixture);
    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, "m1");
    struct fixture_link *agent = attach(fixture, 1, FIXTURE_AGENT_KEY);
    fixture_send(fixture, 1, agent, "{\"t\":\"sub\",\"c\":\"%s\"}", visitor.conversation);
    assert_true(json_is_true(json_object_get(fixture_frame(visitor.link, "presence", 0), "on")));
    assert_true(json_is_true(json_object_get(fixture_frame(agent, "presence", 0), "on")));
    fixture_send(fixture, 1, agent, "{\"t\":\"typing\",\"c\":\"%s\",\"on\":true}",
                 visitor.conversation);
    json_t *typing = fixture_frame(visitor.link, "typing", 0);
    assert_string_equal(fixture_text(json_object_get(typing, "from"), "role"), "agent");
    assert_null(fixture_frame(agent, "typing", 0)); /* not the one who types */
    fixture_send(fixture, 1, agent, "{\"t\":\"ack\",\"c\":\"%s\",\"o\":1,\"read\":1}",
                 visitor.conversation);
    json_t *receipt = fixture_frame(visitor.link, "receipt", 0);
    assert_int_equal(fixture_number(receipt, "read"), 1);
    assert_int_equal(fixture_number(receipt, "delivered"), 1);
    fixture_link_gone(fixture, 1, agent);
    assert_true(json_is_false(json_object_get(fixture_frame(visitor.link, "presence", 1), "on")));
}

static void mark_as_agent(struct fixture *fixture, const struct fixture_visitor *visitor,
                          uint64_t read)
{
    struct hl_log_mark mark = {
        .participant = {HL_ROLE_AGENT, {{7}}}, .delivered = read, .read = read};

    assert_int_equal(
        hl_id_parse(hl_bytes_of(visitor->conversation), HL_ID_CONVERSATION, &mark.conversation), 0);
    hl_log_mark(fixture->log, &mark);
    fixture_run(fixture);
}

static void test_receipts_survive_a_link(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, "m1");
    say(fixture, &visitor, "m2");
    mark_as_agent(fixture, &visitor, 1); /* over no link at all */
    assert_int_equal(fixture_number(fixture_frame(visitor.link, "receipt", 0), "read"), 1);
    /* a link that is not ready is told once it is */
    visitor.link->is_blocked = true;
    mark_as_agent(fixture, &visitor, 2);
    assert_int_equal(fixture_count(visitor.link, "receipt"), 1);
    visitor.link->is_blocked = false;
    hl_hub_link_writable(fixture->hubs[0], &visitor.link->link);
    fixture_run(fixture);
    assert_int_equal(fixture_number(fixture_frame(visitor.link, "receipt", 1), "read"), 2);
    /* and again on a new link, before the end of the replay */
    fixture_link_gone(fixture, 0, visitor.link);
    struct fixture_link *again = attach(fixture, 0, visitor.token);
    assert_int_equal(fixture_count(again, "receipt"), 1);
    assert_int_equal(fixture_number(fixture_frame(again, "receipt", 0), "read"), 2);
    size_t receipt_at = 0, synced_at = 0, index;
    json_t *frame;
    json_array_foreach(again->frames, index, frame)
    {
        if (strcmp(fixture_text(frame, "t"), "receipt") == 0)
            receipt_at = index;
        if (strcmp(fixture_text(frame, "t"), "synced") == 0)
            synced_at = index;
    }
    assert_true(receipt_at < synced_at);
}

static void finish_erasure(struct hl_log_submit *submit, int r)
{
    assert_int_equal(r, 0);
    hl_entry_unref(submit->entry);
}

static void erase(struct fixture *fixture, const struct fixture_visitor *visitor)
{
    struct hl_entry_fields fields = {.author = {HL_ROLE_SYSTEM, {{9}}},
                                     .kind = HL_ENTRY_ERASED,
                                     .mid = hl_bytes_of("era"),
                                     .body = hl_bytes_of("{\"reason\":\"asked for\"}")};
    struct hl_log_submit submit = {.loop = &fixture->loop.loop, .done = finish_erasure};

    assert_int_equal(
        hl_id_parse(hl_bytes_of(visitor->conversation), HL_ID_CONVERSATION, &fields.conversation),
        0);
    submit.entry = hl_entry_create(&fields);
    assert_int_equal(hl_log_submit(fixture->log, &submit), 0);
    fixture_run(fixture);
}

static void test_an_erased_conversation_ends(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    struct fixture_visitor other;

    fixture_visit(fixture, 0, &visitor);
    fixture_visit(fixture, 0, &other);
    say(fixture, &visitor, "m1");
    say(fixture, &other, "m1");
    struct fixture_link *agent = attach(fixture, 0, FIXTURE_AGENT_KEY);
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"%s\"}", visitor.conversation);
    erase(fixture, &visitor);
    json_t *erased = fixture_frame(visitor.link, "msg", 0);
    assert_string_equal(fixture_text(erased, "kind"), "erased");
    assert_int_equal(json_object_size(json_object_get(erased, "body")), 0);
    assert_string_equal(fixture_text(fixture_frame(visitor.link, "bye", 0), "name"),
                        "conversation_erased");
    assert_true(visitor.link->is_closed);
    assert_false(other.link->is_closed);
    /* who works there is told why, and may stay */
    assert_false(agent->is_closed);
    erased = fixture_frame(agent, "msg", 1);
    assert_string_equal(fixture_text(json_object_get(erased, "body"), "reason"), "asked for");
    /* there is no way back */
    struct fixture_link *again = attach(fixture, 0, visitor.token);
    assert_true(again->is_closed);
    assert_null(fixture_frame(again, "welcome", 0));
    assert_string_equal(fixture_text(fixture_frame(again, "bye", 0), "name"),
                        "conversation_erased");
    fixture_send(fixture, 0, agent,
                 "{\"t\":\"pub\",\"mid\":\"x\",\"c\":\"%s\",\"body\":{\"text\":\"late\"}}",
                 visitor.conversation);
    json_t *problem = json_object_get(fixture_frame(agent, "pub_no", 0), "problem");
    assert_string_equal(fixture_text(problem, "code"), "conversation_erased");
}

static void test_drain(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    struct fixture_link *parked = NULL;
    struct fixture_link *first =
        fixture_poll(fixture, 0, "{\"rid\":1,\"frames\":[{\"t\":\"hello\",\"v\":1}]}");
    parked = fixture_poll(fixture, 0, "{\"rid\":2,\"gen\":%lld,\"token\":\"%s\",\"wait_ms\":25000}",
                          (long long)fixture_number(first->answer, "gen"),
                          fixture_text(fixture_frame(first, "welcome", 0), "token"));
    assert_false(parked->is_answered);
    hl_hub_drain(fixture->hubs[0], 2000, 5000);
    json_t *drain = fixture_frame(visitor.link, "drain", 0);
    assert_int_equal(fixture_number(drain, "window_ms"), 2000);
    assert_int_equal(fixture_number(drain, "deadline_ms"), 5000);
    say(fixture, &visitor, "m1"); /* what is under way is finished */
    assert_non_null(fixture_frame(visitor.link, "pub_ok", 0));
    fixture_pass(fixture, 2200);
    assert_non_null(fixture_frame(parked, "drain", 0));
    struct fixture_link *late = fixture_link_open(fixture, 0);
    assert_int_equal(late->problem, HL_PROBLEM_DRAINING);
    fixture_pass(fixture, 3000);
    assert_int_equal(visitor.link->problem, HL_PROBLEM_DRAINING);
}

static void test_ends_with_requests_under_way(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    say(fixture, &visitor, "m1");
    struct fixture_link *again = fixture_link_open(fixture, 0);
    struct hl_bytes pub = hl_bytes_of("{\"t\":\"pub\",\"mid\":\"m2\",\"body\":{\"text\":\"x\"}}");
    char hello[1300];
    (void)snprintf(hello, sizeof(hello), "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"}",
                   visitor.token);
    /* a submit and a read are posted and not run: teardown destroys the hub over them */
    hl_hub_link_receive(fixture->hubs[0], &visitor.link->link, pub);
    hl_hub_link_receive(fixture->hubs[0], &again->link, hl_bytes_of(hello));
    assert_null(fixture_frame(again, "welcome", 0));
}

static void test_full_hub_lets_nobody_in(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture->limits.sessions_max = 1;
    fixture_restart(fixture);
    fixture_visit(fixture, 0, &visitor);
    struct fixture_link *second = fixture_link_open(fixture, 0);
    fixture_send(fixture, 0, second, "{\"t\":\"hello\",\"v\":1}");
    assert_int_equal(second->problem, HL_PROBLEM_BUSY);
    assert_false(visitor.link->is_closed);
}

#define LIFE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_memory_of_a_session),
        LIFE_TEST(test_pings_tell_heads),
        LIFE_TEST(test_hello_must_come_in_time),
        LIFE_TEST(test_sessions_without_link_are_forgotten),
        LIFE_TEST(test_newer_attachment_replaces),
        LIFE_TEST(test_old_token_is_worthless_once_confirmed),
        LIFE_TEST(test_auth_renews_the_token),
        LIFE_TEST(test_bye_forgets_at_once),
        LIFE_TEST(test_others_hear_typing_receipts_presence),
        LIFE_TEST(test_receipts_survive_a_link),
        LIFE_TEST(test_an_erased_conversation_ends),
        LIFE_TEST(test_drain),
        LIFE_TEST(test_ends_with_requests_under_way),
        LIFE_TEST(test_full_hub_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
