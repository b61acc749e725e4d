/* Which web pages may talk to us: the Origin header against the allow-list. Pure. */
#ifndef HL_GATEWAY_ORIGIN_H
#define HL_GATEWAY_ORIGIN_H

#include "base/bytes.h"

/* True if the origin is on the list ("*" alone allows any), or names the host the request was
 * sent to. A request without an Origin is not from a page and is the caller's to allow. */
bool hl_origin_is_allowed(const char *const *origins, size_t n_origins, struct hl_bytes origin,
                          struct hl_bytes host);

#endif
