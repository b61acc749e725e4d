/* Which attachment of a session is the newest, for all loops of a process. Generations rise
 * with every attach and never fall across restarts (the log's boot count is their upper part).
 * Thread: any; one short lock. */
#ifndef HL_SESSION_REGISTRY_H
#define HL_SESSION_REGISTRY_H

#include <stdint.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/loop.h"

struct hl_registry;

int hl_registry_create(uint64_t boots, struct hl_registry **out_registry); /* 0, -ENOMEM */
void hl_registry_destroy(struct hl_registry *registry);

#endif
