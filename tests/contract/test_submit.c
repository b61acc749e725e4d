/* Order, idempotency and conditions: what log.h says of submits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/contract/fixture.h"

static const struct hl_author anna = {.role = HL_ROLE_AGENT, .id = {{0xaa}}};
static const struct hl_author bert = {.role = HL_ROLE_AGENT, .id = {{0xbb}}};

static void test_order(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t i = 1; i <= 5; i++) {
        char mid[24];
        (void)snprintf(mid, sizeof(mid), "m%llu", (unsigned long long)i);
        struct hl_client_answer one = fixture_say(fixture, 10, mid);
        struct hl_client_answer two = fixture_say(fixture, 20, mid);
        assert_int_equal(one.offset, i);
        assert_int_equal(two.offset, i);
        assert_int_equal(one.position, 2 * i - 1);
        assert_int_equal(two.position, 2 * i);
        assert_int_equal(one.wall_ms, fixture->clock.wall_ms);
        assert_false(one.duplicate);
        assert_int_equal(one.conversation.head, i);
        assert_string_equal(one.conversation.site, "main");
    }
}

static void test_unknown_conversation(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_answer answer = hl_log_client_submit(
        &fixture->client,
        &(struct hl_client_entry){.conversation = hl_test_id(1), .mid = "a", .must_exist = true});

    assert_int_equal(answer.r, HL_LOG_UNKNOWN);
    (void)fixture_say(fixture, 1, "a");
    answer = hl_log_client_submit(
        &fixture->client,
        &(struct hl_client_entry){.conversation = hl_test_id(1), .mid = "b", .must_exist = true});
    assert_int_equal(answer.r, 0);
    assert_int_equal(answer.offset, 2);
}

static void test_same_mid_same_content(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_answer first = fixture_say(fixture, 1, "mid");

    (void)fixture_say(fixture, 1, "other");
    hl_fake_clock_advance(&fixture->clock, 5000);
    for (int i = 0; i < 3; i++) {
        struct hl_client_answer again = fixture_say(fixture, 1, "mid");
        assert_true(again.duplicate);
        assert_int_equal(again.offset, first.offset);
        assert_int_equal(again.position, first.position);
        assert_int_equal(again.wall_ms, first.wall_ms);
        assert_int_equal(again.conversation.head, 2);
        (void)fixture_reopen(fixture);
    }
    /* another author, another conversation: other mids */
    struct hl_client_answer other = hl_log_client_submit(
        &fixture->client,
        &(struct hl_client_entry){.conversation = hl_test_id(1), .mid = "mid", .author = anna});
    assert_int_equal(other.r, 0);
    assert_false(other.duplicate);
    assert_false(fixture_say(fixture, 2, "mid").duplicate);
}

static void test_same_mid_other_content(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_entry base = {.conversation = hl_test_id(1), .mid = "mid"};
    struct hl_client_entry body = base;
    struct hl_client_entry kind = base;
    struct hl_client_entry subject = base;

    (void)fixture_say(fixture, 1, "mid");
    body.body = "{\"text\":\"hello \"}";
    kind.kind = HL_ENTRY_FORM;
    subject.subject = hl_test_id(9);
    assert_int_equal(hl_log_client_submit(&fixture->client, &body).r, HL_LOG_MID_CONFLICT);
    assert_int_equal(hl_log_client_submit(&fixture->client, &kind).r, HL_LOG_MID_CONFLICT);
    assert_int_equal(hl_log_client_submit(&fixture->client, &subject).r, HL_LOG_MID_CONFLICT);
    assert_int_equal(fixture_say(fixture, 1, "next").offset, 2);
}

static void test_repeat_within_one_group(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_entry entry = {.conversation = hl_test_id(1), .mid = "mid"};
    struct hl_client_answer answers[8];
    bool answered[8];
    size_t n_duplicates = 0;

    for (size_t i = 0; i < 8; i++)
        assert_int_equal(hl_log_client_begin(&fixture->client, &entry, &answers[i], &answered[i]),
                         0);
    for (size_t i = 0; i < 8; i++) {
        assert_true(hl_fake_loop_run_until(&fixture->client.loop, &answered[i]));
        assert_int_equal(answers[i].r, 0);
        assert_int_equal(answers[i].offset, 1);
        n_duplicates += answers[i].duplicate;
    }
    assert_int_equal(n_duplicates, 7);
}

static void test_if_seen(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_entry reply = {
        .conversation = hl_test_id(1),
        .author = anna,
        .mid = "r1",
        .when = {.has_if_seen = true, .if_seen = 1},
    };

    (void)fixture_say(fixture, 1, "a");
    (void)fixture_say(fixture, 1, "b");
    struct hl_client_answer answer = hl_log_client_submit(&fixture->client, &reply);
    assert_int_equal(answer.r, HL_LOG_STALE);
    assert_int_equal(answer.conversation.head, 2);
    reply.when.if_seen = 2;
    assert_int_equal(hl_log_client_submit(&fixture->client, &reply).r, 0);
    /* one's own entries do not count, also after the log was opened again */
    reply.mid = "r2";
    (void)fixture_reopen(fixture);
    assert_int_equal(hl_log_client_submit(&fixture->client, &reply).r, 0);
    reply.mid = "r3";
    reply.author = bert;
    assert_int_equal(hl_log_client_submit(&fixture->client, &reply).r, HL_LOG_STALE);
    /* a repeat succeeds whatever happened since */
    (void)fixture_say(fixture, 1, "c");
    reply.mid = "r1";
    reply.author = anna;
    answer = hl_log_client_submit(&fixture->client, &reply);
    assert_int_equal(answer.r, 0);
    assert_true(answer.duplicate);
    /* a new conversation has nothing unseen */
    reply.conversation = hl_test_id(2);
    reply.when.if_seen = 0;
    assert_int_equal(hl_log_client_submit(&fixture->client, &reply).r, 0);
}

static void test_if_unassigned(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_entry claim = {
        .conversation = hl_test_id(1),
        .author = anna,
        .kind = HL_ENTRY_CLAIMED,
        .subject = anna.id,
        .body = "{}",
        .mid = "claim",
        .when = {.if_unassigned = true},
        .must_exist = true,
    };

    (void)fixture_say(fixture, 1, "a");
    struct hl_client_answer answer = hl_log_client_submit(&fixture->client, &claim);
    assert_int_equal(answer.r, 0);
    assert_true(hl_id_equal(&answer.conversation.assignee, &anna.id));
    assert_int_equal(answer.conversation.revision, 2);
    claim.author = bert;
    claim.subject = bert.id;
    answer = hl_log_client_submit(&fixture->client, &claim);
    assert_int_equal(answer.r, HL_LOG_ASSIGNED);
    assert_true(hl_id_equal(&answer.conversation.assignee, &anna.id));
    (void)fixture_reopen(fixture);
    assert_int_equal(hl_log_client_submit(&fixture->client, &claim).r, HL_LOG_ASSIGNED);
}

static void test_if_revision(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_entry close = {
        .conversation = hl_test_id(1),
        .author = anna,
        .kind = HL_ENTRY_CLOSED,
        .body = "{}",
        .mid = "close",
        .when = {.has_if_revision = true, .if_revision = 2},
    };

    (void)fixture_say(fixture, 1, "a");
    (void)fixture_say(fixture, 1, "b"); /* changes nothing but the head */
    struct hl_client_answer answer = hl_log_client_submit(&fixture->client, &close);
    assert_int_equal(answer.r, HL_LOG_REVISION);
    assert_int_equal(answer.conversation.revision, 1);
    close.when.if_revision = 1;
    answer = hl_log_client_submit(&fixture->client, &close);
    assert_int_equal(answer.r, 0);
    assert_int_equal(answer.conversation.status, HL_STATUS_CLOSED);
    assert_int_equal(answer.conversation.revision, 3);
}

static void test_reference_is_unique(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_entry one = {
        .conversation = hl_test_id(1), .mid = "a", .reference = "HL-1", .site = "shop"};
    struct hl_client_entry two = one;

    two.conversation = hl_test_id(2);
    assert_int_equal(hl_log_client_submit(&fixture->client, &one).r, 0);
    assert_int_equal(hl_log_client_submit(&fixture->client, &two).r, HL_LOG_REFERENCE_TAKEN);
    one.mid = "b"; /* the opening of a conversation that exists is not looked at */
    assert_int_equal(hl_log_client_submit(&fixture->client, &one).r, 0);

    struct hl_log_find find = {.reference = "HL-1"};
    assert_int_equal(hl_log_client_find(&fixture->client, &find), 0);
    assert_true(hl_id_equal(&find.found.id, &one.conversation));
    assert_string_equal(find.found.site, "shop");
    assert_string_equal(find.found.reference, "HL-1");
    struct hl_log_find none = {.reference = "HL-2"};
    assert_int_equal(hl_log_client_find(&fixture->client, &none), HL_LOG_UNKNOWN);
}

static void test_inbox_and_identity(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_entry opening = {.conversation = hl_test_id(1),
                                      .mid = "a",
                                      .inbox = hl_test_id(7),
                                      .identity = "customer-4711"};
    struct hl_client_entry move = {.conversation = hl_test_id(1),
                                   .author = anna,
                                   .kind = HL_ENTRY_MOVED,
                                   .subject = hl_test_id(8),
                                   .mid = "b",
                                   .body = "{}"};
    struct hl_client_entry claim = {.conversation = hl_test_id(1),
                                    .author = anna,
                                    .kind = HL_ENTRY_CLAIMED,
                                    .subject = anna.id,
                                    .mid = "c",
                                    .body = "{}"};
    struct hl_log_find find = {.conversation = hl_test_id(1)};

    assert_int_equal(hl_log_client_submit(&fixture->client, &opening).r, 0);
    assert_int_equal(hl_log_client_submit(&fixture->client, &claim).r, 0);
    (void)fixture_reopen(fixture);
    assert_int_equal(hl_log_client_find(&fixture->client, &find), 0);
    assert_string_equal(find.found.identity, "customer-4711");
    assert_true(hl_id_equal(&find.found.inbox, &opening.inbox));
    assert_true(hl_id_equal(&find.found.assignee, &anna.id));
    struct hl_client_answer moved = hl_log_client_submit(&fixture->client, &move);
    assert_int_equal(moved.r, 0);
    assert_int_equal(moved.conversation.revision, 3);
    (void)fixture_reopen(fixture);
    assert_int_equal(hl_log_client_find(&fixture->client, &find), 0);
    assert_true(hl_id_equal(&find.found.inbox, &move.subject));
    assert_true(hl_id_is_zero(&find.found.assignee));
    assert_int_equal(find.found.revision, 3);
    (void)fixture_say(fixture, 2, "a");
    find.conversation = hl_test_id(2);
    assert_int_equal(hl_log_client_find(&fixture->client, &find), 0);
    assert_true(hl_id_is_zero(&find.found.inbox));
    assert_string_equal(find.found.identity, "");
    struct hl_log_scan scan = {.limit = 10, .bytes_max = 1000};
    assert_int_equal(hl_log_client_scan(&fixture->client, &scan), 0);
    const struct hl_entry *last_of_moved = scan.batch->entries[2];
    assert_string_equal(last_of_moved->place.site, find.found.site);
    assert_true(hl_id_equal(&last_of_moved->place.inbox, &move.subject));
    assert_true(hl_id_is_zero(&scan.batch->entries[3]->place.inbox));
    hl_batch_unref(scan.batch);
}

static void test_queue_full(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_answer answers[200];
    bool answered[200];
    size_t n_taken = 0;
    size_t n_busy = 0;

    fixture_close(fixture);
    fixture->queue_max = 1;
    fixture_open(fixture);
    for (size_t i = 0; i < 200; i++) {
        struct hl_client_entry entry = {.conversation = hl_test_id(i), .mid = "a"};
        int r =
            hl_log_client_begin(&fixture->client, &entry, &answers[n_taken], &answered[n_taken]);
        assert_true(r == 0 || r == HL_LOG_BUSY);
        n_taken += r == 0;
        n_busy += r == HL_LOG_BUSY;
    }
    assert_true(n_taken >= 1 && n_busy >= 1);
    for (size_t i = 0; i < n_taken; i++) {
        assert_true(hl_fake_loop_run_until(&fixture->client.loop, &answered[i]));
        assert_int_equal(answers[i].r, 0);
    }
}

static void test_close_completes_what_was_taken(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_answer answers[100];
    bool answered[100];

    for (size_t i = 0; i < 100; i++) {
        struct hl_client_entry entry = {.conversation = hl_test_id(i % 3), .mid = "a"};
        char mid[24];
        (void)snprintf(mid, sizeof(mid), "%zu", i);
        entry.mid = mid;
        assert_int_equal(hl_log_client_begin(&fixture->client, &entry, &answers[i], &answered[i]),
                         0);
    }
    fixture_close(fixture);
    for (size_t i = 0; i < 100; i++) {
        assert_true(answered[i]);
        assert_int_equal(answers[i].r, 0);
        assert_int_equal(answers[i].position, i + 1);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_unknown_conversation, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_same_mid_same_content, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_same_mid_other_content, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_repeat_within_one_group, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_if_seen, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_if_unassigned, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_if_revision, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_reference_is_unique, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_inbox_and_identity, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_queue_full, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_close_completes_what_was_taken, fixture_setup,
                                        fixture_teardown),
    };

    if (argc != 2 || !fixture_select_engine(argv[1]))
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
}
