/* agent-api/exchange.h for tests: a request made of texts, and its answer to look at. */
#ifndef HL_TESTS_SUPPORT_FAKE_EXCHANGE_H
#define HL_TESTS_SUPPORT_FAKE_EXCHANGE_H

#include "agent-api/exchange.h"
#include "base/json.h"

struct hl_fake_exchange {
    struct hl_exchange exchange; /* hand this out */
    char target[512];
    struct hl_buffer headers; /* of the answer: "name: value\n" each */
    struct hl_buffer body;
    char type[96];
    int status;
    bool is_answered; /* answered, or the stream has ended */
    bool is_streaming;
    bool is_cut;   /* the stream was broken off */
    bool is_ready; /* whether the peer takes more; a test may say no */
};

/* `target` is a path with or without a query. */
void hl_fake_exchange_init(struct hl_fake_exchange *fake, enum hl_method method,
                           const char *target);
void hl_fake_exchange_fini(struct hl_fake_exchange *fake);
/* Views: must live as long as the request. */
void hl_fake_exchange_set(struct hl_fake_exchange *fake, enum hl_header header, const char *value);
void hl_fake_exchange_set_body(struct hl_fake_exchange *fake, const char *type, const char *body);
/* A frame of the client, where exchange.is_socket was set; a problem that ends it stands in
 * `type`, its close code in `status`. */
void hl_fake_exchange_say(struct hl_fake_exchange *fake, const char *text);
/* The connection dies: runs on_gone. */
void hl_fake_exchange_drop(struct hl_fake_exchange *fake);

/* Value of an answer's header; "" if it is not there. Good until the next call. */
const char *hl_fake_exchange_header(const struct hl_fake_exchange *fake, const char *name);
/* The answer's body as text; good until it is written to again. */
const char *hl_fake_exchange_text(struct hl_fake_exchange *fake);
/* The answer's body as JSON; the caller's. */
json_t *hl_fake_exchange_json(struct hl_fake_exchange *fake);

#endif
