#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { HEAL_ROUNDS = 2000, SETTLE_ROUNDS = 20, SESSIONS_MAX = 400 };

const char *sim_bug_name(enum sim_bug bug)
{
    static const char *const names[SIM_BUG_END] = {
        [SIM_BUG_NONE] = "none",
        [SIM_BUG_ACK_WITHOUT_STORE] = "ack-without-store",
        [SIM_BUG_DOUBLE_ENTRY] = "double-entry",
        [SIM_BUG_HIDE_ENTRY] = "hide-entry",
        [SIM_BUG_SWAP_ENTRIES] = "swap-entries",
        [SIM_BUG_FORGET_COMMITS] = "forget-commits",
        [SIM_BUG_FALSE_EPOCH] = "false-epoch",
        [SIM_BUG_UNFENCED] = "unfenced",
        [SIM_BUG_FORGET_MARKS] = "forget-marks",
    };
    return names[bug];
}

uint64_t sim_random(struct sim_world *world, uint64_t below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random % below;
}

bool sim_chance(struct sim_world *world, unsigned percent)
{
    return sim_random(world, 100) < percent;
}

uint64_t sim_now(struct sim_world *world)
{
    return hl_clock_mono_ms(&world->clock.clock);
}

void sim_fail(struct sim_world *world, const char *failure, const char *format, ...)
{
    va_list args;

    if (world->failure != NULL)
        return;
    world->failure = failure;
    va_start(args, format);
    (void)vsnprintf(world->failure_detail, sizeof(world->failure_detail), format, args);
    va_end(args);
}

void sim_note(struct sim_world *world, const char *format, ...)
{
    va_list args;

    if (!world->is_verbose)
        return;
    (void)printf("%6" PRIu64 " ", world->n_steps);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)printf("\n");
}

static void fill_random(void *arg, void *out, size_t size)
{
    uint8_t *bytes = out;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)sim_random(arg, 256);
}

static int find_agent(void *arg, struct hl_bytes secret, struct hl_bearer *out_bearer)
{
    (void)arg;
    *out_bearer = (struct hl_bearer){.may_write = true, .role = HL_ROLE_AGENT};
    memset(&out_bearer->id, secret.data[secret.size - 1], sizeof(out_bearer->id));
    return 0;
}

/* ---- hubs ---- */

static struct hl_registry *create_registry(struct sim_world *world)
{
    struct hl_registry *registry;

    HL_CHECK(hl_registry_create(world->boots, &registry) == 0);
    return registry;
}

static void create_hubs(struct sim_world *world)
{
    struct hl_hub_config config = {.log = world->log,
                                   .clock = &world->clock.clock,
                                   .random = &world->hub_random,
                                   .keys = &world->keys,
                                   .agents = {.find = find_agent},
                                   .node = "sim",
                                   .site = "main",
                                   .limits = hl_hub_limits_default};

    config.limits.credit_entries = 8; /* small bounds are met often */
    config.limits.page_entries = 4;
    config.limits.session_ttl_ms = 20000;
    config.limits.pubs_per_s = 20;
    config.limits.pubs_burst = 40;
    world->boots++;
    for (size_t i = 0; i < SIM_HUBS; i++) {
        if (i == 0 || world->bug == SIM_BUG_UNFENCED)
            world->registries[i] = create_registry(world);
        else
            world->registries[i] = world->registries[0];
        config.registry = world->registries[i];
        config.loop = &world->loops[i].loop;
        HL_CHECK(hl_hub_create(&config, &world->hubs[i]) == 0);
    }
}

static size_t run_loops(struct sim_world *world)
{
    size_t n_tasks = 0, n_before;

    do {
        n_before = n_tasks;
        for (size_t i = 0; i < SIM_HUBS; i++)
            n_tasks += hl_fake_loop_run_all(&world->loops[i]);
    } while (n_tasks > n_before);
    return n_tasks;
}

static void count_destroyed(void *arg)
{
    ((struct sim_world *)arg)->n_destroyed++;
}

/* The clients' ends die first, so that they hear nothing of it, as when a process is killed. */
static void destroy_hubs(struct sim_world *world)
{
    sim_network_crash(world);
    world->n_destroyed = 0;
    for (size_t i = 0; i < SIM_HUBS; i++)
        hl_hub_destroy(world->hubs[i], count_destroyed, world);
    (void)run_loops(world);
    if (world->n_destroyed != SIM_HUBS)
        sim_fail(world, "destroy", "%zu of %d hubs ended", world->n_destroyed, SIM_HUBS);
    for (size_t i = 0; i < SIM_HUBS; i++) {
        world->hubs[i] = NULL;
        if (i == 0 || world->bug == SIM_BUG_UNFENCED)
            hl_registry_destroy(world->registries[i]);
        world->registries[i] = NULL;
    }
    sim_network_clear(world);
}

static void restart(struct sim_world *world)
{
    sim_note(world, "restart");
    world->counts.restarts++;
    destroy_hubs(world);
    create_hubs(world);
}

/* What a restored backup has lost is nobody's fault; everybody must be told. */
static void forgive_lost(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_CLIENTS; i++) {
        struct sim_client *client = world->clients[i];
        size_t n_kept = 0, n_stored;
        for (size_t j = 0; j < client->n_confirmed; j++) {
            const struct sim_pub *pub = &client->confirmed[j];
            if (sim_truth_has(world->conversations[pub->conversation], pub->mid, &n_stored))
                client->confirmed[n_kept++] = *pub;
        }
        client->n_confirmed = n_kept;
    }
}

static void roll_back(struct sim_world *world)
{
    uint64_t position = world->position - sim_random(world, world->position / 8 + 1);

    if (world->epoch + 1 == SIM_EPOCHS)
        return;
    sim_note(world, "roll back to %" PRIu64, position);
    world->counts.roll_backs++;
    destroy_hubs(world);
    hl_log_memory_roll_back(world->engine, position, ++world->epoch);
    sim_truth_roll_back(world, position);
    forgive_lost(world);
    create_hubs(world);
}

static void trim(struct sim_world *world)
{
    if (world->n_conversations == 0)
        return;
    struct sim_conversation *conversation =
        world->conversations[sim_random(world, world->n_conversations)];
    uint64_t left = conversation->head - conversation->floor;
    sim_truth_trim(world, conversation, conversation->floor + sim_random(world, left / 2 + 1));
}

/* ---- steps ---- */

static void pass_time(struct sim_world *world, uint64_t ms)
{
    hl_fake_clock_advance(&world->clock, ms);
    for (size_t i = 0; i < SIM_HUBS; i++)
        hl_hub_tick(world->hubs[i]);
}

static void check_bounds(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_HUBS; i++) {
        struct hl_hub_stats stats;
        hl_hub_stats(world->hubs[i], &stats);
        if (stats.sessions > SESSIONS_MAX || stats.streams > SIM_LINKS ||
            stats.polls_parked > SIM_LINKS)
            sim_fail(world, "bounds", "%" PRIu64 " sessions", stats.sessions);
    }
    for (size_t i = 0; i < SIM_LINKS; i++) {
        if (world->links[i].is_used && json_array_size(world->links[i].to_client) > 512)
            sim_fail(world, "bounds", "a stalled reader is buffered for");
    }
}

static void step(struct sim_world *world)
{
    uint64_t dice = sim_random(world, 1000);
    struct sim_client *client = world->clients[sim_random(world, SIM_CLIENTS)];

    if (dice < 450)
        sim_network_step(world);
    else if (dice < 700)
        (void)hl_fake_loop_run_one(&world->loops[sim_random(world, SIM_HUBS)]);
    else if (dice < 800)
        sim_client_act(client);
    else if (dice < 900)
        sim_client_say(client);
    else if (dice < 990)
        pass_time(world, 1 + sim_random(world, 200));
    else if (dice < 994)
        pass_time(world, sim_random(world, 30000));
    else if (dice < 997)
        trim(world);
    else if (dice < 999)
        restart(world);
    else if (sim_chance(world, 40))
        roll_back(world);
    check_bounds(world);
}

/* ---- the end ---- */

/* Who is on a stream knows how far the others are; an answer that is lost takes receipts along. */
static bool knows_receipts(const struct sim_client *client, const struct sim_view *view)
{
    const struct sim_marks *marks = &client->world->conversations[view->conversation]->marks;

    if (client->mode != SIM_STREAM || !view->is_live || !view->is_synced)
        return true;
    for (size_t i = 0; i < marks->n_items; i++) {
        const struct sim_mark *mark = &marks->items[i];
        const struct sim_mark *told = sim_mark_find(&view->receipts, mark->participant);
        if (strcmp(mark->participant, client->participant) == 0)
            continue;
        if (told == NULL || told->delivered < mark->delivered || told->read < mark->read)
            return false;
    }
    return true;
}

static bool is_view_level(const struct sim_client *client, const struct sim_view *view)
{
    const struct sim_conversation *truth = client->world->conversations[view->conversation];

    if (view->epoch == 0 || (client->is_agent && !view->is_live))
        return true;
    for (uint64_t o = view->position + 1; o <= truth->head; o++) {
        if (client->is_agent || !truth->entries[o - 1].is_note)
            return false;
    }
    return knows_receipts(client, view);
}

static bool is_client_level(const struct sim_client *client)
{
    if (!client->is_welcomed || client->n_outbox > 0)
        return false;
    for (size_t i = 0; i < client->n_views; i++) {
        if (!is_view_level(client, client->views[i]))
            return false;
    }
    return true;
}

static void explain_level(struct sim_world *world, const struct sim_client *client)
{
    if (!client->is_welcomed || client->n_outbox > 0)
        sim_fail(world, "liveness", "client %zu: mode %d, %zu not confirmed from %s on",
                 client->index, (int)client->mode, client->n_outbox, client->outbox[0].mid);
    for (size_t i = 0; i < client->n_views; i++) {
        const struct sim_view *view = client->views[i];
        if (!knows_receipts(client, view))
            sim_fail(world, "receipt", "client %zu does not know how far others are in %s",
                     client->index, world->conversations[view->conversation]->id);
        if (!is_view_level(client, view))
            sim_fail(world, "liveness", "client %zu: at %" PRIu64 " of %" PRIu64 " in %s",
                     client->index, view->position, world->conversations[view->conversation]->head,
                     world->conversations[view->conversation]->id);
    }
}

static void heal(struct sim_world *world)
{
    size_t n_level = 0;

    world->is_healing = true;
    for (size_t round = 0; round < HEAL_ROUNDS && n_level < SIM_CLIENTS; round++) {
        for (size_t i = 0; i < SIM_CLIENTS; i++)
            sim_client_act(world->clients[i]);
        for (size_t i = 0; i < 200; i++)
            sim_network_step(world);
        (void)run_loops(world);
        pass_time(world, 100);
        n_level = 0;
        for (size_t i = 0; i < SIM_CLIENTS && round > SETTLE_ROUNDS; i++)
            n_level += is_client_level(world->clients[i]);
        if (world->failure != NULL)
            return;
    }
    for (size_t i = 0; i < SIM_CLIENTS; i++)
        explain_level(world, world->clients[i]);
}

static void check_confirmed(struct sim_world *world, const struct sim_client *client)
{
    for (size_t i = 0; i < client->n_confirmed; i++) {
        const struct sim_pub *pub = &client->confirmed[i];
        size_t n_stored;
        (void)sim_truth_has(world->conversations[pub->conversation], pub->mid, &n_stored);
        if (n_stored != 1)
            sim_fail(world, n_stored == 0 ? "acknowledged but lost" : "duplicate",
                     "%s of client %zu is there %zu times", pub->mid, client->index, n_stored);
    }
}

static void check_view(struct sim_world *world, const struct sim_client *client,
                       const struct sim_view *view)
{
    const struct sim_conversation *truth = world->conversations[view->conversation];

    for (uint64_t o = view->skipped + 1; o <= view->position && o <= truth->head; o++) {
        const struct sim_entry *entry = &truth->entries[o - 1];
        if (!client->is_agent && entry->is_note)
            continue;
        if (strcmp(view->taken[o - 1], entry->mid) != 0)
            sim_fail(world, "order", "client %zu has \"%s\" for %s at %" PRIu64, client->index,
                     view->taken[o - 1], entry->mid, o);
    }
}

static void check_end(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_CLIENTS; i++) {
        const struct sim_client *client = world->clients[i];
        check_confirmed(world, client);
        for (size_t j = 0; j < client->n_views; j++)
            check_view(world, client, client->views[j]);
    }
}

bool sim_world_run(struct sim_world *world, uint64_t n_steps)
{
    for (world->n_steps = 0; world->n_steps < n_steps && world->failure == NULL; world->n_steps++)
        step(world);
    if (world->failure == NULL)
        heal(world);
    if (world->failure == NULL)
        check_end(world);
    return world->failure == NULL;
}

/* ---- life ---- */

struct sim_world *sim_world_create(uint64_t seed, enum sim_bug bug, bool is_verbose)
{
    struct sim_world *world = calloc(1, sizeof(*world));
    struct hl_log_memory_config config = {.epoch = 1};

    HL_CHECK(world != NULL);
    world->seed = seed;
    world->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world->bug = bug;
    world->is_verbose = is_verbose;
    world->epoch = 1;
    hl_fake_clock_init(&world->clock, 1700000000000);
    world->hub_random = (struct hl_random){.fill = fill_random, .arg = world};
    for (size_t i = 0; i < SIM_HUBS; i++)
        hl_fake_loop_init(&world->loops[i]);
    config.clock = &world->clock.clock;
    HL_CHECK(hl_log_memory_open(&config, &world->engine) == 0);
    world->log = sim_log_create(world, world->engine);
    world->keys.n_keys = 1;
    memcpy(world->keys.keys[0].kid, "sim", 4);
    for (size_t i = 0; i < SIM_CLIENTS; i++)
        world->clients[i] = sim_client_create(world, i);
    create_hubs(world);
    return world;
}

void sim_world_destroy(struct sim_world *world)
{
    destroy_hubs(world);
    sim_log_destroy(world->log);
    hl_log_close(world->engine);
    for (size_t i = 0; i < SIM_HUBS; i++)
        hl_fake_loop_fini(&world->loops[i]);
    for (size_t i = 0; i < SIM_CLIENTS; i++)
        sim_client_destroy(world->clients[i]);
    for (size_t i = 0; i < world->n_conversations; i++)
        free(world->conversations[i]);
    free(world);
}
