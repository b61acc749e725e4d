/* One HTTP request to an identity provider, within bounds: https (plain http only to this very
 * machine, for tests), no redirects, a time limit, a size limit. It blocks: never on a loop.
 * Thread: its owner's; hl_fetch_start_all once, before any thread. */
#ifndef HL_GATEWAY_SIGNIN_FETCH_H
#define HL_GATEWAY_SIGNIN_FETCH_H

#include <stdatomic.h>

#include "base/bytes.h"

enum {
    HL_FETCH_CONNECT_MS = 5000,
    HL_FETCH_MS = 10000,
    HL_FETCH_BYTES_MAX = 1024 * 1024,
    HL_FETCH_URL_SIZE_MAX = 2048
};

/* Outcomes. */
enum {
    HL_FETCH_REFUSED = 1, /* the address is none we talk to */
    HL_FETCH_FAILED,      /* no answer, a bad certificate, too large, too late */
};

struct hl_fetch {
    const char *url;
    const char *form;             /* POST of application/x-www-form-urlencoded; NULL: GET */
    const char *user, *password;  /* Basic; NULL: none */
    const atomic_bool *is_ending; /* looked at while it waits; NULL: not */
    /* out */
    long status;
    struct hl_buffer body; /* the caller's, hl_buffer_fini; also after a failure */
    char why[160];         /* after a failure */
};

int hl_fetch_start_all(void); /* 0, -ENOMEM */

/* Whether it is an address we talk to: https, or http to a loopback host. */
bool hl_fetch_is_allowed(const char *url);
/* 0 whatever the status, HL_FETCH_…, -ENOMEM. */
int hl_fetch_run(struct hl_fetch *fetch);

/* Appends a value as a query or form wants it: all but RFC 3986's unreserved is escaped. */
void hl_fetch_append_escaped(struct hl_buffer *out, struct hl_bytes value);

#endif
