/* What may not be used again although it has not expired: sign-ins that were completed, sessions
 * that were ended. Held in memory, each for as long as it could still be used; when there are too
 * many, those that end soonest are forgotten first.
 * Thread: any; a short lock. Owner: the server. */
#ifndef HL_GATEWAY_SIGNIN_SPENT_H
#define HL_GATEWAY_SIGNIN_SPENT_H

#include <stdbool.h>

#include "base/id.h"

enum { HL_SPENT_MAX = 16384 };

struct hl_spent;
int hl_spent_create(struct hl_spent **out_spent); /* 0, -ENOMEM */
void hl_spent_destroy(struct hl_spent *spent);    /* accepts NULL */

/* False: it was there before. */
bool hl_spent_add(struct hl_spent *spent, const struct hl_id *id, int64_t until_ms, int64_t now_ms);
bool hl_spent_has(struct hl_spent *spent, const struct hl_id *id);

#endif
