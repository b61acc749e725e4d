/* One bench client: it says the same things to holdline, to a floor that speaks the same
 * frames, to nchan or to an MQTT broker. Counts answers; latencies are the mode's business. */
#ifndef HL_TESTS_BENCH_SPEAKER_H
#define HL_TESTS_BENCH_SPEAKER_H

#include "tests/bench/net.h"

enum dialect { DIALECT_HOLDLINE, DIALECT_NCHAN, DIALECT_MQTT };
enum role { ROLE_SENDER, ROLE_READER };

struct speaker;

struct speaker_handler {
    void (*ready)(struct speaker *speaker);             /* may send; a reader: subscribed */
    void (*acked)(struct speaker *speaker, unsigned n); /* n sends were acknowledged */
    void (*given)(struct speaker *speaker, const char *text, size_t size); /* one delivery */
    void (*synced)(struct speaker *speaker);                               /* may be NULL */
    void (*closed)(struct speaker *speaker);
};

struct speaker_config {
    struct net *net;
    const struct speaker_handler *handler;
    enum dialect dialect;
    uint16_t port;
    const char *key; /* an agent's key; readers of holdline need it */
};

struct speaker {
    struct net_conn conn;
    const struct speaker_config *config;
    void *owner;
    enum role role;
    uint32_t room;         /* number of the channel, for the peers */
    char conversation[40]; /* from the welcome, or given to a reader before it opens */
    char epoch[24];
    uint32_t mid_seed; /* message ids differ between runs against one store */
    char *token;       /* of the last welcome; kept only if keeps_token */
    bool keeps_token, is_ready;
    uint64_t offset;    /* highest offset seen: own answers and deliveries */
    uint64_t resume_at; /* position told in the next hello, when there is a token */
    uint64_t n_given;
};

/* 0, -errno; opening again after closed() resumes if there is a token. */
int speaker_open(struct speaker *speaker, const struct speaker_config *config);
/* One message with this text (no character that needs an escape). */
void speaker_send(struct speaker *speaker, const char *text, size_t size);
void speaker_drop(struct speaker *speaker);

#endif
