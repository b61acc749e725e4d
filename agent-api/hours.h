/* Business hours of an inbox: is it open, when does it open, and when are some minutes of
 * business time over. Time zones and their changes by ICU, used by hours.c alone (decision
 * 0014). Where the clock is put forward, an hour that is skipped is as if it began an hour
 * later; where it is put back, the repeated hour counts once, the second time, for an edge of
 * a range, and minutes are always real ones.
 * Thread: any; no state. */
#ifndef HL_AGENT_API_HOURS_H
#define HL_AGENT_API_HOURS_H

#include "store/directory_snapshot.h"

/* Whether it is an IANA time zone that is known here. */
bool hl_hours_is_zone(const char *time_zone);

/* An inbox without hours is always open. */
bool hl_hours_is_open(const struct hl_inbox *inbox, int64_t now_ms);
/* When it is open next: now if it is. 0: not within a year. */
int64_t hl_hours_opens(const struct hl_inbox *inbox, int64_t now_ms);
/* When that many minutes of business time will have passed since then. 0: not within a year. */
int64_t hl_hours_due(const struct hl_inbox *inbox, int64_t since_ms, uint32_t minutes);

#endif
