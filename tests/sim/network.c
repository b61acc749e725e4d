#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static struct sim_link *link_of(struct hl_link *link)
{
    return HL_CONTAINER_OF(link, struct sim_link, link);
}

static struct hl_hub *hub_of(const struct sim_link *link)
{
    return link->world->hubs[link->hub];
}

static void free_link(struct sim_link *link)
{
    json_decref(link->to_server);
    json_decref(link->to_client);
    memset(link, 0, sizeof(*link));
}

static struct sim_link *find_free_link(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_LINKS; i++) {
        if (!world->links[i].is_used)
            return &world->links[i];
    }
    return NULL;
}

static struct sim_packet *find_free_packet(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_PACKETS; i++) {
        if (!world->packets[i].is_used)
            return &world->packets[i];
    }
    return NULL;
}

/* ---- what the hub does with a link ---- */

static bool is_ready(struct hl_link *base)
{
    const struct sim_link *link = link_of(base);

    return json_array_size(link->to_client) < SIM_QUEUE_MAX;
}

static bool has_frame(const json_t *message, const char *type)
{
    size_t n_frames = json_is_array(message) ? json_array_size(message) : 1;

    for (size_t i = 0; i < n_frames; i++) {
        const json_t *frame = json_is_array(message) ? json_array_get(message, i) : message;
        if (strcmp(json_string_value(json_object_get(frame, "t")), type) == 0)
            return true;
    }
    return false;
}

/* A session that was fenced on this hub says nothing more but bye. */
static void check_fence(struct sim_link *link, const json_t *message)
{
    struct sim_client *client = link->world->clients[link->client];
    const json_t *welcome = json_is_array(message) ? json_array_get(message, 0) : message;
    json_int_t *newest = &client->newest[link->hub];
    char *session = client->newest_session[link->hub];

    if (has_frame(message, "welcome")) {
        link->generation = json_integer_value(json_object_get(welcome, "gen"));
        (void)strncpy(link->session, json_string_value(json_object_get(welcome, "sid")),
                      SIM_ID_SIZE - 1);
        if (strcmp(session, link->session) != 0 || *newest < link->generation) {
            memcpy(session, link->session, SIM_ID_SIZE);
            *newest = link->generation;
        }
    }
    if (strcmp(session, link->session) == 0 && link->generation < *newest &&
        !has_frame(message, "bye"))
        sim_fail(link->world, "fence", "generation %lld speaks after %lld",
                 (long long)link->generation, (long long)*newest);
}

static void take_text(struct hl_link *base, struct hl_bytes text)
{
    struct sim_link *link = link_of(base);
    json_t *message;
    char why[100];

    if (hl_json_parse(text, why, sizeof(why), &message) != 0) {
        sim_fail(link->world, "text", "not JSON: %s", why);
        return;
    }
    if (!link->is_known || hub_of(link) == NULL) {
        sim_fail(link->world, "link", "a link is used after its end");
    } else if (base->kind == HL_LINK_STREAM) {
        if (!is_ready(base) && has_frame(message, "msg"))
            sim_fail(link->world, "backpressure", "entries for a link that is not ready");
        check_fence(link, message);
        json_array_append(link->to_client, message);
    }
    if (base->kind == HL_LINK_POLL) {
        struct sim_packet *packet = find_free_packet(link->world);
        if (packet != NULL)
            *packet = (struct sim_packet){.is_used = true,
                                          .is_answer = true,
                                          .client = link->client,
                                          .era = link->era,
                                          .rid = link->rid,
                                          .answer = json_incref(message)};
        link->is_known = false;
        free_link(link);
    }
    json_decref(message);
}

static void take_close(struct hl_link *base, const struct hl_problem *problem)
{
    struct sim_link *link = link_of(base);

    link->world->counts.byes++;
    sim_note(link->world, "client %zu: %s of hub %zu, rid %lld, closed with %s", link->client,
             base->kind == HL_LINK_POLL ? "poll" : "stream", link->hub, (long long)link->rid,
             problem != NULL ? hl_problem_kind(problem->code)->code : "bye");
    if (base->kind == HL_LINK_STREAM) {
        link->is_known = false;
        json_array_append_new(
            link->to_client,
            json_integer(problem != NULL ? (json_int_t)problem->code : HL_PROBLEM_END));
        return;
    }
    struct sim_packet *packet = find_free_packet(link->world);
    if (packet != NULL)
        *packet = (struct sim_packet){.is_used = true,
                                      .is_answer = true,
                                      .client = link->client,
                                      .era = link->era,
                                      .rid = link->rid,
                                      .problem = problem->code};
    free_link(link);
}

static const struct hl_link_ops link_ops = {
    .is_ready = is_ready, .send = take_text, .close = take_close};

static struct sim_link *open_link(struct sim_client *client, size_t hub, enum hl_link_kind kind)
{
    struct sim_link *link = find_free_link(client->world);

    if (link == NULL)
        return NULL;
    *link = (struct sim_link){.link = {.ops = &link_ops, .kind = kind},
                              .world = client->world,
                              .hub = hub,
                              .client = client->index,
                              .is_used = true,
                              .is_known = true,
                              .to_server = json_array(),
                              .to_client = json_array()};
    return link;
}

/* ---- streams ---- */

struct sim_link *sim_stream_open(struct sim_client *client, size_t hub)
{
    struct sim_link *link = open_link(client, hub, HL_LINK_STREAM);

    if (link != NULL)
        hl_hub_link_open(client->world->hubs[hub], &link->link);
    return link;
}

void sim_stream_send(struct sim_link *link, char *text)
{
    json_array_append_new(link->to_server, json_string(text));
    free(text);
}

/* What is on the way to the server does not arrive. */
void sim_stream_cut(struct sim_link *link)
{
    link->is_cut = true;
    link->is_silent = sim_chance(link->world, 30);
    json_array_clear(link->to_server);
    json_array_clear(link->to_client);
}

static void tell_gone(struct sim_link *link)
{
    if (link->is_known && hub_of(link) != NULL)
        hl_hub_link_gone(hub_of(link), &link->link);
    free_link(link);
}

static void deliver_to_server(struct sim_link *link)
{
    json_t *text = json_incref(json_array_get(link->to_server, 0));

    json_array_remove(link->to_server, 0);
    sim_note(link->world, "client %zu: stream to hub %zu: %.200s", link->client, link->hub,
             json_string_value(text));
    if (link->is_known)
        hl_hub_link_receive(hub_of(link), &link->link,
                            (struct hl_bytes){json_string_value(text), json_string_length(text)});
    json_decref(text);
}

static void note_json(struct sim_world *world, size_t client, const char *what, const json_t *json)
{
    char *text = world->is_verbose ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    if (text != NULL)
        sim_note(world, "client %zu: %s: %.300s", client, what, text);
    free(text);
}

static void deliver_to_client(struct sim_link *link)
{
    struct sim_world *world = link->world;
    struct sim_client *client = world->clients[link->client];
    json_t *message = json_incref(json_array_get(link->to_client, 0));

    json_array_remove(link->to_client, 0);
    note_json(world, link->client, "hears", message);
    if (json_is_integer(message)) {
        enum hl_problem_code problem = (enum hl_problem_code)json_integer_value(message);
        free_link(link);
        sim_client_closed(client, problem);
    } else {
        if (link->is_known)
            hl_hub_link_writable(hub_of(link), &link->link);
        sim_client_receive(client, message);
    }
    json_decref(message);
}

static void step_stream(struct sim_link *link)
{
    struct sim_world *world = link->world;
    bool is_reading = !link->is_stalled || world->is_healing;

    if (link->is_cut) {
        if (!link->is_known || !link->is_silent || world->is_healing)
            tell_gone(link);
        return;
    }
    if (sim_chance(world, 2))
        link->is_stalled = !link->is_stalled;
    if (json_array_size(link->to_server) > 0 && sim_chance(world, 50))
        deliver_to_server(link);
    else if (json_array_size(link->to_client) > 0 && is_reading)
        deliver_to_client(link);
}

/* ---- polls ---- */

void sim_poll_send(struct sim_client *client, size_t hub, char *text)
{
    struct sim_packet *packet = find_free_packet(client->world);

    if (packet == NULL) {
        free(text);
        return;
    }
    *packet = (struct sim_packet){.is_used = true,
                                  .hub = hub,
                                  .client = client->index,
                                  .era = client->era,
                                  .rid = client->rid,
                                  .text = text};
}

static void deliver_request(struct sim_world *world, struct sim_packet *packet)
{
    struct sim_link *link = open_link(world->clients[packet->client], packet->hub, HL_LINK_POLL);
    bool is_doubled = !world->is_healing && sim_chance(world, 5);
    char *text = packet->text;

    if (link == NULL)
        return;
    link->era = packet->era;
    link->rid = packet->rid;
    if (is_doubled)
        text = strdup(packet->text);
    else
        packet->is_used = false;
    HL_CHECK(text != NULL);
    sim_note(world, "client %zu: poll to hub %zu: %.120s", link->client, link->hub, text);
    hl_hub_poll(world->hubs[link->hub], &link->link, hl_bytes_of(text));
    free(text);
}

static void deliver_answer(struct sim_world *world, struct sim_packet *packet)
{
    struct sim_client *client = world->clients[packet->client];
    struct sim_packet taken = *packet;

    packet->is_used = false;
    if (taken.answer != NULL)
        note_json(world, taken.client, "answer", taken.answer);
    if (client->mode == SIM_POLL && client->era == taken.era)
        sim_client_answered(client, taken.rid, taken.answer, taken.problem);
    json_decref(taken.answer);
}

static void lose_packet(struct sim_packet *packet)
{
    free(packet->text);
    json_decref(packet->answer);
    *packet = (struct sim_packet){.is_used = false};
}

static void step_packet(struct sim_world *world, struct sim_packet *packet)
{
    if (!world->is_healing && sim_chance(world, 5))
        lose_packet(packet);
    else if (packet->is_answer)
        deliver_answer(world, packet);
    else
        deliver_request(world, packet);
}

/* A client that has given a poll up closes its connection, now and then. */
static void step_poll_link(struct sim_link *link)
{
    const struct sim_client *client = link->world->clients[link->client];
    bool is_given_up =
        client->mode != SIM_POLL || client->era != link->era || link->rid < client->rid;

    if (is_given_up && sim_chance(link->world, 30))
        tell_gone(link);
}

/* One thing that is on the way, each as likely as the others. */
void sim_network_step(struct sim_world *world)
{
    size_t used[SIM_LINKS + SIM_PACKETS];
    size_t n_used = 0;

    for (size_t i = 0; i < SIM_LINKS; i++) {
        if (world->links[i].is_used)
            used[n_used++] = i;
    }
    for (size_t i = 0; i < SIM_PACKETS; i++) {
        if (world->packets[i].is_used)
            used[n_used++] = SIM_LINKS + i;
    }
    if (n_used == 0)
        return;
    size_t at = used[sim_random(world, n_used)];
    if (at >= SIM_LINKS)
        step_packet(world, &world->packets[at - SIM_LINKS]);
    else if (world->links[at].link.kind == HL_LINK_STREAM)
        step_stream(&world->links[at]);
    else
        step_poll_link(&world->links[at]);
}

void sim_network_crash(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_LINKS; i++) {
        struct sim_link *link = &world->links[i];
        struct sim_client *client = link->is_used ? world->clients[link->client] : NULL;
        if (client != NULL && client->link == link)
            sim_client_go(client);
    }
}

void sim_network_clear(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_LINKS; i++) {
        if (world->links[i].is_used)
            free_link(&world->links[i]);
    }
    for (size_t i = 0; i < SIM_PACKETS; i++) {
        if (world->packets[i].is_used)
            lose_packet(&world->packets[i]);
    }
}
