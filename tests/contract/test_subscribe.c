/* What a subscriber hears, and in which order with the answers of its own loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/contract/fixture.h"

/* A subscriber that writes down what it hears. */
struct listener {
    struct hl_log_subscription subscription;
    uint64_t position; /* of the last entry heard */
    size_t n_entries;
    size_t n_calls;
    bool all_heard;
    size_t n_expected;
    const bool *answered; /* own answer that must come before its entry; may be NULL */
    bool too_early;
};

static void hear_batch(struct hl_log_subscription *subscription, struct hl_batch *batch)
{
    struct listener *listener = HL_CONTAINER_OF(subscription, struct listener, subscription);

    listener->n_calls++;
    for (size_t i = 0; i < batch->n_entries; i++) {
        assert_int_equal(batch->entries[i]->position, listener->position + 1);
        assert_true(batch->entries[i]->offset > 0 && batch->entries[i]->wall_ms > 0);
        listener->position++;
        listener->n_entries++;
    }
    if (batch->n_entries > 0 && listener->answered != NULL && !*listener->answered)
        listener->too_early = true;
    listener->all_heard = listener->n_entries >= listener->n_expected;
}

static struct listener make_listener(struct fixture *fixture, struct hl_fake_loop *loop)
{
    (void)fixture;
    return (struct listener){.subscription = {.loop = &loop->loop, .on_commit = hear_batch}};
}

static void test_own_answers_come_first(void **state)
{
    struct fixture *fixture = *state;
    struct listener listener = make_listener(fixture, &fixture->client.loop);
    struct hl_client_entry entry = {.conversation = hl_test_id(1), .mid = "a"};
    struct hl_client_answer answer;
    bool answered = false;

    listener.answered = &answered;
    listener.n_expected = 1;
    hl_log_subscribe(fixture->log, &listener.subscription);
    assert_int_equal(hl_log_client_begin(&fixture->client, &entry, &answer, &answered), 0);
    assert_true(hl_fake_loop_run_until(&fixture->client.loop, &listener.all_heard));
    assert_true(answered);
    assert_false(listener.too_early);
    /* a group without new entries ends as well */
    size_t n_calls = listener.n_calls;
    assert_true(fixture_say(fixture, 1, "a").duplicate);
    (void)hl_fake_loop_run_all(&fixture->client.loop);
    assert_int_equal(listener.n_calls, n_calls + 1);
    assert_int_equal(listener.n_entries, 1);
    hl_log_unsubscribe(fixture->log, &listener.subscription);
}

static void test_every_loop_hears_all_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct hl_fake_loop other;
    struct listener here = make_listener(fixture, &fixture->client.loop);
    struct listener there = make_listener(fixture, &other);

    hl_fake_loop_init(&other);
    here.n_expected = there.n_expected = 50;
    hl_log_subscribe(fixture->log, &here.subscription);
    hl_log_subscribe(fixture->log, &there.subscription);
    for (size_t i = 0; i < 50; i++) {
        char mid[24];
        (void)snprintf(mid, sizeof(mid), "%zu", i);
        (void)fixture_say(fixture, i % 5, mid);
    }
    assert_true(hl_fake_loop_run_until(&fixture->client.loop, &here.all_heard));
    assert_true(hl_fake_loop_run_until(&other, &there.all_heard));
    assert_int_equal(here.n_entries, 50);
    assert_int_equal(there.n_entries, 50);
    hl_log_unsubscribe(fixture->log, &there.subscription);
    (void)fixture_say(fixture, 1, "unheard");
    (void)hl_fake_loop_run_all(&other);
    (void)hl_fake_loop_run_all(&fixture->client.loop);
    assert_int_equal(here.n_entries, 51);
    assert_int_equal(there.n_entries, 50);
    hl_log_unsubscribe(fixture->log, &here.subscription);
    hl_fake_loop_fini(&other);
}

static void test_nothing_after_unsubscribe(void **state)
{
    struct fixture *fixture = *state;
    struct hl_fake_loop other;
    struct listener listener = make_listener(fixture, &other);

    hl_fake_loop_init(&other);
    hl_log_subscribe(fixture->log, &listener.subscription);
    (void)fixture_say(fixture, 1, "a"); /* under way to the other loop, or there already */
    hl_log_unsubscribe(fixture->log, &listener.subscription);
    (void)hl_fake_loop_run_all(&other);
    assert_int_equal(listener.n_entries, 0);
    fixture_close(fixture);
    (void)hl_fake_loop_run_all(&other);
    assert_int_equal(listener.n_entries, 0);
    hl_fake_loop_fini(&other);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_own_answers_come_first, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_every_loop_hears_all_in_order, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_nothing_after_unsubscribe, fixture_setup,
                                        fixture_teardown),
    };

    if (argc != 2 || !fixture_select_engine(argv[1]))
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
}
