/* Reference engine: the contract of log.h in memory, single-threaded and deterministic. It
 * works by posting tasks to the requests' own loops: a submit is ordered when its task runs.
 * For tests and the simulation; `durability` is "memory". */
#ifndef HL_STORE_LOG_MEMORY_H
#define HL_STORE_LOG_MEMORY_H

#include "base/clock.h"
#include "store/log.h"

struct hl_log_memory_config {
    const struct hl_clock *clock;
    uint64_t epoch;
    uint64_t queue_max;
};

/* 0, -ENOMEM. */
int hl_log_memory_open(const struct hl_log_memory_config *config, struct hl_log **out_log);

/* For tests of gap and reset: forget entries up to and including an offset; start a new epoch
 * after dropping every entry behind a position, as a restored backup does. */
void hl_log_memory_trim(struct hl_log *log, const struct hl_id *conversation, uint64_t floor);
void hl_log_memory_roll_back(struct hl_log *log, uint64_t position, uint64_t new_epoch);

#endif
