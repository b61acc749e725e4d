/* Erasures that people asked for, and those that retention asks for: carried out one after
 * another, a conversation at a time. What was done is kept with the job in the directory, and a
 * repeated erasure of a conversation changes nothing: so a job goes on after any crash.
 * Thread: the loop's. One per process. */
#ifndef HL_AGENT_API_PERSON_JOBS_H
#define HL_AGENT_API_PERSON_JOBS_H

#include "agent-api/api.h"
#include "base/clock.h"
#include "store/directory.h"
#include "store/index.h"
#include "store/log.h"

struct hl_jobs_config {
    struct hl_log *log;
    struct hl_loop *loop;
    const struct hl_clock *clock;
    struct hl_directory *directory;
    struct hl_index *index;
    uint32_t sweep_s;   /* between two looks for what retention ends */
    struct hl_api *api; /* outlives the jobs: its audit log is told; NULL: nobody is */
};

struct hl_jobs;

/* 0, -ENOMEM. */
int hl_jobs_create(const struct hl_jobs_config *config, struct hl_jobs **out_jobs);
/* Call about every 100 ms. */
void hl_jobs_tick(struct hl_jobs *jobs);
/* Starts nothing more; frees once what is under way has come back: `closed` then runs, at once or
 * later. */
void hl_jobs_close(struct hl_jobs *jobs, void (*closed)(void *arg), void *arg);

struct hl_jobs_stats {
    uint64_t erased;   /* conversations, as people asked */
    uint64_t expired;  /* conversations, by retention */
    uint64_t failures; /* attempts that will be repeated */
    uint64_t waiting;  /* jobs that are not done */
};
void hl_jobs_count(const struct hl_jobs *jobs, struct hl_jobs_stats *out_stats);

#endif
