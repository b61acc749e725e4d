/* A model client that keeps the rules of docs/protocol.md over WebSocket, over long-poll, or
 * changing between them at random, and writes down what it saw (docs/history.md). It never
 * gives up: whatever happens to the link, it attaches again with token and position.
 * Thread: one. Shares no code with the server but the JSON library. */
#ifndef HL_TESTS_FAULT_CHAT_H
#define HL_TESTS_FAULT_CHAT_H

#include <stdio.h>

#include <jansson.h>

#include "tests/bench/net.h"

enum { CHAT_CONVERSATIONS_MAX = 64, CHAT_OUTBOX_MAX = 8, CHAT_BODY_MAX = 64 };

enum { CHAT_VIA_WS = 2 };

enum chat_transport { CHAT_WS, CHAT_POLL, CHAT_MIX };

struct chat_conversation {
    char id[40], epoch[24];
    int64_t position, acked;
    int64_t told[3]; /* the position last sent over each poll connection, and the WebSocket */
    int64_t hist_at; /* position a hist was sent for, -1: none */
    bool is_level;   /* synced came on this attachment */
    bool is_subscribed;
};

struct chat_pub {
    char mid[40], body[CHAT_BODY_MAX];
    uint64_t seq;
    unsigned conversation;
    uint64_t sent_us; /* on this attachment; 0: not yet */
    bool is_logged;
};

struct chat_world { /* what all clients of a run share */
    struct net net;
    uint16_t port;
    const char *key;      /* agents' */
    const char *resource; /* of a run: makes mids unique */
    FILE *history;
    uint64_t random;
    /* Told when an entry of a conversation is known to exist. */
    void (*seen)(struct chat_world *world, const char *conversation, int64_t offset);
    void *owner;
    uint64_t n_sent, n_acked, n_delivered, n_refused, n_attached, n_switched, n_holes, n_stuck;
};

struct chat {
    struct chat_world *world;
    char name[16], participant[48];
    bool is_agent;
    enum chat_transport transport;
    bool is_on_poll; /* where it is now */
    bool is_attached;
    char *token;
    int64_t gen; /* 0: attach anew */
    uint64_t rid, next_seq, n_mids;
    struct chat_conversation conversations[CHAT_CONVERSATIONS_MAX];
    unsigned n_conversations;
    struct chat_pub outbox[CHAT_OUTBOX_MAX];
    unsigned n_outbox;
    struct net_conn ws, polls[2];
    bool is_poll_busy[2];
    unsigned via;                /* which of the three a frame is being made for, or came by */
    uint64_t retry_us, heard_us; /* when to try again; when anything came */
    uint64_t resend_us;          /* outbox rests until then after a retryable refusal */
};

void chat_init(struct chat *chat, struct chat_world *world, const char *name, bool is_agent,
               enum chat_transport transport);
void chat_fini(struct chat *chat);
/* Agents: follows a conversation from its beginning from now on. */
void chat_follow(struct chat *chat, const char *conversation);
bool chat_can_say(const struct chat *chat); /* the outbox has room, and there is a conversation */
void chat_say(struct chat *chat, unsigned conversation);
/* Call every few milliseconds: connects, times out, polls, switches. */
void chat_tick(struct chat *chat, uint64_t now);
void chat_write_final(struct chat *chat);

/* chat_link.c: for chat.c only. */
void chat_link_send(struct chat *chat, json_t *frame); /* takes the reference; WebSocket only */
void chat_link_drop(struct chat *chat, uint64_t retry_in_us);
/* chat.c: for chat_link.c only. */
void chat_handle(struct chat *chat, const json_t *frames);
json_t *chat_hello(struct chat *chat);
uint64_t chat_lowest_seq(const struct chat *chat);
json_t *chat_positions(struct chat *chat);
void chat_append_outgoing(struct chat *chat, json_t *frames, bool is_all);

uint64_t chat_random(struct chat_world *world, uint64_t below);

#endif
