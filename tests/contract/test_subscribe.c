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
        assert_true(batch->entries[i]->place.site[0] != '\0');
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

/* A subscriber that keeps the last mark it was told of. */
struct reader {
    struct hl_log_subscription subscription;
    struct hl_log_mark mark;
    size_t n_marks;
    uint64_t expected;
    bool has_expected;
};

static void pass_batch(struct hl_log_subscription *subscription, struct hl_batch *batch)
{
    (void)subscription;
    (void)batch;
}

static void hear_mark(struct hl_log_subscription *subscription, const struct hl_log_mark *mark)
{
    struct reader *reader = HL_CONTAINER_OF(subscription, struct reader, subscription);

    reader->n_marks++;
    reader->mark = *mark;
    reader->has_expected = mark->read == reader->expected;
}

static void mark_read(struct fixture *fixture, uint64_t read)
{
    hl_log_mark(fixture->log, &(struct hl_log_mark){.conversation = hl_test_id(1),
                                                    .participant = {HL_ROLE_AGENT, hl_test_id(9)},
                                                    .delivered = read,
                                                    .read = read});
}

static void test_marks_are_told_on_every_loop(void **state)
{
    struct fixture *fixture = *state;
    struct hl_fake_loop other;
    struct reader here = {.subscription = {.loop = &fixture->client.loop.loop,
                                           .on_commit = pass_batch,
                                           .on_mark = hear_mark},
                          .expected = 2};
    struct reader there = here;

    hl_fake_loop_init(&other);
    there.subscription.loop = &other.loop;
    (void)fixture_say(fixture, 1, "a");
    (void)fixture_say(fixture, 1, "b");
    hl_log_subscribe(fixture->log, &here.subscription);
    hl_log_subscribe(fixture->log, &there.subscription);
    mark_read(fixture, 1);
    assert_int_equal(here.n_marks, 0); /* never from within */
    mark_read(fixture, 2);
    assert_true(hl_fake_loop_run_until(&fixture->client.loop, &here.has_expected));
    assert_true(hl_fake_loop_run_until(&other, &there.has_expected));
    assert_true(hl_id_equal(&there.mark.conversation, &(struct hl_id[]){hl_test_id(1)}[0]));
    assert_int_equal(there.mark.participant.role, HL_ROLE_AGENT);
    assert_int_equal(there.mark.delivered, 2);

    size_t n_marks = here.n_marks;
    mark_read(fixture, 1); /* raises nothing */
    (void)hl_fake_loop_run_all(&fixture->client.loop);
    assert_int_equal(here.n_marks, n_marks);
    n_marks = there.n_marks;
    mark_read(fixture, 3); /* on its way when the subscriber leaves */
    hl_log_unsubscribe(fixture->log, &there.subscription);
    (void)hl_fake_loop_run_all(&other);
    assert_int_equal(there.n_marks, n_marks);
    hl_log_unsubscribe(fixture->log, &here.subscription);
    (void)hl_fake_loop_run_all(&fixture->client.loop);
    hl_fake_loop_fini(&other);
}

static void test_marks_come_with_a_page(void **state)
{
    struct fixture *fixture = *state;
    struct hl_log_marks marks = {.n_items = 0};
    struct hl_log_read read = {
        .conversation = hl_test_id(1), .limit = 10, .bytes_max = 1000, .marks = &marks};

    (void)fixture_say(fixture, 1, "a");
    mark_read(fixture, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hl_log_client_read(&fixture->client, &read), 0);
        assert_int_equal(read.batch->n_entries, 1);
        hl_batch_unref(read.batch);
        assert_int_equal(marks.n_items, 1);
        assert_int_equal(marks.items[0].read, 1);
        (void)fixture_reopen(fixture);
    }
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
        cmocka_unit_test_setup_teardown(test_marks_are_told_on_every_loop, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_marks_come_with_a_page, fixture_setup,
                                        fixture_teardown),
    };

    if (argc != 2 || !fixture_select_engine(argv[1]))
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
}
