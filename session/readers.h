/* The reads of a hub: a bounded number at a time, since pages in flight are the only entries a
 * hub holds; subscriptions that want one wait in line. Thread: the loop's. Owner: the hub. */
#ifndef HL_SESSION_READERS_H
#define HL_SESSION_READERS_H

#include <stddef.h>

#include "base/list.h"

struct hl_hub;
struct hl_subscription;

enum { HL_READINGS_MAX = 32 };
struct hl_readers {
    size_t n_active;
    struct hl_list waiting; /* subscriptions, longest first */
};

void hl_readers_init(struct hl_readers *readers);
/* Starts reads that wait, as far as the log takes them. */
void hl_readers_run(struct hl_hub *hub);
/* The subscription wants none any more. */
void hl_readers_cancel(struct hl_subscription *subscription);

#endif
