/* Large groups: one message per session, texts and items bounded. */
#include "session/broadcast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "session/hub_private.h"
#include "tests/unit/session/hub_fixture.h"

enum { N_AGENTS = 8 };

static struct hl_entry *make_entry(const char *conversation, uint64_t offset)
{
    struct hl_entry_fields fields = {.kind = HL_ENTRY_MESSAGE,
                                     .author = {.role = HL_ROLE_AGENT},
                                     .body = hl_bytes_of("{\"text\":\"x\"}")};
    char mid[32];

    assert_int_equal(
        hl_id_parse(hl_bytes_of(conversation), HL_ID_CONVERSATION, &fields.conversation), 0);
    (void)snprintf(mid, sizeof(mid), "g%u", (unsigned)offset);
    fields.mid = hl_bytes_of(mid);
    struct hl_entry *entry = hl_entry_create(&fields);
    assert_non_null(entry);
    entry->offset = offset;
    return entry;
}

/* As the log gives it: entries from … from + n - 1 of one conversation, after `n_foreign` of
 * another that nobody follows. */
static void commit(struct fixture *fixture, const char *conversation, uint64_t from, size_t n,
                   size_t n_foreign)
{
    struct hl_batch *batch = hl_batch_create(7, n + n_foreign);

    assert_non_null(batch);
    for (size_t i = 0; i < n_foreign; i++)
        batch->entries[i] = make_entry("cnv_00000000000000000000000000000001", i + 1);
    for (size_t i = 0; i < n; i++)
        batch->entries[n_foreign + i] = make_entry(conversation, from + i);
    hl_broadcast_on_commit(&fixture->hubs[0]->commits, batch);
    hl_batch_unref(batch);
}

static struct fixture_link *join_agent(struct fixture *fixture, const char *conversation)
{
    struct fixture_link *agent = fixture_link_open(fixture, 0);

    fixture_send(fixture, 0, agent,
                 "{\"t\":\"hello\",\"v\":1,\"token\":\"" FIXTURE_AGENT_KEY "\"}");
    fixture_send(fixture, 0, agent, "{\"t\":\"sub\",\"c\":\"%s\"}", conversation);
    fixture_forget_frames(agent);
    return agent;
}

static void assert_run(const struct fixture_link *link, uint64_t from, size_t n)
{
    assert_int_equal(fixture_count(link, "msg"), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(fixture_number(fixture_frame(link, "msg", i), "o"), from + i);
}

static void visit_and_speak(struct fixture *fixture, struct fixture_visitor *visitor)
{
    fixture_visit(fixture, 0, visitor);
    fixture_send(fixture, 0, visitor->link,
                 "{\"t\":\"pub\",\"mid\":\"m1\",\"body\":{\"text\":\"1\"}}");
    fixture_forget_frames(visitor->link);
}

static void test_a_group_is_one_message(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    visit_and_speak(fixture, &visitor);
    struct fixture_link *agent = join_agent(fixture, visitor.conversation);
    commit(fixture, visitor.conversation, 2, 50, 0);
    assert_int_equal(agent->n_messages, 1);
    assert_run(agent, 2, 50);
    assert_run(visitor.link, 2, 50);
}

static void test_more_items_than_fit_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;
    struct fixture_link *agents[N_AGENTS];

    visit_and_speak(fixture, &visitor);
    for (size_t i = 0; i < N_AGENTS; i++)
        agents[i] = join_agent(fixture, visitor.conversation);
    commit(fixture, visitor.conversation, 2, 200, 0); /* 9 x 200 items */
    for (size_t i = 0; i < N_AGENTS; i++) {
        assert_run(agents[i], 2, 200);
        assert_in_range(agents[i]->n_messages, 1, 3);
    }
}

static void test_more_entries_than_texts_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    visit_and_speak(fixture, &visitor);
    commit(fixture, visitor.conversation, 2, 3, 2 * HL_GROUP_ENTRIES + 5);
    assert_run(visitor.link, 2, 3);
}

static void test_what_is_too_much_for_one_message_is_read(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_visitor visitor;

    fixture->limits.pubs_per_s = 0;
    fixture_restart(fixture);
    visit_and_speak(fixture, &visitor);
    for (int i = 2; i <= 500; i++) /* so that the log has them, too */
        fixture_send(fixture, 0, visitor.link,
                     "{\"t\":\"pub\",\"mid\":\"m%d\",\"body\":{\"text\":\"%d\"}}", i, i);
    struct fixture_link *agent = join_agent(fixture, visitor.conversation);
    fixture_send(fixture, 0, agent, "{\"t\":\"ack\",\"c\":\"%s\",\"o\":500}", visitor.conversation);
    agent->is_blocked = true;
    for (int i = 501; i <= 900; i++)
        fixture_send(fixture, 0, visitor.link,
                     "{\"t\":\"pub\",\"mid\":\"m%d\",\"body\":{\"text\":\"%d\"}}", i, i);
    assert_int_equal(fixture_count(agent, "msg"), 0);
    agent->is_blocked = false;
    hl_hub_link_writable(fixture->hubs[0], &agent->link);
    fixture_run(fixture);
    assert_run(agent, 501, 400);
}

#define GROUP_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GROUP_TEST(test_a_group_is_one_message),
        GROUP_TEST(test_more_items_than_fit_at_once),
        GROUP_TEST(test_more_entries_than_texts_at_once),
        GROUP_TEST(test_what_is_too_much_for_one_message_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
