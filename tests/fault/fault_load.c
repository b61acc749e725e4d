/* holdline-fault-load: visitors and agents on mixed transports that talk until told to stop
 * (a line on stdin), then until everything is confirmed and everybody is level. Whatever
 * happens to the gateway meanwhile is the caller's doing. Exit 0: all level in time, 1: not. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/process.h"
#include "tests/fault/chat.h"

enum { CLIENTS_MAX = 2000, TICK_US = 2000 };

struct place { /* a conversation, and how far it is known to go */
    char id[40];
    int64_t head;
    unsigned visitor;
    bool is_new;
};

static struct {
    struct chat_world world;
    struct chat chats[CLIENTS_MAX];
    uint64_t say_us[CLIENTS_MAX]; /* when each speaks next */
    struct place places[CLIENTS_MAX];
    unsigned n_visitors, n_agents, n_places;
    uint64_t pause_us, deadline_us;
} run;

static void on_seen(struct chat_world *world, const char *conversation, int64_t offset)
{
    (void)world;
    unsigned i = 0;
    while (i < run.n_places && strcmp(run.places[i].id, conversation) != 0)
        i++;
    struct place *place = &run.places[i];
    if (i == run.n_places) {
        run.n_places++;
        snprintf(place->id, sizeof place->id, "%s", conversation);
        place->visitor = i;
        place->is_new = true;
    }
    if (offset > place->head)
        place->head = offset;
}

/* Each conversation is followed by two agents, so that they can disagree. */
static void follow_new_places(void)
{
    for (unsigned i = 0; i < run.n_places; i++) {
        if (!run.places[i].is_new)
            continue;
        run.places[i].is_new = false;
        for (unsigned k = 0; k < 2 && k < run.n_agents; k++) {
            unsigned agent = run.n_visitors + (i + k) % run.n_agents;
            if (run.chats[agent].n_conversations < CHAT_CONVERSATIONS_MAX)
                chat_follow(&run.chats[agent], run.places[i].id);
        }
    }
}

static bool is_level(const struct chat *chat)
{
    if (chat->n_outbox > 0)
        return false;
    for (unsigned i = 0; i < chat->n_conversations; i++)
        for (unsigned k = 0; k < run.n_places; k++)
            if (strcmp(chat->conversations[i].id, run.places[k].id) == 0 &&
                chat->conversations[i].position < run.places[k].head)
                return false;
    return true;
}

static void step(uint64_t now, bool is_talking)
{
    unsigned n = run.n_visitors + run.n_agents;
    for (unsigned i = 0; i < n; i++) {
        struct chat *chat = &run.chats[i];
        if (is_talking && now >= run.say_us[i] && chat_can_say(chat)) {
            chat_say(chat, (unsigned)chat_random(&run.world, chat->n_conversations));
            run.say_us[i] = now + chat_random(&run.world, 2 * run.pause_us);
        }
        chat_tick(chat, now);
    }
    follow_new_places();
    net_step(&run.world.net, TICK_US);
}

static bool is_told_to_stop(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) != 0;
}

static unsigned count_level(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < run.n_visitors + run.n_agents; i++)
        n += is_level(&run.chats[i]) ? 1 : 0;
    return n;
}

static int finish(void)
{
    unsigned n = run.n_visitors + run.n_agents, n_level = count_level();
    for (unsigned i = 0; n_level == n && i < n; i++)
        chat_write_final(&run.chats[i]);
    const struct chat_world *world = &run.world;
    printf("{\"clients\":%u,\"level\":%u,\"sent\":%" PRIu64 ",\"acked\":%" PRIu64
           ",\"delivered\":%" PRIu64 ",\"attached\":%" PRIu64 ",\"switched\":%" PRIu64
           ",\"holes\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"stuck\":%" PRIu64 "}\n",
           n, n_level, world->n_sent, world->n_acked, world->n_delivered, world->n_attached,
           world->n_switched, world->n_holes, world->n_refused, world->n_stuck);
    for (unsigned i = 0; i < n; i++) {
        const struct chat *chat = &run.chats[i];
        if (!is_level(chat))
            fprintf(stderr, "%s (%s): %u unconfirmed, %u conversations, attached %d\n", chat->name,
                    chat->is_on_poll ? "poll" : "ws", chat->n_outbox, chat->n_conversations,
                    chat->is_attached);
        chat_fini(&run.chats[i]);
    }
    if (fclose(run.world.history) != 0)
        return 1;
    return n_level == n && world->n_refused == 0 ? 0 : 1;
}

static int usage(void)
{
    fputs("usage: holdline-fault-load PORT AGENT_KEY HISTORY.jsonl VISITORS AGENTS PAUSE_MS"
          " SETTLE_S\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc != 8)
        return usage();
    run.world.port = (uint16_t)strtoul(argv[1], NULL, 10);
    run.world.key = argv[2];
    run.world.history = fopen(argv[3], "we");
    run.n_visitors = (unsigned)strtoul(argv[4], NULL, 10);
    run.n_agents = (unsigned)strtoul(argv[5], NULL, 10);
    run.pause_us = 1000 * strtoul(argv[6], NULL, 10);
    run.world.seen = on_seen;
    run.world.random = now_us() | 1;
    char resource[24];
    snprintf(resource, sizeof resource, "%08x", (unsigned)run.world.random);
    run.world.resource = resource;
    raise_file_limit();
    if (run.world.history == NULL || run.n_visitors + run.n_agents > CLIENTS_MAX ||
        net_init(&run.world.net) != 0)
        return usage();
    for (unsigned i = 0; i < run.n_visitors + run.n_agents; i++) {
        char name[16];
        bool is_agent = i >= run.n_visitors;
        snprintf(name, sizeof name, "%c%u", is_agent ? 'a' : 'v', i);
        chat_init(&run.chats[i], &run.world, name, is_agent, (enum chat_transport)(i % 3));
    }
    puts("started");
    fflush(stdout);
    while (!is_told_to_stop())
        step(now_us(), true);
    run.deadline_us = now_us() + strtoull(argv[7], NULL, 10) * 1000000U;
    while (count_level() < run.n_visitors + run.n_agents && now_us() < run.deadline_us)
        step(now_us(), false);
    return finish();
}
