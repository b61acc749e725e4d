/* Who is let in where: sites, inboxes, identities, and what an agent does not see. */
#include "session/hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/session/hub_fixture.h"

/* Serves "shop" with the inbox "Returns"; every identity is proven by "good". */
static int admit(void *arg, const struct hl_visit *visit, struct hl_id *out_inbox)
{
    (void)arg;
    if (!hl_bytes_is(visit->site, "shop"))
        return HL_VISIT_NO_SITE;
    if (visit->link->origin.size > 0 && !hl_bytes_is(visit->link->origin, "https://shop.example"))
        return HL_VISIT_NO_ORIGIN;
    if (visit->identity.size > 0 && !hl_bytes_is(visit->identity_hash, "good"))
        return HL_VISIT_NO_IDENTITY;
    if (visit->inbox.size > 0 && !hl_bytes_is(visit->inbox, "Returns"))
        return HL_VISIT_NO_INBOX;
    memset(out_inbox->b, visit->inbox.size > 0 ? 0x11 : 0x22, sizeof(out_inbox->b));
    if (!hl_id_is_zero(&visit->inbox_before))
        *out_inbox = visit->inbox_before;
    return 0;
}

static bool sees_nothing(void *arg, const struct hl_id *agent,
                         const struct hl_conversation *conversation)
{
    (void)arg;
    (void)agent;
    (void)conversation;
    return false;
}

static void serve_shop(struct fixture *fixture)
{
    fixture->sites.admit = admit;
    fixture_restart(fixture);
}

static struct fixture_link *greet(struct fixture *fixture, const char *origin, const char *members)
{
    struct fixture_link *link = fixture_link_open(fixture, 0);
    link->link.origin = hl_bytes_of(origin);
    fixture_send(fixture, 0, link, "{\"t\":\"hello\",\"v\":1,%s}", members);
    return link;
}

static void refuses(struct fixture *fixture, const char *origin, const char *members,
                    enum hl_problem_code code)
{
    struct fixture_link *link = greet(fixture, origin, members);
    assert_true(link->is_closed);
    assert_int_equal(link->problem, code);
}

static void test_doors(void **state)
{
    struct fixture *fixture = *state;

    refuses(fixture, "", "\"site\":\"other\"", HL_PROBLEM_UNKNOWN_SITE);
    refuses(fixture, "", "\"inbox\":\"Returns\"", HL_PROBLEM_UNKNOWN_INBOX);
    refuses(fixture, "", "\"identity\":{\"id\":\"a\",\"hash\":\"good\"}",
            HL_PROBLEM_IDENTITY_INVALID);
    serve_shop(fixture);
    refuses(fixture, "", "\"site\":\"main\"", HL_PROBLEM_UNKNOWN_SITE);
    refuses(fixture, "", "\"site\":\"shop\",\"inbox\":\"Sales\"", HL_PROBLEM_UNKNOWN_INBOX);
    refuses(fixture, "https://evil.example", "\"site\":\"shop\"", HL_PROBLEM_ORIGIN_FORBIDDEN);
    refuses(fixture, "", "\"site\":\"shop\",\"identity\":{\"id\":\"a\",\"hash\":\"bad\"}",
            HL_PROBLEM_IDENTITY_INVALID);
    struct fixture_link *link = greet(fixture, "https://shop.example", "\"site\":\"shop\"");
    assert_non_null(fixture_frame(link, "welcome", 0));
}

static json_t *conversation_of(const struct fixture_link *link)
{
    return json_array_get(json_object_get(fixture_frame(link, "welcome", 0), "conv"), 0);
}

struct found {
    struct hl_log_find find;
    int r;
};

static void take_found(struct hl_log_find *find, int r)
{
    HL_CONTAINER_OF(find, struct found, find)->r = r;
}

static struct hl_conversation look_up(struct fixture *fixture, const char *conversation)
{
    struct found found = {.find = {.loop = &fixture->loop.loop, .done = take_found}, .r = -1};

    assert_int_equal(
        hl_id_parse(hl_bytes_of(conversation), HL_ID_CONVERSATION, &found.find.conversation), 0);
    assert_int_equal(hl_log_find(fixture->log, &found.find), 0);
    fixture_run(fixture);
    assert_int_equal(found.r, 0);
    return found.find.found;
}

static void test_a_conversation_is_born_where_its_visitor_came_in(void **state)
{
    struct fixture *fixture = *state;

    serve_shop(fixture);
    struct fixture_link *link = greet(fixture, "",
                                      "\"site\":\"shop\",\"inbox\":\"Returns\","
                                      "\"identity\":{\"id\":\"c-1\",\"hash\":\"good\"}");
    assert_null(json_object_get(conversation_of(link), "reference"));
    char c[64];
    char token[1100];
    (void)snprintf(c, sizeof(c), "%s", fixture_text(conversation_of(link), "c"));
    (void)snprintf(token, sizeof(token), "%s",
                   fixture_text(fixture_frame(link, "welcome", 0), "token"));

    /* nothing is stored yet, the gateway restarts, and the token still knows */
    fixture_restart(fixture);
    char members[1300];
    (void)snprintf(members, sizeof(members), "\"token\":\"%s\"", token);
    link = greet(fixture, "", members);
    fixture_send(fixture, 0, link, "{\"t\":\"pub\",\"mid\":\"1\",\"body\":{\"text\":\"hi\"}}");
    struct hl_conversation conversation = look_up(fixture, c);
    assert_string_equal(conversation.site, "shop");
    assert_string_equal(conversation.identity, "c-1");
    assert_int_equal(conversation.inbox.b[0], 0x11);
    assert_string_equal(fixture_text(fixture_frame(link, "pub_ok", 0), "reference"),
                        conversation.reference);
    fixture_send(fixture, 0, link, "{\"t\":\"pub\",\"mid\":\"2\",\"body\":{\"text\":\"hi\"}}");
    assert_null(json_object_get(fixture_frame(link, "pub_ok", 1), "reference"));

    link = greet(fixture, "", members);
    assert_string_equal(fixture_text(conversation_of(link), "reference"), conversation.reference);

    /* somebody else signs in at the same browser */
    (void)snprintf(members, sizeof(members),
                   "\"token\":\"%s\",\"identity\":{\"id\":\"c-2\",\"hash\":\"good\"}", token);
    refuses(fixture, "", members, HL_PROBLEM_TOKEN_INVALID);
}

static void test_what_an_agent_does_not_see_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture_visit(fixture, 0, &visitor);
    fixture_send(fixture, 0, visitor.link,
                 "{\"t\":\"pub\",\"mid\":\"1\",\"body\":{\"text\":\"hi\"}}");
    fixture->sees = sees_nothing;
    fixture_restart(fixture);
    char members[256];
    (void)snprintf(members, sizeof(members),
                   "\"token\":\"" FIXTURE_AGENT_KEY
                   "\",\"pos\":[{\"c\":\"%s\",\"e\":\"7\",\"o\":0}]",
                   visitor.conversation);
    struct fixture_link *agent = greet(fixture, "", members);
    assert_null(conversation_of(agent));
    assert_int_equal(fixture_count(agent, "msg"), 0);
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"%s\"}", visitor.conversation);
    json_t *error = fixture_frame(agent, "error", 0);
    assert_string_equal(fixture_text(json_object_get(error, "problem"), "code"),
                        "unknown_conversation");
    assert_int_equal(fixture_count(agent, "msg"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_doors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_conversation_is_born_where_its_visitor_came_in,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_an_agent_does_not_see_is_not_there, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
