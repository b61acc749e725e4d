#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static const char *text_of(const json_t *frame, const char *name)
{
    const char *text = json_string_value(json_object_get(frame, name));

    return text == NULL ? "" : text;
}

static uint64_t number_of(const json_t *frame, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(frame, name));
}

struct sim_view *sim_view_find(struct sim_client *client, size_t conversation)
{
    for (size_t i = 0; i < client->n_views; i++) {
        if (client->views[i]->conversation == conversation)
            return client->views[i];
    }
    return NULL;
}

struct sim_view *sim_view_add(struct sim_client *client, size_t conversation)
{
    struct sim_view *view = calloc(1, sizeof(*view));

    HL_CHECK(view != NULL && client->n_views < SIM_CONVERSATIONS);
    view->conversation = conversation;
    client->views[client->n_views++] = view;
    return view;
}

static struct sim_view *view_of(struct sim_client *client, const json_t *frame)
{
    size_t index;

    if (sim_conversation_find(client->world, text_of(frame, "c"), &index) == NULL)
        return NULL;
    return sim_view_find(client, index);
}

static const struct sim_conversation *truth_of(const struct sim_client *client,
                                               const struct sim_view *view)
{
    return client->world->conversations[view->conversation];
}

static void send(struct sim_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void send(struct sim_client *client, const char *format, ...)
{
    char *text = NULL;
    va_list args;

    if (client->mode != SIM_STREAM)
        return;
    va_start(args, format);
    HL_CHECK(vasprintf(&text, format, args) >= 0);
    va_end(args);
    sim_stream_send(client->link, text);
}

/* ---- checks ---- */

static bool is_visible(const struct sim_client *client, const struct sim_entry *entry)
{
    return client->is_agent || !entry->is_note;
}

/* The offset before which nothing visible is missing if the client has all up to `position`. */
static bool is_complete(const struct sim_client *client, const struct sim_view *view, uint64_t to)
{
    const struct sim_conversation *truth = truth_of(client, view);

    for (uint64_t o = view->position + 1; o <= to; o++) {
        const struct sim_entry *entry = sim_truth_at(truth, o);
        if (entry == NULL || is_visible(client, entry))
            return false;
    }
    return true;
}

static void check_new(struct sim_client *client, const struct sim_view *view, uint64_t offset,
                      const char *mid)
{
    const struct sim_entry *entry = sim_truth_at(truth_of(client, view), offset);

    if (entry == NULL || strcmp(entry->mid, mid) != 0)
        sim_fail(client->world, "order", "client %zu was told %s at %" PRIu64, client->index, mid,
                 offset);
    else if (!is_visible(client, entry))
        sim_fail(client->world, "note", "visitor %zu was told a note", client->index);
    else if (offset > view->position && !is_complete(client, view, offset - 1))
        sim_fail(client->world, "density", "client %zu at %" PRIu64 " was told %" PRIu64,
                 client->index, view->position, offset);
    for (uint64_t o = 1; o <= view->position; o++) {
        if (strcmp(view->taken[o - 1], mid) == 0)
            sim_fail(client->world, "duplicate", "client %zu was told %s twice", client->index,
                     mid);
    }
}

/* What the client has must be what stands in the transcript. */
static void check_resumed(struct sim_client *client, const struct sim_view *view)
{
    const struct sim_conversation *truth = truth_of(client, view);

    if (view->position > truth->head)
        sim_fail(client->world, "false resumed", "client %zu is ahead of the head", client->index);
    for (uint64_t o = 1; o <= view->position && o <= truth->head; o++) {
        if (view->taken[o - 1][0] != '\0' &&
            strcmp(view->taken[o - 1], truth->entries[o - 1].mid) != 0)
            sim_fail(client->world, "false resumed", "client %zu has another entry at %" PRIu64,
                     client->index, o);
    }
}

/* ---- frames ---- */

static void forget_view(struct sim_view *view)
{
    size_t conversation = view->conversation;

    memset(view, 0, sizeof(*view));
    view->conversation = conversation;
}

static void take_verdict(struct sim_client *client, const json_t *verdict)
{
    struct sim_world *world = client->world;
    const char *name = text_of(verdict, "verdict");
    size_t index;

    HL_CHECK(sim_conversation_find(world, text_of(verdict, "c"), &index) != NULL);
    struct sim_view *view = sim_view_find(client, index);
    if (view == NULL)
        view = sim_view_add(client, index);
    world->counts.resumed += strcmp(name, "resumed") == 0;
    world->counts.gaps += strcmp(name, "gap") == 0;
    world->counts.resets += strcmp(name, "reset") == 0;
    if (strcmp(name, "reset") == 0) {
        forget_view(view);
        client->era++; /* answers to polls sent before speak of what is forgotten now */
    } else {
        check_resumed(client, view);
    }
    view->epoch = strtoull(text_of(verdict, "e"), NULL, 10);
    view->is_live = true;
    view->is_synced = false;
}

static void take_welcome(struct sim_client *client, const json_t *frame)
{
    const json_t *conversations = json_object_get(frame, "conv");
    json_int_t generation = json_integer_value(json_object_get(frame, "gen"));

    if (generation < client->generation && !client->is_agent)
        sim_fail(client->world, "generation", "a lower one was given");
    client->generation = generation;
    client->is_welcomed = true;
    (void)snprintf(client->participant, sizeof(client->participant), "%s",
                   text_of(frame, "participant"));
    client->world->counts.welcomes++;
    if (!client->is_agent)
        (void)snprintf(client->token, sizeof(client->token), "%s", text_of(frame, "token"));
    for (size_t i = 0; i < client->n_views; i++)
        client->views[i]->is_live = false;
    for (size_t i = 0; i < json_array_size(conversations); i++)
        take_verdict(client, json_array_get(conversations, i));
    client->resend_ms = 0; /* the outbox is sent again */
}

static void take_entry(struct sim_client *client, struct sim_view *view, uint64_t offset,
                       const char *mid)
{
    check_new(client, view, offset, mid);
    HL_CHECK(offset <= SIM_ENTRIES);
    (void)snprintf(view->taken[offset - 1], SIM_MID_SIZE, "%s", mid);
    view->position = offset;
    view->n_taken++;
    client->world->counts.taken++;
}

static uint64_t after_of(const json_t *frame)
{
    const json_t *after = json_object_get(frame, "after");

    return after == NULL ? number_of(frame, "o") - 1 : (uint64_t)json_integer_value(after);
}

static void take_msg(struct sim_client *client, const json_t *frame)
{
    struct sim_view *view = view_of(client, frame);
    uint64_t offset = number_of(frame, "o");

    if (view == NULL || offset <= view->position)
        return;
    view->is_live = true;
    if (view->epoch == 0)
        view->epoch = strtoull(text_of(frame, "e"), NULL, 10);
    if (after_of(frame) <= view->position) {
        take_entry(client, view, offset, text_of(json_object_get(frame, "body"), "text"));
        if (client->world->is_healing || sim_chance(client->world, 60))
            send(client, "{\"t\":\"ack\",\"c\":\"%s\",\"o\":%" PRIu64 ",\"read\":%" PRIu64 "}",
                 truth_of(client, view)->id, view->position, view->position);
    } else {
        send(client, "{\"t\":\"hist\",\"c\":\"%s\",\"after\":%" PRIu64 "}",
             truth_of(client, view)->id, view->position);
    }
}

static void confirm_pub(struct sim_client *client, size_t at)
{
    HL_CHECK(client->n_confirmed < SIM_ENTRIES);
    client->confirmed[client->n_confirmed++] = client->outbox[at];
    client->n_outbox--;
    memmove(&client->outbox[at], &client->outbox[at + 1],
            (client->n_outbox - at) * sizeof(client->outbox[0]));
    client->world->counts.confirmed++;
}

static void take_pub_ok(struct sim_client *client, const json_t *frame)
{
    struct sim_view *view = view_of(client, frame);
    uint64_t offset = number_of(frame, "o");
    const char *mid = text_of(frame, "mid");
    size_t n_stored;

    for (size_t i = 0; i < client->n_outbox; i++) {
        if (strcmp(client->outbox[i].mid, mid) != 0)
            continue;
        confirm_pub(client, i);
        break;
    }
    if (view == NULL)
        return;
    if (!sim_truth_has(truth_of(client, view), mid, &n_stored))
        sim_fail(client->world, "acknowledged but lost", "%s of client %zu", mid, client->index);
    if (offset > view->position && after_of(frame) <= view->position)
        take_entry(client, view, offset, mid);
}

static void take_pub_no(struct sim_client *client, const json_t *frame)
{
    const json_t *problem = json_object_get(frame, "problem");
    const char *mid = text_of(frame, "mid");

    client->world->counts.refused++;
    /* storage took a later one and not this one, then the gateway forgot: tell it anew */
    if (json_object_get(frame, "want") != NULL && client->n_outbox > 0 &&
        number_of(frame, "want") < client->outbox[0].seq)
        client->must_attach = true;
    if (json_is_true(json_object_get(problem, "retryable")))
        return; /* it is repeated in time */
    /* an agent may speak where a roll back has left nothing */
    if (!client->is_agent || strcmp(text_of(problem, "code"), "unknown_conversation") != 0)
        sim_fail(client->world, "refused", "%s: %s", mid, text_of(problem, "code"));
    for (size_t i = 0; i < client->n_outbox; i++) {
        if (strcmp(client->outbox[i].mid, mid) != 0)
            continue;
        client->n_outbox--;
        memmove(&client->outbox[i], &client->outbox[i + 1],
                (client->n_outbox - i) * sizeof(client->outbox[0]));
        return;
    }
}

static void take_synced(struct sim_client *client, const json_t *frame)
{
    struct sim_view *view = view_of(client, frame);
    uint64_t offset = number_of(frame, "o");

    if (view == NULL)
        return;
    view->is_live = true;
    view->is_synced = true;
    if (view->epoch == 0)
        view->epoch = client->world->epoch;
    if (offset <= view->position)
        return;
    if (!is_complete(client, view, offset))
        sim_fail(client->world, "false synced", "client %zu at %" PRIu64 " hears %" PRIu64,
                 client->index, view->position, offset);
    view->position = offset;
}

static void take_gap(struct sim_client *client, const json_t *frame)
{
    struct sim_view *view = view_of(client, frame);
    uint64_t to = number_of(frame, "to");

    if (view == NULL)
        return;
    if (to > truth_of(client, view)->floor)
        sim_fail(client->world, "false gap", "client %zu: to %" PRIu64 ", floor %" PRIu64,
                 client->index, to, truth_of(client, view)->floor);
    if (view->epoch == 0)
        view->epoch = strtoull(text_of(frame, "e"), NULL, 10);
    if (to > view->position) {
        view->position = to;
        view->skipped = to;
    }
}

static void take_receipt(struct sim_client *client, const json_t *frame)
{
    const char *from = text_of(json_object_get(frame, "from"), "id");
    struct sim_view *view = view_of(client, frame);

    if (view == NULL)
        return;
    const struct sim_mark *truth = sim_mark_find(&truth_of(client, view)->marks, from);
    if (strcmp(from, client->participant) == 0)
        sim_fail(client->world, "receipt", "client %zu is told its own", client->index);
    if (truth == NULL || number_of(frame, "delivered") > truth->delivered ||
        number_of(frame, "read") > truth->read)
        sim_fail(client->world, "receipt", "client %zu hears more of %s than was marked",
                 client->index, from);
    sim_mark_raise(&view->receipts, from, number_of(frame, "delivered"), number_of(frame, "read"));
}

static void take_ping(struct sim_client *client, const json_t *frame)
{
    const json_t *heads = json_object_get(frame, "heads");

    send(client, "{\"t\":\"pong\"}");
    for (size_t i = 0; i < json_array_size(heads); i++) {
        const json_t *head = json_array_get(heads, i);
        const struct sim_view *view = view_of(client, head);
        if (view == NULL)
            continue;
        if (number_of(head, "o") > view->position && view->is_synced)
            send(client, "{\"t\":\"hist\",\"c\":\"%s\",\"after\":%" PRIu64 "}",
                 truth_of(client, view)->id, view->position);
        else
            send(client, "{\"t\":\"ack\",\"c\":\"%s\",\"o\":%" PRIu64 "}",
                 truth_of(client, view)->id, view->position);
    }
}

static void take_error(struct sim_client *client, const json_t *frame)
{
    const char *code = text_of(json_object_get(frame, "problem"), "code");

    /* a sub or ack may meet a conversation that a roll back has taken away */
    if (strcmp(code, "unknown_conversation") != 0 && strcmp(code, "cursor_expired") != 0)
        sim_fail(client->world, "error", "client %zu: %s", client->index, code);
}

static void pass_frame(struct sim_client *client, const json_t *frame)
{
    (void)client;
    (void)frame;
}

static void take_frame(struct sim_client *client, const json_t *frame)
{
    static const struct {
        const char *type;
        void (*take)(struct sim_client *client, const json_t *frame);
    } types[] = {{"welcome", take_welcome}, {"msg", take_msg},       {"pub_ok", take_pub_ok},
                 {"pub_no", take_pub_no},   {"synced", take_synced}, {"gap", take_gap},
                 {"ping", take_ping},       {"error", take_error},   {"presence", pass_frame},
                 {"receipt", take_receipt}, {"drain", pass_frame},   {"bye", pass_frame}};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].type, text_of(frame, "t")) != 0)
            continue;
        types[i].take(client, frame);
        return;
    }
    sim_fail(client->world, "frame", "not known: %s", text_of(frame, "t"));
}

void sim_client_receive(struct sim_client *client, const json_t *message)
{
    client->heard_ms = sim_now(client->world);
    if (!json_is_array(message)) {
        take_frame(client, message);
        return;
    }
    for (size_t i = 0; i < json_array_size(message); i++)
        take_frame(client, json_array_get(message, i));
}
