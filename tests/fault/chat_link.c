/* The links of the model client: one WebSocket, or polls over two connections so that a new
 * poll can overtake the one that waits. */
#include "tests/fault/chat.h"

#include <stdlib.h>
#include <string.h>

#include "tests/bench/process.h"

enum {
    RETRY_US = 20000,
    RETRY_SPREAD_US = 200000,
    PATIENCE_US = 5000000,
    POLL_WAIT_MS = 1000,
    SWITCH_ONE_IN = 2000 /* ticks */
};

static uint64_t retry_time(struct chat *chat)
{
    return RETRY_US + chat_random(chat->world, RETRY_SPREAD_US);
}

void chat_link_drop(struct chat *chat, uint64_t retry_in_us)
{
    net_close(&chat->ws);
    net_close(&chat->polls[0]);
    net_close(&chat->polls[1]);
    chat->is_poll_busy[0] = chat->is_poll_busy[1] = false;
    chat->is_attached = false;
    chat->gen = 0;
    chat->retry_us = now_us() + retry_in_us;
}

/* On long-poll a frame of the moment waits for nothing: positions in the next poll say it. */
void chat_link_send(struct chat *chat, json_t *frame)
{
    char *text = json_dumps(frame, JSON_COMPACT);
    if (!chat->is_on_poll)
        net_send(&chat->ws, text, strlen(text));
    free(text);
    json_decref(frame);
}

/* -- WebSocket -- */

static void on_ws_opened(struct net_conn *conn)
{
    struct chat *chat = conn->owner;
    chat->via = CHAT_VIA_WS;
    chat_link_send(chat, chat_hello(chat));
}

static size_t on_ws_received(struct net_conn *conn, const char *data, size_t size)
{
    struct chat *chat = conn->owner;
    json_t *frames = json_loadb(data, size, 0, NULL);
    if (frames == NULL) {
        fprintf(stderr, "%s: not JSON: %.*s\n", chat->name, (int)size, data);
        exit(1);
    }
    chat->via = CHAT_VIA_WS;
    chat_handle(chat, frames);
    json_decref(frames);
    return size;
}

static void on_ws_closed(struct net_conn *conn)
{
    struct chat *chat = conn->owner;
    chat_link_drop(chat, retry_time(chat));
}

static const struct net_handler ws_handler = {on_ws_opened, on_ws_received, on_ws_closed};

static void flush_ws(struct chat *chat)
{
    json_t *frames = json_array();
    chat_append_outgoing(chat, frames, false);
    if (json_array_size(frames) > 0) {
        char *text = json_dumps(frames, JSON_COMPACT);
        net_send(&chat->ws, text, strlen(text));
        free(text);
    }
    json_decref(frames);
}

/* -- long-poll -- */

static void send_poll(struct chat *chat, unsigned i, unsigned wait_ms)
{
    chat->via = i;
    json_t *frames = json_array();
    json_t *poll = json_pack("{sI,si}", "rid", (json_int_t)++chat->rid, "wait_ms", wait_ms);
    if (chat->gen != 0)
        json_object_set_new(poll, "gen", json_integer((json_int_t)chat->gen));
    else
        json_array_append_new(frames, chat_hello(chat));
    if (chat->token != NULL)
        json_object_set_new(poll, "token", json_string(chat->token));
    json_object_set_new(poll, "pos", chat_positions(chat));
    if (!chat->is_agent)
        json_object_set_new(poll, "seq", json_integer((json_int_t)chat_lowest_seq(chat)));
    if (chat->gen != 0)
        chat_append_outgoing(chat, frames, true);
    json_object_set_new(poll, "frames", frames);
    char *text = json_dumps(poll, JSON_COMPACT);
    chat->is_poll_busy[i] = true;
    net_request(&chat->polls[i], "POST", "/v1/poll", "Content-Type: application/json\r\n", text,
                strlen(text));
    free(text);
    json_decref(poll);
}

static unsigned index_of(const struct chat *chat, const struct net_conn *conn)
{
    return conn == &chat->polls[0] ? 0 : 1;
}

static void on_poll_opened(struct net_conn *conn)
{
    struct chat *chat = conn->owner;
    send_poll(chat, index_of(chat, conn), chat->gen == 0 ? 0 : POLL_WAIT_MS);
}

static void handle_problem(struct chat *chat, const json_t *problem, int status)
{
    const char *code = json_string_value(json_object_get(problem, "code"));
    bool is_expected =
        code != NULL && (strcmp(code, "replaced") == 0 || status == 429 || status >= 500);
    if (!is_expected) {
        fprintf(stderr, "%s: poll refused: %d %s\n", chat->name, status, code == NULL ? "" : code);
        chat->world->n_refused++;
    }
    chat_link_drop(chat, retry_time(chat));
}

static size_t on_poll_received(struct net_conn *conn, const char *data, size_t size)
{
    struct chat *chat = conn->owner;
    json_t *answer = json_loadb(data, size, 0, NULL);
    chat->via = index_of(chat, conn);
    chat->is_poll_busy[chat->via] = false;
    chat->heard_us = now_us();
    if (conn->status != 200) {
        handle_problem(chat, answer, conn->status);
        json_decref(answer);
        return size;
    }
    if (answer == NULL) {
        fprintf(stderr, "%s: not JSON: %.*s\n", chat->name, (int)size, data);
        exit(1);
    }
    if (!json_is_true(json_object_get(answer, "superseded")))
        chat_handle(chat, json_object_get(answer, "frames"));
    json_decref(answer);
    return size;
}

static void on_poll_closed(struct net_conn *conn)
{
    struct chat *chat = conn->owner;
    unsigned i = index_of(chat, conn);
    if (chat->is_poll_busy[i])
        chat->retry_us = now_us() + retry_time(chat);
    chat->is_poll_busy[i] = false;
}

static const struct net_handler poll_handler = {on_poll_opened, on_poll_received, on_poll_closed};

static bool has_news(const struct chat *chat, uint64_t now)
{
    for (unsigned i = 0; i < chat->n_outbox; i++)
        if (chat->outbox[i].sent_us == 0 && now >= chat->resend_us)
            return true;
    for (unsigned i = 0; i < chat->n_conversations; i++)
        if (chat->is_agent && !chat->conversations[i].is_subscribed)
            return true;
    return false;
}

/* A free connection polls if none waits, or if there is something to say. */
static void tick_poll(struct chat *chat, uint64_t now)
{
    bool is_idle = !chat->is_poll_busy[0] && !chat->is_poll_busy[1];
    if (!is_idle && (chat->gen == 0 || !has_news(chat, now)))
        return;
    unsigned i = chat->is_poll_busy[0] ? 1 : 0;
    if (chat->is_poll_busy[i] || now < chat->retry_us)
        return;
    struct net_conn *conn = &chat->polls[i];
    if (conn->state == NET_OPEN) {
        send_poll(chat, i, chat->gen == 0 ? 0 : POLL_WAIT_MS);
        return;
    }
    chat->is_poll_busy[i] = true;
    if (!chat->is_attached)
        chat->heard_us = now;
    if (net_connect(&chat->world->net, conn, NET_HTTP, chat->world->port, NULL, &poll_handler,
                    chat) != 0)
        chat_link_drop(chat, retry_time(chat));
}

static void tick_ws(struct chat *chat, uint64_t now)
{
    if (chat->ws.state == NET_CLOSED && now >= chat->retry_us) {
        chat->heard_us = now;
        if (net_connect(&chat->world->net, &chat->ws, NET_WS, chat->world->port, "/v1/ws",
                        &ws_handler, chat) != 0)
            chat_link_drop(chat, retry_time(chat));
    }
    if (chat->is_attached)
        flush_ws(chat);
}

static bool is_waiting(const struct chat *chat)
{
    return chat->n_outbox > 0 || !chat->is_attached;
}

void chat_tick(struct chat *chat, uint64_t now)
{
    if (chat->transport == CHAT_MIX && chat_random(chat->world, SWITCH_ONE_IN) == 0) {
        chat_link_drop(chat, chat_random(chat->world, 2) * 10000);
        chat->is_on_poll = !chat->is_on_poll;
        chat->world->n_switched++;
    }
    bool is_linked = chat->is_on_poll ? chat->is_poll_busy[0] || chat->is_poll_busy[1]
                                      : chat->ws.state != NET_CLOSED;
    if (is_linked && is_waiting(chat) && now > chat->heard_us + PATIENCE_US &&
        now > chat->retry_us + PATIENCE_US) {
        chat->world->n_stuck++;
        fprintf(stderr, "%s: silence on %s for 5 s, attached %d, %u unconfirmed\n", chat->name,
                chat->is_on_poll ? "poll" : "ws", chat->is_attached, chat->n_outbox);
        chat->heard_us = now;
        chat_link_drop(chat, retry_time(chat));
    }
    if (chat->is_on_poll)
        tick_poll(chat, now);
    else
        tick_ws(chat, now);
}
