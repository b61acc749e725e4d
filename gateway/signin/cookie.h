/* Cookies (RFC 6265), as far as a signed-in agent needs them. Pure. */
#ifndef HL_GATEWAY_SIGNIN_COOKIE_H
#define HL_GATEWAY_SIGNIN_COOKIE_H

#include "agent-api/exchange.h"

/* The value in a Cookie header, without quotes. Empty: it is not there, or comes twice: then
 * somebody else planted one beside it, and neither is believed. */
struct hl_bytes hl_cookie_find(struct hl_bytes header, const char *name);

struct hl_cookie {
    const char *name;
    struct hl_bytes value; /* empty: the browser forgets it */
    uint32_t life_s;
    bool is_secure;
    bool comes_from_links; /* SameSite=Lax: it also comes when another site leads here */
};
/* Adds Set-Cookie: for this host, all paths, not for scripts. */
void hl_cookie_set(struct hl_exchange *exchange, const struct hl_cookie *cookie);

#endif
