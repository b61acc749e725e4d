/* What a client says it has and takes: Accept-Encoding and If-None-Match. Pure. */
#ifndef HL_GATEWAY_WEB_ACCEPT_H
#define HL_GATEWAY_WEB_ACCEPT_H

#include "base/bytes.h"

/* Whether a coding stands in the list and is not refused by q=0 (RFC 9110 section 12.5.3). */
bool hl_accept_has(struct hl_bytes accept_encoding, const char *coding);
/* Whether If-None-Match names this version, weakly compared, or any ("*"). `etag` quoted. */
bool hl_accept_etag(struct hl_bytes if_none_match, const char *etag);

#endif
