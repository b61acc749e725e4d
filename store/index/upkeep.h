/* What an index file needs besides new entries.
 * Thread: the projector's. */
#ifndef HL_STORE_INDEX_UPKEEP_H
#define HL_STORE_INDEX_UPKEEP_H

#include "store/index/applier.h"

/* Takes what was deleted out of the file for good: out of the search trees and the write-ahead
 * log. 0, -EBUSY (a reader is in the way: again later), -errno. */
int hl_index_scrub(struct hl_index_applier *applier);

/* The settings have changed: due times anew. 0, HL_INDEX_FILE_STALE (a site's text is to be
 * searched from now on, or no longer: build again), -errno. */
int hl_index_settle(struct hl_index_applier *applier);

#endif
