/* What is done for a person: an export or an erasure, as a record of the directory. Its document
 * holds no word of the person: the subject is an id or a hash, the rest are conversations.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_PERSON_JOB_H
#define HL_AGENT_API_PERSON_JOB_H

#include "base/bytes.h"
#include "base/json.h"
#include "store/directory.h"

#define HL_ID_EXPORT "exp_"
#define HL_ID_ERASURE "era_"

/* More conversations of one person than that are done in several requests. */
enum { HL_JOB_CONVERSATIONS_MAX = 10000, HL_JOB_DOCUMENT_MAX = 8 << 20 };

struct hl_job {
    char id[HL_RECORD_ID_SIZE_MAX + 1];
    json_t *document; /* owned */
};

/* A document of its own. 0, -ENOMEM. */
int hl_job_copy(const struct hl_record *record, struct hl_job *out_job);
void hl_job_fini(struct hl_job *job);

bool hl_job_is_erasure(const struct hl_record *record);
size_t hl_job_n_conversations(const struct hl_job *job);
/* The n-th of them. False: the document is damaged. */
bool hl_job_conversation(const struct hl_job *job, size_t n, struct hl_id *out_id);
/* How many are erased. */
size_t hl_job_n_done(const struct hl_job *job);

/* What happened to the next conversation. */
struct hl_job_result {
    struct hl_id conversation;
    uint64_t entries;       /* that were there to be erased */
    uint64_t erased_offset; /* of the entry that says so; 0: there was no such conversation */
    uint64_t position;      /* of that entry; 0: an earlier request erased it */
};
/* Each: false: out of memory. */
bool hl_job_add_result(struct hl_job *job, const struct hl_job_result *result);
bool hl_job_set_status(struct hl_job *job, const char *status);
bool hl_job_set_done(struct hl_job *job, int64_t wall_ms, uint64_t epoch);

/* The job as the API shows it. */
void hl_job_append(struct hl_buffer *out, const struct hl_record *record);

#endif
