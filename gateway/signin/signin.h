/* Signing agents in: with an API key, for browsers that shall not keep it (POST /v1/session), or
 * at an identity provider (oidc.h). What the browser gets is a cookie (pass.h).
 *
 * A request that is only believed for its cookie must come from the gateway's own pages: browsers
 * send cookies along with what other pages ask for. SameSite=Strict keeps them from it; the check
 * of Origin and Sec-Fetch-Site holds where that does not.
 *
 * Thread: the loop's. struct hl_signin_shared: any. */
#ifndef HL_GATEWAY_SIGNIN_SIGNIN_H
#define HL_GATEWAY_SIGNIN_SIGNIN_H

#include "agent-api/api.h"
#include "agent-api/pending.h"
#include "gateway/signin/attempts.h"
#include "gateway/signin/pass.h"
#include "gateway/signin/spent.h"

struct hl_signin_shared { /* of all loops; the server's */
    struct hl_spent *spent;
    struct hl_attempts *attempts;
};
int hl_signin_shared_create(struct hl_signin_shared *out_shared); /* 0, -ENOMEM */
void hl_signin_shared_destroy(struct hl_signin_shared *shared);

struct hl_oidc;

struct hl_signin { /* of one loop; its owner keeps it up to date */
    const struct hl_signin_shared *shared;
    struct hl_oidc *oidc; /* NULL: no identity provider */
    struct hl_loop *loop;
    struct hl_directory *directory;
    struct hl_api *api;
    const struct hl_clock *clock;
    const struct hl_random *random;
    const struct hl_token_keys *keys;
    const char *public_url; /* "" or scheme, host and port */
    bool is_https;          /* browsers reach the gateway by https */
    struct hl_pending_set pending;
};

/* The one line of a file; no file ("") has none. 0, -errno; `why` gets one line. */
enum { HL_SIGNIN_SECRET_SIZE = 512 };
int hl_signin_read_secret(const char *path, char out_secret[HL_SIGNIN_SECRET_SIZE], char *why,
                          size_t why_size);

/* hl_route.handle with struct hl_signin as argument. */
void hl_signin_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);
void hl_signin_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);
void hl_signin_delete(void *arg, struct hl_exchange *exchange,
                      const struct hl_route_params *params);

/* hl_passes.find with struct hl_signin as argument. */
int hl_signin_find(void *arg, struct hl_exchange *exchange, struct hl_principal *out_who);

/* Whether a page of the gateway's own sent the request. `is_strict`: it must say so; else it
 * must only not say otherwise. */
bool hl_signin_is_own(const struct hl_signin *signin, const struct hl_exchange *exchange,
                      bool is_strict);
/* Into the audit log: what the agent did. `action` and `details` are static. */
void hl_signin_record(const struct hl_signin *signin, const struct hl_exchange *exchange,
                      const struct hl_id *agent, const char *action, const char *details);
/* Gives the browser a pass. 0, -ENOMEM. */
int hl_signin_give(const struct hl_signin *signin, struct hl_exchange *exchange,
                   const struct hl_id *agent, const struct hl_id *key);

#endif
