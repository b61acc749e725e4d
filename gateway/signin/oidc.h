/* Signing agents in at an identity provider (OpenID Connect, code flow with PKCE): what asks the
 * provider runs on a thread of its own, one request after another, and never on a loop.
 *
 * GET /v1/session/oidc sends the browser to the provider with a ticket (ticket.h) in a cookie;
 * GET /v1/session/oidc/callback takes it back, once, and ends with a pass (pass.h) or with a page
 * that says why not. Whom the provider names must be an agent of the directory already: by the
 * subject it was linked to at its first sign-in, or else by e-mail address.
 *
 * Thread: handlers: the loop's; create and destroy: the main thread's. */
#ifndef HL_GATEWAY_SIGNIN_OIDC_H
#define HL_GATEWAY_SIGNIN_OIDC_H

#include "gateway/signin/provider.h"
#include "gateway/signin/signin.h"
#include "gateway/signin/ticket.h"

enum { HL_OIDC_UNDER_WAY_MAX = 64 };

struct hl_oidc_config { /* all lent until hl_oidc_destroy */
    const char *issuer;
    const char *client;
    const char *secret; /* "": none */
    const char *redirect;
    const char *scopes;
    enum hl_key_role auto_role; /* of agents made at their first sign-in; 0: none are made */
    const struct hl_clock *clock;
};

int hl_oidc_create(const struct hl_oidc_config *config, struct hl_oidc **out_oidc); /* 0, -errno */
/* After the loops have ended. Accepts NULL. */
void hl_oidc_destroy(struct hl_oidc *oidc);
/* Asks for nothing new and cuts what is under way; from then on answers come at once. */
void hl_oidc_end(struct hl_oidc *oidc);
const struct hl_oidc_config *hl_oidc_config(const struct hl_oidc *oidc);

/* One question to the provider; the caller's memory until done(), which runs on the loop. */
struct hl_oidc_job {
    struct hl_task task; /* hl_oidc's while under way */
    struct hl_oidc *oidc;
    struct hl_loop *loop;
    void (*done)(struct hl_oidc_job *job, int r);
    int result;
    /* in; `code` empty: only where to sign in is asked */
    char code[1024];
    struct hl_ticket ticket;
    /* out */
    char authorize[HL_PROVIDER_URL_SIZE];
    struct hl_provider_person person;
    char why[160];
};
/* r of done(): HL_PROVIDER_…, -ENOMEM. 0, or HL_OIDC_BUSY: it will not run. */
enum { HL_OIDC_BUSY = 1 };
int hl_oidc_ask(struct hl_oidc *oidc, struct hl_oidc_job *job);

/* hl_route.handle with struct hl_signin as argument. */
void hl_oidc_start(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);
void hl_oidc_return(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);

#endif
