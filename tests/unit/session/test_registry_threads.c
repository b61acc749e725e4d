/* The registry from two threads at once: what the thread sanitizer is to look at. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session/registry.h"
#include "tests/support/fake_loop.h"

enum { N_HUBS = 2, N_SESSIONS = 16, N_ROUNDS = 20000 };

struct hub {
    struct hl_registry_member member;
    struct hl_fake_loop loop;
    struct hl_registry *registry;
    uint64_t generations[N_SESSIONS]; /* what this hub holds; 0: nothing */
    uint64_t n_attached, n_fenced, n_heard;
    bool has_left;
};

static atomic_int n_done;

static void on_signal(struct hl_registry_member *member, const struct hl_signal *signal)
{
    struct hub *hub = HL_CONTAINER_OF(member, struct hub, member);
    uint8_t i = signal->session.b[0];

    if (signal->kind != HL_SIGNAL_FENCE) {
        hub->n_heard++;
    } else if (hub->generations[i] < signal->generation && hub->generations[i] != 0) {
        hub->generations[i] = 0;
        hub->n_fenced++;
    }
}

static void on_left(struct hl_registry_member *member)
{
    HL_CONTAINER_OF(member, struct hub, member)->has_left = true;
}

static void do_round(struct hub *hub, unsigned round)
{
    uint8_t i = (uint8_t)(round * 7 % N_SESSIONS);
    struct hl_attach attach = {
        .session = {{i}}, .member = &hub->member, .is_explicit = true, .proof = HL_PROOF_KEY};
    struct hl_signal signal = {.kind = HL_SIGNAL_TYPING};
    const struct hl_pace pace = {.seq = 1};
    uint64_t generation;

    if (hl_registry_attach(hub->registry, &attach, &generation) == 0) {
        hub->generations[i] = generation;
        hub->n_attached++;
        hl_registry_confirm(hub->registry, &attach.session, generation);
    }
    if (round % 16 == 0)
        hl_registry_tell(hub->registry, &signal);
    if (round % 5 == 0)
        hl_registry_detach(hub->registry, &attach.session, generation, &pace);
    (void)hl_fake_loop_run_all(&hub->loop);
}

static void *run_hub(void *arg)
{
    struct hub *hub = arg;

    for (unsigned round = 0; round < N_ROUNDS; round++)
        do_round(hub, round);
    atomic_fetch_add(&n_done, 1);
    while (atomic_load(&n_done) < N_HUBS)
        (void)hl_fake_loop_run_one(&hub->loop);
    (void)hl_fake_loop_run_all(&hub->loop);
    for (uint8_t i = 0; i < N_SESSIONS; i++) {
        struct hl_id session = {{i}};
        hl_registry_forget(hub->registry, &session, hub->generations[i]);
    }
    hl_registry_leave(&hub->member);
    return hl_fake_loop_run_until(&hub->loop, &hub->has_left) ? hub : NULL;
}

static void test_two_threads(void **state)
{
    static struct hub hubs[N_HUBS];
    struct hl_registry *registry;
    pthread_t threads[N_HUBS];

    (void)state;
    assert_int_equal(hl_registry_create(1, &registry), 0);
    for (size_t i = 0; i < N_HUBS; i++) {
        hl_fake_loop_init(&hubs[i].loop);
        hubs[i].registry = registry;
        hubs[i].member = (struct hl_registry_member){
            .loop = &hubs[i].loop.loop, .on_signal = on_signal, .on_left = on_left};
        hl_registry_join(registry, &hubs[i].member);
    }
    for (size_t i = 0; i < N_HUBS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_hub, &hubs[i]), 0);
    for (size_t i = 0; i < N_HUBS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
        assert_int_equal(hubs[i].n_attached, N_ROUNDS);
        hl_fake_loop_fini(&hubs[i].loop);
    }
    /* each session was in one place at the end, and that place forgot it */
    assert_int_equal(hl_registry_n_sessions(registry), 0);
    hl_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
