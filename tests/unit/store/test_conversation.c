#include "store/conversation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct hl_id anna = {{0xa}};
static const struct hl_id bert = {{0xb}};
static const struct hl_id nobody;

/* What an entry does to a conversation, in one line of a table. */
struct step {
    enum hl_role role;
    enum hl_entry_kind kind;
    const struct hl_id *subject; /* NULL: none */
    bool changes;
    enum hl_status status;
    bool waits;
    const struct hl_id *assignee;
};

static const struct step steps[] = {
    {HL_ROLE_VISITOR, HL_ENTRY_MESSAGE, NULL, true, HL_STATUS_OPEN, true, &nobody},
    {HL_ROLE_VISITOR, HL_ENTRY_MESSAGE, NULL, false, HL_STATUS_OPEN, true, &nobody},
    {HL_ROLE_AGENT, HL_ENTRY_NOTE, NULL, false, HL_STATUS_OPEN, true, &nobody},
    {HL_ROLE_AGENT, HL_ENTRY_CLAIMED, &anna, true, HL_STATUS_OPEN, true, &anna},
    {HL_ROLE_AGENT, HL_ENTRY_CLAIMED, &anna, false, HL_STATUS_OPEN, true, &anna},
    {HL_ROLE_SYSTEM, HL_ENTRY_MESSAGE, NULL, false, HL_STATUS_OPEN, true, &anna},
    {HL_ROLE_AGENT, HL_ENTRY_MESSAGE, NULL, true, HL_STATUS_OPEN, false, &anna},
    {HL_ROLE_AGENT, HL_ENTRY_MESSAGE, NULL, false, HL_STATUS_OPEN, false, &anna},
    {HL_ROLE_AGENT, HL_ENTRY_TRANSFERRED, &bert, true, HL_STATUS_OPEN, false, &bert},
    {HL_ROLE_VISITOR, HL_ENTRY_FORM, NULL, true, HL_STATUS_OPEN, true, &bert},
    {HL_ROLE_AGENT, HL_ENTRY_CLOSED, NULL, true, HL_STATUS_CLOSED, false, &bert},
    {HL_ROLE_AGENT, HL_ENTRY_CLOSED, NULL, false, HL_STATUS_CLOSED, false, &bert},
    {HL_ROLE_VISITOR, HL_ENTRY_RATED, NULL, false, HL_STATUS_CLOSED, false, &bert},
    {HL_ROLE_VISITOR, HL_ENTRY_MESSAGE, NULL, true, HL_STATUS_OPEN, true, &bert},
    {HL_ROLE_AGENT, HL_ENTRY_RELEASED, NULL, true, HL_STATUS_OPEN, true, &nobody},
    {HL_ROLE_AGENT, HL_ENTRY_CLOSED, NULL, true, HL_STATUS_CLOSED, false, &nobody},
    {HL_ROLE_AGENT, HL_ENTRY_REOPENED, NULL, true, HL_STATUS_OPEN, false, &nobody},
    {HL_ROLE_AGENT, HL_ENTRY_UPDATED, NULL, true, HL_STATUS_OPEN, false, &nobody},
    {HL_ROLE_AGENT, HL_ENTRY_CLAIMED, &anna, true, HL_STATUS_OPEN, false, &anna},
    {HL_ROLE_AGENT, HL_ENTRY_MOVED, &bert, true, HL_STATUS_OPEN, false, &nobody},
    {HL_ROLE_VISITOR, HL_ENTRY_MESSAGE, NULL, true, HL_STATUS_OPEN, true, &nobody},
    {HL_ROLE_SYSTEM, HL_ENTRY_ERASED, NULL, true, HL_STATUS_CLOSED, false, &nobody},
};

static void test_fold(void **state)
{
    struct hl_conversation conversation = {.id = {{1}}, .identity = "customer-1"};
    uint64_t revision = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const struct step *step = &steps[i];
        struct hl_entry entry = {
            .kind = (uint8_t)step->kind,
            .author.role = (uint8_t)step->role,
            .conversation = conversation.id,
            .subject = step->subject != NULL ? *step->subject : nobody,
            .offset = i + 1,
            .wall_ms = 1000 + (int64_t)i,
        };
        bool changed = hl_conversation_apply(&conversation, &entry);
        if (changed)
            revision = entry.offset;
        if (changed != step->changes || conversation.status != step->status ||
            (conversation.waiting_since_ms != 0) != step->waits ||
            !hl_id_equal(&conversation.assignee, step->assignee))
            fail_msg("step %zu", i);
        assert_int_equal(conversation.revision, revision);
        assert_int_equal(conversation.head, i + 1);
        assert_int_equal(conversation.updated_ms, entry.wall_ms);
    }
    assert_int_equal(conversation.opened_ms, 1000);
    assert_int_equal(conversation.claimed_ms, 1018);
    assert_true(hl_id_equal(&conversation.inbox, &bert));
    assert_true(conversation.is_erased);
    assert_string_equal(conversation.identity, "");
}

static void test_wait_keeps_the_oldest(void **state)
{
    struct hl_conversation conversation = {.id = {{1}}};

    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        struct hl_entry entry = {.kind = HL_ENTRY_MESSAGE,
                                 .author.role = HL_ROLE_VISITOR,
                                 .conversation = conversation.id,
                                 .offset = i,
                                 .wall_ms = (int64_t)i * 10};
        (void)hl_conversation_apply(&conversation, &entry);
    }
    assert_int_equal(conversation.waiting_since_ms, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_wait_keeps_the_oldest),
    };

    return cmocka_run_group_tests_name("conversation", tests, NULL, NULL);
}
