#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { ANSWER_WAIT_MS = 8000, SILENCE_MS = 40000, RESEND_MS = 3000 };

struct sim_client *sim_client_create(struct sim_world *world, size_t index)
{
    struct sim_client *client = calloc(1, sizeof(*client));

    HL_CHECK(client != NULL);
    client->world = world;
    client->index = index;
    client->is_agent = index >= SIM_VISITORS;
    client->next_seq = 1;
    if (client->is_agent)
        (void)snprintf(client->token, sizeof(client->token), "hlk_agent%zu", index);
    return client;
}

void sim_client_destroy(struct sim_client *client)
{
    for (size_t i = 0; i < client->n_views; i++)
        free(client->views[i]);
    free(client);
}

/* ---- texts ---- */

static void append_positions(struct hl_buffer *out, const struct sim_client *client)
{
    bool is_first = true;

    hl_buffer_append_text(out, ",\"pos\":[");
    for (size_t i = 0; i < client->n_views; i++) {
        const struct sim_view *view = client->views[i];
        if (view->epoch == 0)
            continue;
        hl_buffer_printf(out, "%s{\"c\":\"%s\",\"e\":\"%" PRIu64 "\",\"o\":%" PRIu64 "}",
                         is_first ? "" : ",", client->world->conversations[view->conversation]->id,
                         view->epoch, view->position);
        is_first = false;
    }
    hl_buffer_append_text(out, "]");
}

static uint64_t lowest_seq(const struct sim_client *client)
{
    return client->n_outbox > 0 ? client->outbox[0].seq : client->next_seq;
}

static void append_hello(struct hl_buffer *out, const struct sim_client *client)
{
    hl_buffer_append_text(out, "{\"t\":\"hello\",\"v\":1");
    if (client->token[0] != '\0')
        hl_buffer_printf(out, ",\"token\":\"%s\"", client->token);
    append_positions(out, client);
    hl_buffer_printf(out, ",\"seq\":%" PRIu64 "}", lowest_seq(client));
}

static void append_pub(struct hl_buffer *out, const struct sim_client *client,
                       const struct sim_pub *pub)
{
    hl_buffer_printf(out,
                     "{\"t\":\"pub\",\"c\":\"%s\",\"mid\":\"%s\",\"seq\":%" PRIu64
                     ",\"kind\":\"%s\",\"body\":{\"text\":\"%s\"}}",
                     client->world->conversations[pub->conversation]->id, pub->mid, pub->seq,
                     pub->is_note ? "note" : "message", pub->mid);
}

/* All that is not confirmed, in order: to a stream as one batch, or into a poll. */
static size_t append_outbox(struct hl_buffer *out, const struct sim_client *client, bool is_first)
{
    for (size_t i = 0; i < client->n_outbox; i++) {
        if (!is_first || i > 0)
            hl_buffer_append_text(out, ",");
        append_pub(out, client, &client->outbox[i]);
    }
    return client->n_outbox;
}

/* An agent follows one more conversation that has something in it, now and then. */
static bool append_follow(struct hl_buffer *out, struct sim_client *client, bool is_first)
{
    struct sim_world *world = client->world;

    if (!client->is_agent || world->is_healing || world->n_conversations == 0 ||
        !sim_chance(world, 40))
        return false;
    size_t index = (size_t)sim_random(world, world->n_conversations);
    const struct sim_conversation *conversation = world->conversations[index];
    struct sim_view *view = sim_view_find(client, index);
    if (conversation->head == 0 || (view != NULL && view->is_live) || client->n_views >= 8)
        return false;
    hl_buffer_printf(out, "%s{\"t\":\"sub\",\"c\":\"%s\"}", is_first ? "" : ",", conversation->id);
    if (view == NULL)
        (void)sim_view_add(client, index);
    return true;
}

static char *take_text(struct hl_buffer *buffer)
{
    hl_buffer_append(buffer, "", 1);
    HL_CHECK(!hl_buffer_failed(buffer));
    return buffer->data;
}

/* ---- attaching ---- */

static size_t pick_hub(struct sim_world *world)
{
    return (size_t)sim_random(world, SIM_HUBS);
}

void sim_client_go(struct sim_client *client)
{
    if (client->link != NULL)
        sim_stream_cut(client->link);
    client->link = NULL;
    client->mode = SIM_OFFLINE;
    client->is_welcomed = false;
    client->is_waiting = false;
    client->era++;
    for (size_t i = 0; i < client->n_views; i++)
        client->views[i]->is_live = false;
}

static void send_poll(struct sim_client *client, bool is_hello)
{
    struct sim_world *world = client->world;
    struct hl_buffer text;
    uint64_t wait_ms = sim_random(world, 3) == 0 ? 0 : sim_random(world, 4000);
    /* mostly the same connection, so the same hub */
    /* some keep their connection mostly, others have a new one for each poll */
    bool is_loyal = client->index % 2 == 0 && sim_chance(world, 90);
    size_t hub = is_loyal ? client->index % SIM_HUBS : pick_hub(world);

    hl_buffer_init(&text, 1 << 20);
    client->rid++;
    if (is_hello)
        client->era++; /* an answer to an earlier hello would be of another session */
    hl_buffer_printf(&text, "{\"rid\":%lld,\"wait_ms\":%" PRIu64, (long long)client->rid, wait_ms);
    if (client->generation != 0 && !is_hello)
        hl_buffer_printf(&text, ",\"gen\":%lld", (long long)client->generation);
    if (client->token[0] != '\0')
        hl_buffer_printf(&text, ",\"token\":\"%s\"", client->token);
    append_positions(&text, client);
    hl_buffer_printf(&text, ",\"seq\":%" PRIu64 ",\"frames\":[", lowest_seq(client));
    if (is_hello)
        append_hello(&text, client);
    size_t n_frames = is_hello;
    if (client->n_views > 0)
        n_frames += append_outbox(&text, client, !is_hello);
    append_follow(&text, client, n_frames == 0);
    hl_buffer_append_text(&text, "]}");
    client->is_waiting = true;
    client->polled_ms = sim_now(world);
    world->counts.polls++;
    sim_poll_send(client, hub, take_text(&text));
}

void sim_client_attach(struct sim_client *client, enum sim_mode mode)
{
    struct hl_buffer text;
    bool must_greet = client->token[0] == '\0' || client->generation == 0 || client->is_agent ||
                      client->mode == SIM_STREAM || sim_chance(client->world, 30);

    client->is_doubtful = client->answered_rid < client->rid;
    client->must_attach = false;
    sim_client_go(client);
    client->mode = mode;
    client->heard_ms = sim_now(client->world);
    if (mode == SIM_POLL) {
        send_poll(client, must_greet);
        return;
    }
    client->link = sim_stream_open(client, pick_hub(client->world));
    if (client->link == NULL) {
        client->mode = SIM_OFFLINE;
        return;
    }
    hl_buffer_init(&text, 1 << 20);
    append_hello(&text, client);
    sim_stream_send(client->link, take_text(&text));
}

void sim_client_closed(struct sim_client *client, enum hl_problem_code problem)
{
    if (problem == HL_PROBLEM_REPLACED && !client->is_doubtful)
        sim_fail(client->world, "replaced", "client %zu was replaced by nobody", client->index);
    client->link = NULL;
    sim_client_go(client);
}

void sim_client_answered(struct sim_client *client, json_int_t rid, const json_t *answer,
                         enum hl_problem_code problem)
{
    struct sim_world *world = client->world;
    bool is_last = rid == client->rid;

    if (client->answered[rid % SIM_PACKETS] == rid)
        return; /* the second answer to a doubled request: its connection is not there */
    client->answered[rid % SIM_PACKETS] = rid;
    if (client->answered_rid < rid)
        client->answered_rid = rid;
    client->is_waiting = client->is_waiting && !is_last;
    if (answer == NULL) {
        if (problem == HL_PROBLEM_REPLACED && is_last)
            sim_fail(world, "replaced", "client %zu was replaced by nobody", client->index);
        if (is_last)
            sim_client_go(client);
        return;
    }
    client->heard_ms = sim_now(world);
    if (json_is_true(json_object_get(answer, "superseded"))) {
        world->counts.superseded++;
        return;
    }
    if (json_integer_value(json_object_get(answer, "gen")) < client->generation)
        return;
    if (client->mode == SIM_POLL && client->generation > 0 &&
        json_integer_value(json_object_get(answer, "gen")) == client->generation)
        client->is_welcomed = true; /* the attachment that the client had goes on */
    sim_client_receive(client, json_object_get(answer, "frames"));
    if (is_last && client->mode == SIM_POLL && json_is_true(json_object_get(answer, "more")))
        send_poll(client, false);
}

/* ---- saying ---- */

static struct sim_view *pick_view(struct sim_client *client)
{
    struct sim_view *view;

    if (client->n_views == 0)
        return NULL;
    view = client->views[sim_random(client->world, client->n_views)];
    /* agents speak where they know that somebody is */
    if (client->is_agent && (!view->is_live || !view->is_synced || view->position == 0))
        return NULL;
    return view;
}

void sim_client_say(struct sim_client *client)
{
    struct sim_view *view = pick_view(client);

    if (view == NULL || client->n_outbox == SIM_OUTBOX || client->n_confirmed == SIM_ENTRIES ||
        client->world->conversations[view->conversation]->head > SIM_ENTRIES - 100)
        return;
    struct sim_pub *pub = &client->outbox[client->n_outbox++];
    *pub = (struct sim_pub){.conversation = view->conversation, .seq = client->next_seq++};
    pub->is_note = client->is_agent && sim_chance(client->world, 25);
    (void)snprintf(pub->mid, sizeof(pub->mid), "c%zu-%" PRIu64, client->index, ++client->n_said);
    if (client->mode == SIM_STREAM && client->is_welcomed) {
        struct hl_buffer text;
        hl_buffer_init(&text, 1 << 16);
        append_pub(&text, client, pub);
        sim_stream_send(client->link, take_text(&text));
    } else if (client->mode == SIM_POLL && client->is_welcomed) {
        send_poll(client, false);
    }
}

static void resend_outbox(struct sim_client *client)
{
    struct hl_buffer text;

    client->resend_ms = sim_now(client->world) + RESEND_MS;
    if (client->n_outbox == 0 || client->mode != SIM_STREAM)
        return;
    hl_buffer_init(&text, 1 << 20);
    hl_buffer_append_text(&text, "[");
    append_outbox(&text, client, true);
    hl_buffer_append_text(&text, "]");
    sim_stream_send(client->link, take_text(&text));
}

static void follow_one(struct sim_client *client)
{
    struct hl_buffer text;

    hl_buffer_init(&text, 1 << 16);
    if (append_follow(&text, client, true))
        sim_stream_send(client->link, take_text(&text));
    else
        hl_buffer_fini(&text);
}

static void act_on_stream(struct sim_client *client)
{
    uint64_t now_ms = sim_now(client->world);

    if (now_ms > client->heard_ms + SILENCE_MS) {
        sim_client_go(client);
        return;
    }
    if (!client->is_welcomed)
        return;
    if (client->must_attach) {
        sim_client_attach(client, SIM_STREAM);
        return;
    }
    if (now_ms >= client->resend_ms)
        resend_outbox(client);
    follow_one(client);
}

static void act_on_poll(struct sim_client *client)
{
    bool is_late = sim_now(client->world) > client->polled_ms + ANSWER_WAIT_MS;

    if (client->is_waiting && !is_late && !sim_chance(client->world, 5))
        return;
    if (!client->is_welcomed && is_late && sim_chance(client->world, 50)) {
        sim_client_attach(client, SIM_POLL);
        return;
    }
    send_poll(client, client->token[0] == '\0' || client->generation == 0);
}

void sim_client_act(struct sim_client *client)
{
    struct sim_world *world = client->world;

    if (client->mode == SIM_OFFLINE) {
        sim_client_attach(client, sim_chance(world, 50) ? SIM_STREAM : SIM_POLL);
        return;
    }
    if (!world->is_healing && sim_chance(world, 3))
        sim_client_go(client);
    else if (!world->is_healing && sim_chance(world, 3))
        sim_client_attach(client, client->mode == SIM_STREAM ? SIM_POLL : SIM_STREAM);
    else if (client->mode == SIM_STREAM)
        act_on_stream(client);
    else
        act_on_poll(client);
}
