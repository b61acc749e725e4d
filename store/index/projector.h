/* The thread that reads the log and writes the index file.
 * Thread: start and stop on one; stats from any. */
#ifndef HL_STORE_INDEX_PROJECTOR_H
#define HL_STORE_INDEX_PROJECTOR_H

#include "store/index.h"

struct hl_index_projector;

struct hl_index_projector_config {
    const struct hl_index_config *index; /* outlives it */
    /* On its thread: all up to `position` can be read from now on; `generation` rises when the
     * file is another one. */
    void (*on_applied)(void *arg, uint64_t position, uint64_t generation);
    /* The same, between two batches and at least every 200 ms: whether somebody waits. */
    bool (*on_tick)(void *arg);
    void *arg;
};

/* Opens or makes the file, and starts. 0, -errno. */
int hl_index_projector_start(const struct hl_index_projector_config *config, char *why,
                             size_t why_size, struct hl_index_projector **out_projector);
/* Ends after the batch it is at, frees. Accepts NULL. */
void hl_index_projector_stop(struct hl_index_projector *projector);

/* Somebody waits: apply what there is now, and go on looking. Any thread. */
void hl_index_projector_wake(struct hl_index_projector *projector);
/* A reader found the file damaged: build again. Any thread. */
void hl_index_projector_distrust(struct hl_index_projector *projector);

/* Its part of the figures; any thread. */
void hl_index_projector_stats(struct hl_index_projector *projector,
                              struct hl_index_stats *out_stats);

#endif
