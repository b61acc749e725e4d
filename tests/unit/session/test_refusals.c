/* Everything a client can do wrong, and what it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session/hub_fixture.h"

static const char *code_of(const json_t *frame)
{
    return fixture_text(json_object_get(frame, "problem"), "code");
}

static void test_frames_are_refused_and_the_link_stays(void **state)
{
    static const struct {
        const char *frame;
        const char *answer; /* type */
        const char *code;
    } cases[] = {
        {"nonsense", "error", "not_json"},
        {"[1]", "error", "invalid_frame"},
        {"{\"t\":\"dance\"}", "error", "unknown_frame"},
        {"{\"t\":\"ack\",\"o\":-1}", "error", "invalid_field"},
        {"{\"t\":\"hello\",\"v\":1}", "error", "invalid_frame"},
        {"{\"t\":\"sub\",\"c\":\"cnv_00000000000000000000000000000000\"}", "error", "forbidden"},
        {"{\"t\":\"hist\",\"c\":\"cnv_00000000000000000000000000000000\",\"after\":0}", "error",
         "unknown_conversation"},
        {"{\"t\":\"pub\",\"body\":{\"text\":\"x\"}}", "error", "invalid_field"},
        {"{\"t\":\"pub\",\"mid\":\"a\",\"body\":{\"text\":\"\"}}", "pub_no", "invalid_field"},
        {"{\"t\":\"pub\",\"mid\":\"a\",\"kind\":\"note\",\"body\":{\"text\":\"x\"}}", "pub_no",
         "forbidden"},
        {"{\"t\":\"pub\",\"mid\":\"a\",\"seq\":9,\"body\":{\"text\":\"x\"}}", "pub_no",
         "out_of_order"},
        {"{\"t\":\"pub\",\"mid\":\"a\",\"c\":\"cnv_00000000000000000000000000000000\","
         "\"body\":{\"text\":\"x\"}}",
         "pub_no", "unknown_conversation"},
    };
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_forget_frames(visitor.link);
        fixture_send(fixture, 0, visitor.link, "%s", cases[i].frame);
        assert_string_equal(code_of(fixture_frame(visitor.link, cases[i].answer, 0)),
                            cases[i].code);
        assert_false(visitor.link->is_closed);
    }
    fixture_send(fixture, 0, visitor.link, "{\"t\":\"ping\",\"ts\":\"still here\"}");
    assert_string_equal(fixture_text(fixture_frame(visitor.link, "pong", 0), "ts"), "still here");
}

static void test_hellos_are_refused_with_bye(void **state)
{
    static const struct {
        const char *hello;
        enum hl_problem_code problem;
    } cases[] = {
        {"{\"t\":\"hello\",\"v\":2}", HL_PROBLEM_VERSION_UNSUPPORTED},
        {"{\"t\":\"hello\",\"v\":1,\"token\":\"v4.local.forged\"}", HL_PROBLEM_TOKEN_INVALID},
        {"{\"t\":\"hello\",\"v\":1,\"token\":\"hlk_nobody\"}", HL_PROBLEM_UNAUTHORIZED},
        {"{\"t\":\"hello\",\"v\":1,\"site\":\"nowhere\"}", HL_PROBLEM_UNKNOWN_SITE},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture_link *link = fixture_link_open(fixture, 0);
        fixture_send(fixture, 0, link, "%s", cases[i].hello);
        assert_true(link->is_closed);
        assert_int_equal(link->problem, cases[i].problem);
        assert_non_null(fixture_frame(link, "bye", 0));
        struct fixture_link *poll =
            fixture_poll(fixture, 0, "{\"rid\":1,\"frames\":[%s]}", cases[i].hello);
        assert_true(poll->is_closed);
        assert_int_equal(poll->problem, cases[i].problem);
    }
}

static void test_hello_comes_first(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_link *link = fixture_link_open(fixture, 0);

    fixture_send(fixture, 0, link, "{\"t\":\"dance\"}"); /* a mistake, told as such */
    assert_string_equal(code_of(fixture_frame(link, "error", 0)), "unknown_frame");
    fixture_send(fixture, 0, link, "{\"t\":\"ping\"}");
    assert_string_equal(code_of(fixture_frame(link, "error", 1)), "hello_first");
    fixture_send(fixture, 0, link, "{\"t\":\"hello\",\"v\":1}");
    assert_non_null(fixture_frame(link, "welcome", 0));
}

static void test_polls_are_refused(void **state)
{
    static const struct {
        const char *body;
        enum hl_problem_code problem;
    } cases[] = {
        {"nonsense", HL_PROBLEM_NOT_JSON},
        {"[]", HL_PROBLEM_BAD_REQUEST},
        {"{\"rid\":\"1\"}", HL_PROBLEM_INVALID_FIELD},
        {"{\"rid\":1}", HL_PROBLEM_HELLO_FIRST},
        {"{\"rid\":1,\"frames\":[{\"t\":\"ping\"}]}", HL_PROBLEM_HELLO_FIRST},
        {"{\"rid\":1,\"token\":\"x\"}", HL_PROBLEM_TOKEN_INVALID},
        {"{\"rid\":1,\"frames\":[{\"t\":\"hello\"}]}", HL_PROBLEM_INVALID_FIELD},
        {"\"\xff\"", HL_PROBLEM_INVALID_UTF8},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture_link *poll = fixture_poll(fixture, 0, "%s", cases[i].body);
        assert_true(poll->is_closed);
        assert_int_equal(poll->problem, cases[i].problem);
    }
}

static void test_bad_text_ends_the_link(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    char *text = malloc(70000);

    assert_non_null(text);
    fixture_visit(fixture, 0, &visitor);
    fixture_send(fixture, 0, visitor.link, "{\"t\":\"\xc3\x28\"}");
    assert_int_equal(visitor.link->problem, HL_PROBLEM_INVALID_UTF8);
    fixture_visit(fixture, 0, &visitor);
    memset(text, ' ', 69999);
    text[69999] = '\0';
    fixture_send(fixture, 0, visitor.link, "%s", text);
    assert_int_equal(visitor.link->problem, HL_PROBLEM_TOO_LARGE);
    assert_int_equal(fixture_number(fixture_frame(visitor.link, "bye", 0), "code"), 4002);
    free(text);
}

static void test_too_many_mistakes(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    struct fixture_link *stranger = fixture_link_open(fixture, 0);

    fixture_visit(fixture, 0, &visitor);
    for (int i = 0; i < 21; i++) {
        assert_false(visitor.link->is_closed);
        fixture_send(fixture, 0, visitor.link, "{}");
        fixture_send(fixture, 0, stranger, "{}");
    }
    assert_int_equal(visitor.link->problem, HL_PROBLEM_PROTOCOL_ABUSE);
    assert_int_equal(stranger->problem, HL_PROBLEM_PROTOCOL_ABUSE);
}

static void pub(struct fixture *fixture, struct fixture_visitor *visitor, const char *mid, int seq,
                const char *text)
{
    fixture_forget_frames(visitor->link);
    fixture_send(fixture, 0, visitor->link,
                 "{\"t\":\"pub\",\"mid\":\"%s\",\"seq\":%d,\"body\":{\"text\":\"%s\"}}", mid, seq,
                 text);
}

static void test_repeats_and_conflicts(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    pub(fixture, &visitor, "m1", 1, "one");
    pub(fixture, &visitor, "m1", 1, "one");
    json_t *ok = fixture_frame(visitor.link, "pub_ok", 0);
    assert_true(json_is_true(json_object_get(ok, "dup")));
    assert_int_equal(fixture_number(ok, "o"), 1);
    pub(fixture, &visitor, "m1", 2, "other");
    assert_string_equal(code_of(fixture_frame(visitor.link, "pub_no", 0)), "mid_conflict");
    pub(fixture, &visitor, "m3", 3, "three"); /* the refusal has used 2 up */
    assert_int_equal(fixture_number(fixture_frame(visitor.link, "pub_ok", 0), "o"), 2);
    pub(fixture, &visitor, "m9", 9, "nine");
    json_t *no = fixture_frame(visitor.link, "pub_no", 0);
    assert_string_equal(code_of(no), "out_of_order");
    assert_int_equal(fixture_number(no, "want"), 4);
}

static void test_too_fast(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    char mid[16];

    fixture_visit(fixture, 0, &visitor);
    for (int i = 1; i <= 200; i++) {
        (void)snprintf(mid, sizeof(mid), "m%d", i);
        pub(fixture, &visitor, mid, i, "x");
        assert_non_null(fixture_frame(visitor.link, "pub_ok", 0));
    }
    pub(fixture, &visitor, "m201", 201, "x");
    json_t *no = fixture_frame(visitor.link, "pub_no", 0);
    assert_string_equal(code_of(no), "too_fast");
    assert_in_range(fixture_number(json_object_get(no, "problem"), "retry_ms"), 1, 50);
    fixture_pass(fixture, 100);
    pub(fixture, &visitor, "m201", 201, "x");
    assert_non_null(fixture_frame(visitor.link, "pub_ok", 0));
}

static void test_too_large_body(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    char *text = malloc(17001);

    assert_non_null(text);
    memset(text, 'x', 17000);
    text[17000] = '\0';
    fixture_visit(fixture, 0, &visitor);
    pub(fixture, &visitor, "m1", 1, text);
    assert_string_equal(code_of(fixture_frame(visitor.link, "pub_no", 0)), "too_large");
    pub(fixture, &visitor, "m2", 2, "x");
    assert_non_null(fixture_frame(visitor.link, "pub_ok", 0));
    free(text);
}

static void test_blind_answers_are_stale(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    struct fixture_link *agent = fixture_link_open(fixture, 0);

    fixture_visit(fixture, 0, &visitor);
    pub(fixture, &visitor, "m1", 1, "one");
    fixture_send(fixture, 0, agent,
                 "{\"t\":\"hello\",\"v\":1,\"token\":\"" FIXTURE_AGENT_KEY "\"}");
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"%s\"}", visitor.conversation);
    pub(fixture, &visitor, "m2", 2, "two");
    fixture_send(
        fixture, 0, agent,
        "{\"t\":\"pub\",\"c\":\"%s\",\"mid\":\"a\",\"if_seen\":1,\"body\":{\"text\":\"x\"}}",
        visitor.conversation);
    json_t *no = fixture_frame(agent, "pub_no", 0);
    assert_string_equal(code_of(no), "stale");
    assert_int_equal(fixture_number(no, "head"), 2);
}

static void test_expired_token(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    hl_fake_clock_advance(&fixture->clock, UINT64_C(31) * 86400 * 1000);
    struct fixture_link *link = fixture_link_open(fixture, 0);
    fixture_send(fixture, 0, link, "{\"t\":\"hello\",\"v\":1,\"token\":\"%s\"}", visitor.token);
    assert_int_equal(link->problem, HL_PROBLEM_TOKEN_EXPIRED);
}

#define REFUSAL_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REFUSAL_TEST(test_frames_are_refused_and_the_link_stays),
        REFUSAL_TEST(test_hellos_are_refused_with_bye),
        REFUSAL_TEST(test_hello_comes_first),
        REFUSAL_TEST(test_polls_are_refused),
        REFUSAL_TEST(test_bad_text_ends_the_link),
        REFUSAL_TEST(test_too_many_mistakes),
        REFUSAL_TEST(test_repeats_and_conflicts),
        REFUSAL_TEST(test_too_fast),
        REFUSAL_TEST(test_too_large_body),
        REFUSAL_TEST(test_blind_answers_are_stale),
        REFUSAL_TEST(test_expired_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
