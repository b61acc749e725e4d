#include "session/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/fake_loop.h"

struct hub {
    struct hl_registry_member member;
    struct hl_signal last;
    int n_signals;
    bool has_left;
};

struct fixture {
    struct hl_fake_loop loop;
    struct hl_registry *registry;
    struct hub hubs[2];
};

static const struct hl_id session = {{1}};

static void on_signal(struct hl_registry_member *member, const struct hl_signal *signal)
{
    struct hub *hub = HL_CONTAINER_OF(member, struct hub, member);

    hub->last = *signal;
    hub->n_signals++;
}

static void on_left(struct hl_registry_member *member)
{
    HL_CONTAINER_OF(member, struct hub, member)->has_left = true;
}

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.registry = NULL};
    hl_fake_loop_init(&fixture.loop);
    assert_int_equal(hl_registry_create(3, &fixture.registry), 0);
    for (size_t i = 0; i < 2; i++) {
        fixture.hubs[i].member = (struct hl_registry_member){
            .loop = &fixture.loop.loop, .on_signal = on_signal, .on_left = on_left};
        hl_registry_join(fixture.registry, &fixture.hubs[i].member);
    }
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2; i++)
        hl_registry_leave(&fixture->hubs[i].member);
    (void)hl_fake_loop_run_all(&fixture->loop);
    assert_true(fixture->hubs[0].has_left && fixture->hubs[1].has_left);
    hl_registry_destroy(fixture->registry);
    hl_fake_loop_fini(&fixture->loop);
    return 0;
}

static int attach(struct fixture *fixture, size_t hub, const struct hl_attach *how,
                  uint64_t *out_generation)
{
    struct hl_attach attach = *how;

    attach.session = session;
    attach.member = &fixture->hubs[hub].member;
    return hl_registry_attach(fixture->registry, &attach, out_generation);
}

/* A stream's hello with a token of generation `proof`. */
static uint64_t hello(struct fixture *fixture, size_t hub, uint64_t proof)
{
    uint64_t generation = 0;
    struct hl_attach how = {.is_explicit = true, .proof = proof};

    return attach(fixture, hub, &how, &generation) == 0 ? generation : 0;
}

static void test_generations_rise_with_boots_above(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = hello(fixture, 0, 0);
    uint64_t second = hello(fixture, 0, first);

    assert_int_equal(first >> 32, 3);
    assert_true(second > first);
}

static void test_other_hub_is_fenced(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = hello(fixture, 0, 0);
    uint64_t second = hello(fixture, 1, first);

    (void)hl_fake_loop_run_all(&fixture->loop);
    assert_int_equal(fixture->hubs[0].n_signals, 1);
    assert_int_equal(fixture->hubs[0].last.kind, HL_SIGNAL_FENCE);
    assert_int_equal(fixture->hubs[0].last.generation, second);
    assert_int_equal(fixture->hubs[1].n_signals, 0);
}

static void test_lost_welcome_keeps_the_old_token_good(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = hello(fixture, 0, 0);

    hl_registry_confirm(fixture->registry, &session, first);
    uint64_t lost = hello(fixture, 0, first);
    uint64_t again = hello(fixture, 0, first);
    assert_true(lost > first && again > lost);
    hl_registry_confirm(fixture->registry, &session, again);
    assert_int_equal(hello(fixture, 0, first), 0); /* worthless now */
    assert_int_equal(hello(fixture, 0, lost), 0);
    assert_true(hello(fixture, 0, again) > again);
}

static void test_poll_goes_on_here_only(void **state)
{
    struct fixture *fixture = *state;
    uint64_t generation = hello(fixture, 0, 0);
    struct hl_attach poll = {.session = session,
                             .member = &fixture->hubs[0].member,
                             .is_poll = true,
                             .proof = generation,
                             .generation = generation,
                             .rid = 5};

    assert_int_equal(hl_registry_go_on(fixture->registry, &poll), 0);
    assert_int_equal(hl_registry_go_on(fixture->registry, &poll), 0); /* a repeat */
    poll.rid = 4;
    assert_int_equal(hl_registry_go_on(fixture->registry, &poll), HL_ATTACH_LATE);
    poll.member = &fixture->hubs[1].member;
    assert_int_equal(hl_registry_go_on(fixture->registry, &poll), HL_ATTACH_UNKNOWN);
    poll.rid = 6;
    uint64_t moved = 0;
    assert_int_equal(attach(fixture, 1, &poll, &moved), 0);
    assert_true(moved > generation);
}

static void test_repeated_request_keeps_its_generation(void **state)
{
    struct fixture *fixture = *state;
    struct hl_attach poll = {.is_poll = true, .is_explicit = true, .rid = 7};
    uint64_t first = 0, same = 0, next = 0;

    assert_int_equal(attach(fixture, 0, &poll, &first), 0);
    assert_int_equal(attach(fixture, 0, &poll, &same), 0);
    assert_int_equal(same, first);
    poll.rid = 8; /* the next request of a client that did not get the welcome */
    assert_int_equal(attach(fixture, 0, &poll, &next), 0);
    assert_true(next > first);
    poll.rid = 7;
    assert_int_equal(attach(fixture, 0, &poll, &same), HL_ATTACH_LATE);
}

/* Its own move to another hub has raised the generation, and is confirmed: an older request that
 * was long on the way is late; one with a higher number is another client's. */
static void test_overtaken_poll_is_late(void **state)
{
    struct fixture *fixture = *state;
    struct hl_attach poll = {.is_poll = true, .is_explicit = true, .rid = 1};
    uint64_t first = 0, moved = 0, none = 0;

    assert_int_equal(attach(fixture, 0, &poll, &first), 0);
    poll = (struct hl_attach){.is_poll = true, .proof = first, .generation = first, .rid = 5};
    assert_int_equal(attach(fixture, 1, &poll, &moved), 0);
    hl_registry_confirm(fixture->registry, &session, moved);
    for (size_t hub = 0; hub < 2; hub++) {
        poll.rid = 4;
        assert_int_equal(attach(fixture, hub, &poll, &none), HL_ATTACH_LATE);
        poll.rid = 6;
        assert_int_equal(attach(fixture, hub, &poll, &none), HL_ATTACH_REPLACED);
    }
}

static void test_pace_goes_along(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = hello(fixture, 0, 0);
    struct hl_pace pace = {.seq = 7, .pub_tokens = 5, .pub_tokens_ms = 3};
    struct hl_pace known;

    assert_false(hl_registry_pace(fixture->registry, &session, &known));
    hl_registry_detach(fixture->registry, &session, first, &pace);
    assert_true(hello(fixture, 1, first) > first);
    assert_true(hl_registry_pace(fixture->registry, &session, &known));
    assert_int_equal(known.seq, 7);
    assert_int_equal(known.pub_tokens, 5);
}

/* A page that is loaded again begins with request 1 and the token it has kept, though a poll of
 * the page before it has just moved to another hub. */
static void test_reloaded_page_is_let_in(void **state)
{
    struct fixture *fixture = *state;
    struct hl_attach poll = {.is_poll = true, .is_explicit = true, .rid = 1};
    uint64_t first = 0, moved = 0, again = 0;

    assert_int_equal(attach(fixture, 0, &poll, &first), 0);
    poll = (struct hl_attach){.is_poll = true, .proof = first, .generation = first, .rid = 5};
    assert_int_equal(attach(fixture, 1, &poll, &moved), 0);
    poll = (struct hl_attach){.is_poll = true, .is_explicit = true, .proof = first, .rid = 1};
    assert_int_equal(attach(fixture, 0, &poll, &again), 0);
    assert_true(again > moved && moved > first);
}

static void test_old_poll_does_not_end_a_new_stream(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = hello(fixture, 0, 0);
    struct hl_attach poll = {
        .session = session, .is_poll = true, .proof = first, .generation = first, .rid = 9};
    uint64_t generation;

    uint64_t second = hello(fixture, 0, first);
    assert_int_equal(attach(fixture, 0, &poll, &generation), HL_ATTACH_LATE);
    /* the stream is gone and nobody saw its welcome: the poll is let in */
    hl_registry_detach(fixture->registry, &session, second, &(struct hl_pace){.seq = 1});
    assert_int_equal(attach(fixture, 0, &poll, &generation), 0);
    hl_registry_confirm(fixture->registry, &session, generation);
    assert_int_equal(attach(fixture, 0, &poll, &generation), HL_ATTACH_REPLACED);
}

static void test_forgets_only_the_newest(void **state)
{
    struct fixture *fixture = *state;
    uint64_t first = hello(fixture, 0, 0);
    uint64_t second = hello(fixture, 0, first);

    hl_registry_forget(fixture->registry, &session, first);
    assert_int_equal(hl_registry_n_sessions(fixture->registry), 1);
    hl_registry_forget(fixture->registry, &session, second);
    assert_int_equal(hl_registry_n_sessions(fixture->registry), 0);
}

static void test_signals_reach_all(void **state)
{
    struct fixture *fixture = *state;
    struct hl_signal signal = {.kind = HL_SIGNAL_TYPING, .is_on = true};

    for (int i = 0; i < 20000; i++)
        hl_registry_tell(fixture->registry, &signal);
    (void)hl_fake_loop_run_all(&fixture->loop);
    for (size_t i = 0; i < 2; i++) { /* bounded: the rest was dropped */
        assert_true(fixture->hubs[i].n_signals > 1000);
        assert_true(fixture->hubs[i].n_signals < 20000);
        assert_true(fixture->hubs[i].last.is_on);
    }
}

#define REGISTRY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(test_generations_rise_with_boots_above),
        REGISTRY_TEST(test_other_hub_is_fenced),
        REGISTRY_TEST(test_lost_welcome_keeps_the_old_token_good),
        REGISTRY_TEST(test_poll_goes_on_here_only),
        REGISTRY_TEST(test_repeated_request_keeps_its_generation),
        REGISTRY_TEST(test_overtaken_poll_is_late),
        REGISTRY_TEST(test_pace_goes_along),
        REGISTRY_TEST(test_reloaded_page_is_let_in),
        REGISTRY_TEST(test_old_poll_does_not_end_a_new_stream),
        REGISTRY_TEST(test_forgets_only_the_newest),
        REGISTRY_TEST(test_signals_reach_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
