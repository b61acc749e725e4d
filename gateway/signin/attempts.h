/* How often an address has failed to sign in: after a few times it waits. An IPv6 /64 is one
 * address. A fixed table: addresses that fall together share a place.
 * Thread: any; a short lock. Owner: the server. */
#ifndef HL_GATEWAY_SIGNIN_ATTEMPTS_H
#define HL_GATEWAY_SIGNIN_ATTEMPTS_H

#include "base/bytes.h"

enum { HL_ATTEMPTS_AT_ONCE = 10, HL_ATTEMPTS_EVERY_MS = 10000 };

struct hl_attempts;
int hl_attempts_create(struct hl_attempts **out_attempts); /* 0, -ENOMEM */
void hl_attempts_destroy(struct hl_attempts *attempts);    /* accepts NULL */

/* 0: it may try; else how long to wait. */
uint32_t hl_attempts_wait_ms(struct hl_attempts *attempts, struct hl_bytes address,
                             uint64_t now_ms);
void hl_attempts_fail(struct hl_attempts *attempts, struct hl_bytes address, uint64_t now_ms);

#endif
