#include "tests/fault/chat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/process.h"

enum { RESEND_PAUSE_US = 50000 };

uint64_t chat_random(struct chat_world *world, uint64_t below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random % below;
}

void chat_init(struct chat *chat, struct chat_world *world, const char *name, bool is_agent,
               enum chat_transport transport)
{
    memset(chat, 0, sizeof *chat);
    chat->world = world;
    snprintf(chat->name, sizeof chat->name, "%s", name);
    chat->is_agent = is_agent;
    chat->transport = transport;
    chat->is_on_poll = transport == CHAT_POLL;
    chat->next_seq = 1;
    if (is_agent)
        chat->token = strdup(world->key);
}

void chat_fini(struct chat *chat)
{
    net_drop(&chat->ws);
    net_drop(&chat->polls[0]);
    net_drop(&chat->polls[1]);
    free(chat->token);
}

/* -- what is written down -- */

static void write_line(const struct chat *chat, const char *op, const char *conversation,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

static void write_line(const struct chat *chat, const char *op, const char *conversation,
                       const char *format, ...)
{
    FILE *history = chat->world->history;
    va_list arguments;
    fprintf(history, "{\"ts\":%" PRIu64 ",\"client\":\"%s\",\"op\":\"%s\",\"c\":\"%s\"", now_us(),
            chat->name, op, conversation);
    va_start(arguments, format);
    vfprintf(history, format, arguments);
    va_end(arguments);
    fputs("}\n", history);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static int64_t number_of(const json_t *object, const char *key, int64_t absent)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : absent;
}

static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
}

static struct chat_conversation *find_conversation(struct chat *chat, const char *id)
{
    for (unsigned i = 0; i < chat->n_conversations; i++)
        if (strcmp(chat->conversations[i].id, id) == 0)
            return &chat->conversations[i];
    return NULL;
}

static struct chat_conversation *add_conversation(struct chat *chat, const char *id)
{
    if (chat->n_conversations == CHAT_CONVERSATIONS_MAX)
        abort();
    struct chat_conversation *conversation = &chat->conversations[chat->n_conversations++];
    memset(conversation, 0, sizeof *conversation);
    copy_text(conversation->id, sizeof conversation->id, id);
    conversation->hist_at = -1;
    return conversation;
}

void chat_follow(struct chat *chat, const char *conversation)
{
    if (find_conversation(chat, conversation) != NULL)
        return;
    add_conversation(chat, conversation);
    write_line(chat, "start", conversation, ",\"o\":0,\"role\":\"agent\"");
}

bool chat_can_say(const struct chat *chat)
{
    return chat->n_outbox < CHAT_OUTBOX_MAX && chat->n_conversations > 0;
}

void chat_say(struct chat *chat, unsigned conversation)
{
    struct chat_pub *pub = &chat->outbox[chat->n_outbox++];
    memset(pub, 0, sizeof *pub);
    uint64_t number = ++chat->n_mids;
    snprintf(pub->mid, sizeof pub->mid, "%s-%s-%" PRIu64, chat->world->resource, chat->name,
             number);
    snprintf(pub->body, sizeof pub->body, "%s says %" PRIu64, chat->name, number);
    pub->conversation = conversation;
    pub->seq = chat->is_agent ? 0 : chat->next_seq++;
    write_line(chat, "send", chat->conversations[conversation].id,
               ",\"mid\":\"%s\",\"body\":\"%s\"", pub->mid, pub->body);
    chat->world->n_sent++;
}

void chat_write_final(struct chat *chat)
{
    for (unsigned i = 0; i < chat->n_conversations; i++)
        write_line(chat, "final", chat->conversations[i].id, ",\"o\":%" PRId64,
                   chat->conversations[i].position);
}

/* -- what goes out -- */

json_t *chat_positions(struct chat *chat)
{
    json_t *positions = json_array();
    for (unsigned i = 0; i < chat->n_conversations; i++) {
        struct chat_conversation *conversation = &chat->conversations[i];
        conversation->told[chat->via] = conversation->position;
        if (conversation->epoch[0] != '\0')
            json_array_append_new(positions, json_pack("{ss,ss,sI}", "c", conversation->id, "e",
                                                       conversation->epoch, "o",
                                                       (json_int_t)conversation->position));
    }
    return positions;
}

uint64_t chat_lowest_seq(const struct chat *chat)
{
    return chat->n_outbox > 0 && !chat->is_agent ? chat->outbox[0].seq : chat->next_seq;
}

json_t *chat_hello(struct chat *chat)
{
    json_t *hello = json_pack("{ss,si}", "t", "hello", "v", 1);
    if (chat->token != NULL)
        json_object_set_new(hello, "token", json_string(chat->token));
    if (!chat->is_agent) {
        json_object_set_new(hello, "pos", chat_positions(chat));
        json_object_set_new(hello, "seq", json_integer((json_int_t)chat_lowest_seq(chat)));
    }
    return hello;
}

static json_t *make_pub(const struct chat *chat, const struct chat_pub *pub)
{
    json_t *frame =
        json_pack("{ss,ss,ss,s{ss}}", "t", "pub", "c", chat->conversations[pub->conversation].id,
                  "mid", pub->mid, "body", "text", pub->body);
    if (pub->seq > 0)
        json_object_set_new(frame, "seq", json_integer((json_int_t)pub->seq));
    return frame;
}

/* What is to be said now: subscriptions, then pubs, then acks. is_all (long-poll): what was
 * said before and not confirmed is said again. */
void chat_append_outgoing(struct chat *chat, json_t *frames, bool is_all)
{
    uint64_t now = now_us();
    for (unsigned i = 0; i < chat->n_conversations; i++) {
        struct chat_conversation *conversation = &chat->conversations[i];
        if (chat->is_agent &&
            (!conversation->is_subscribed || (is_all && !conversation->is_level))) {
            conversation->is_subscribed = true;
            json_t *sub = json_pack("{ss,ss,sI}", "t", "sub", "c", conversation->id, "after",
                                    (json_int_t)conversation->position);
            if (conversation->epoch[0] != '\0')
                json_object_set_new(sub, "e", json_string(conversation->epoch));
            json_array_append_new(frames, sub);
        }
        if (conversation->position > conversation->acked && !is_all) {
            conversation->acked = conversation->position;
            json_array_append_new(frames, json_pack("{ss,ss,sI}", "t", "ack", "c", conversation->id,
                                                    "o", (json_int_t)conversation->position));
        }
    }
    for (unsigned i = 0; i < chat->n_outbox && now >= chat->resend_us; i++) {
        if (chat->outbox[i].sent_us != 0 && !is_all)
            continue;
        chat->outbox[i].sent_us = now;
        json_array_append_new(frames, make_pub(chat, &chat->outbox[i]));
    }
}

/* -- what comes in -- */

static void take_welcome(struct chat *chat, const json_t *frame)
{
    const char *token = json_string_value(json_object_get(frame, "token"));
    if (token != NULL && !chat->is_agent) {
        free(chat->token);
        chat->token = strdup(token);
    }
    chat->gen = number_of(frame, "gen", 0);
    copy_text(chat->participant, sizeof chat->participant, text_of(frame, "participant"));
    chat->is_attached = true;
    chat->world->n_attached++;
    for (unsigned i = 0; i < chat->n_outbox; i++)
        chat->outbox[i].sent_us = 0;
    for (unsigned i = 0; i < chat->n_conversations; i++)
        chat->conversations[i].is_level = chat->conversations[i].is_subscribed = false;
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(frame, "conv"), i, item)
    {
        const char *id = text_of(item, "c"), *verdict = text_of(item, "verdict");
        struct chat_conversation *conversation = find_conversation(chat, id);
        if (conversation == NULL && chat->n_conversations > 0 && !chat->is_agent) {
            fprintf(stderr, "%s: given another conversation than it had\n", chat->name);
            exit(1);
        }
        if (conversation == NULL)
            conversation = add_conversation(chat, id);
        write_line(chat, "verdict", id,
                   ",\"verdict\":\"%s\",\"pos\":%" PRId64 "%s%s%s,\"e\":\"%s\",\"head\":%" PRId64,
                   verdict, conversation->told[chat->via],
                   conversation->epoch[0] == '\0' ? "" : ",\"pe\":\"", conversation->epoch,
                   conversation->epoch[0] == '\0' ? "" : "\"", text_of(item, "e"),
                   number_of(item, "head", 0));
        if (strcmp(verdict, "reset") == 0)
            conversation->position = conversation->acked = 0;
        copy_text(conversation->epoch, sizeof conversation->epoch, text_of(item, "e"));
    }
}

static void ask_again(struct chat *chat, struct chat_conversation *conversation)
{
    if (conversation->hist_at == conversation->position)
        return;
    conversation->hist_at = conversation->position;
    chat->world->n_holes++;
    chat_link_send(chat, json_pack("{ss,ss,sI}", "t", "hist", "c", conversation->id, "after",
                                   (json_int_t)conversation->position));
}

static void take_msg(struct chat *chat, const json_t *frame)
{
    struct chat_conversation *conversation = find_conversation(chat, text_of(frame, "c"));
    int64_t offset = number_of(frame, "o", 0), after = number_of(frame, "after", offset - 1);
    if (conversation == NULL || offset <= conversation->position)
        return;
    if (after > conversation->position) {
        ask_again(chat, conversation);
        return;
    }
    conversation->position = offset;
    copy_text(conversation->epoch, sizeof conversation->epoch, text_of(frame, "e"));
    write_line(chat, "deliver", conversation->id,
               ",\"e\":\"%s\",\"o\":%" PRId64 ",\"after\":%" PRId64
               ",\"mid\":\"%s\",\"author\":\"%s\",\"body\":\"%s\",\"kind\":\"%s\"",
               text_of(frame, "e"), offset, after, text_of(frame, "mid"),
               text_of(json_object_get(frame, "from"), "id"),
               text_of(json_object_get(frame, "body"), "text"), text_of(frame, "kind"));
    chat->world->n_delivered++;
    chat->world->seen(chat->world, conversation->id, offset);
}

static unsigned find_pub(const struct chat *chat, const char *mid)
{
    unsigned i = 0;
    while (i < chat->n_outbox && strcmp(chat->outbox[i].mid, mid) != 0)
        i++;
    return i;
}

static void remove_pub(struct chat *chat, unsigned i)
{
    if (i == chat->n_outbox)
        return;
    chat->n_outbox--;
    memmove(&chat->outbox[i], &chat->outbox[i + 1], (chat->n_outbox - i) * sizeof chat->outbox[0]);
}

static void take_pub_ok(struct chat *chat, const json_t *frame)
{
    struct chat_conversation *conversation = find_conversation(chat, text_of(frame, "c"));
    int64_t offset = number_of(frame, "o", 0), after = number_of(frame, "after", offset - 1);
    if (conversation == NULL)
        return;
    write_line(chat, "acked", conversation->id,
               ",\"mid\":\"%s\",\"e\":\"%s\",\"o\":%" PRId64 ",\"after\":%" PRId64,
               text_of(frame, "mid"), text_of(frame, "e"), offset, after);
    if (after <= conversation->position && offset > conversation->position) {
        conversation->position = offset;
        copy_text(conversation->epoch, sizeof conversation->epoch, text_of(frame, "e"));
    }
    remove_pub(chat, find_pub(chat, text_of(frame, "mid")));
    chat->world->n_acked++;
    chat->world->seen(chat->world, conversation->id, offset);
}

static void take_pub_no(struct chat *chat, const json_t *frame)
{
    const json_t *problem = json_object_get(frame, "problem");
    const char *code = text_of(problem, "code"), *mid = text_of(frame, "mid");
    unsigned i = find_pub(chat, mid);
    if (i == chat->n_outbox)
        return;
    write_line(chat, "refused", chat->conversations[chat->outbox[i].conversation].id,
               ",\"mid\":\"%s\",\"code\":\"%s\"", mid, code);
    if (json_is_true(json_object_get(problem, "retryable"))) {
        for (unsigned k = 0; k < chat->n_outbox; k++)
            chat->outbox[k].sent_us = 0;
        chat->resend_us = now_us() + RESEND_PAUSE_US;
        return;
    }
    fprintf(stderr, "%s: refused for good: %s\n", chat->name, code);
    chat->world->n_refused++;
    remove_pub(chat, i);
}

static void take_synced(struct chat *chat, const json_t *frame)
{
    struct chat_conversation *conversation = find_conversation(chat, text_of(frame, "c"));
    if (conversation == NULL)
        return;
    int64_t offset = number_of(frame, "o", 0);
    write_line(chat, "synced", conversation->id, ",\"o\":%" PRId64, offset);
    conversation->is_level = true;
    conversation->hist_at = -1;
    if (offset > conversation->position)
        conversation->position = offset;
}

static void take_gap(struct chat *chat, const json_t *frame)
{
    struct chat_conversation *conversation = find_conversation(chat, text_of(frame, "c"));
    int64_t to = number_of(frame, "to", 0);
    write_line(chat, "gap", text_of(frame, "c"), ",\"from\":%" PRId64 ",\"to\":%" PRId64,
               number_of(frame, "from", 0), to);
    if (conversation != NULL && to > conversation->position)
        conversation->position = to;
}

static void take_ping(struct chat *chat, const json_t *frame)
{
    size_t i;
    const json_t *head;
    chat_link_send(chat, json_pack("{ss}", "t", "pong"));
    json_array_foreach(json_object_get(frame, "heads"), i, head)
    {
        struct chat_conversation *conversation = find_conversation(chat, text_of(head, "c"));
        if (conversation != NULL && conversation->is_level &&
            number_of(head, "o", 0) > conversation->position)
            ask_again(chat, conversation);
    }
}

static void take_frame(struct chat *chat, const json_t *frame)
{
    static const struct {
        const char *type;
        void (*take)(struct chat *chat, const json_t *frame);
    } table[] = {{"welcome", take_welcome}, {"msg", take_msg},       {"pub_ok", take_pub_ok},
                 {"pub_no", take_pub_no},   {"synced", take_synced}, {"gap", take_gap},
                 {"ping", take_ping}};
    const char *type = text_of(frame, "t");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(type, table[i].type) == 0)
            table[i].take(chat, frame);
    if (strcmp(type, "error") == 0) {
        char *text = json_dumps(frame, JSON_COMPACT);
        fprintf(stderr, "%s: %s\n", chat->name, text);
        free(text);
        chat->world->n_refused++;
    }
}

void chat_handle(struct chat *chat, const json_t *frames)
{
    size_t i;
    const json_t *frame;
    chat->heard_us = now_us();
    if (json_is_object(frames))
        take_frame(chat, frames);
    json_array_foreach(frames, i, frame) take_frame(chat, frame);
}
