/* An OpenID Connect provider as the gateway sees it: its addresses (discovery), its keys, and the
 * exchange of a code for the person who signed in. Every call may ask the provider and blocks:
 * never on a loop.
 * Thread: one, its owner's. */
#ifndef HL_GATEWAY_SIGNIN_PROVIDER_H
#define HL_GATEWAY_SIGNIN_PROVIDER_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/clock.h"

enum {
    HL_PROVIDER_KEYS_EVERY_MS = 60000,  /* an unknown key asks again at most so often */
    HL_PROVIDER_KEEPS_MS = 3600 * 1000, /* what was found out */
    HL_PROVIDER_RETRY_MS = 5000,        /* after a failure */
    HL_PROVIDER_TEXT_SIZE = 256,        /* of a subject, an address, a name, with NUL */
    HL_PROVIDER_URL_SIZE = 1024
};

/* Outcomes. */
enum {
    HL_PROVIDER_DOWN = 1, /* it does not answer, or nonsense */
    HL_PROVIDER_REFUSED,  /* it does not take the code, or its token is not good */
    HL_PROVIDER_NO_EMAIL, /* it vouches for no e-mail address */
};

struct hl_provider_config { /* all lent for the life of the provider */
    const char *issuer;
    const char *client;
    const char *secret; /* empty: a public client */
    const char *redirect;
    const struct hl_clock *clock;
    const atomic_bool *is_ending;
};

struct hl_provider;
int hl_provider_create(const struct hl_provider_config *config, struct hl_provider **out_provider);
void hl_provider_destroy(struct hl_provider *provider); /* accepts NULL */

/* Where a browser goes to sign in; asks for the provider's document first if it is not known.
 * 0, HL_PROVIDER_DOWN, -ENOMEM; `why` (160 bytes) gets one line. */
int hl_provider_authorize_at(struct hl_provider *provider, char out_url[HL_PROVIDER_URL_SIZE],
                             char why[160]);

struct hl_provider_person {
    char subject[HL_PROVIDER_TEXT_SIZE];
    char email[HL_PROVIDER_TEXT_SIZE]; /* verified */
    char name[HL_PROVIDER_TEXT_SIZE];  /* empty: not told */
};
/* 0, HL_PROVIDER_…, -ENOMEM; `why` gets one line for the operator, without secrets. */
int hl_provider_redeem(struct hl_provider *provider, const char *code, const char *verifier,
                       const char *nonce, struct hl_provider_person *out_person, char why[160]);

#endif
