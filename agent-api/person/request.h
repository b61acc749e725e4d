/* Asking for an export or an erasure, and what became of it: what both have in common. Whose it
 * is, is found out when it is asked for: nothing of the person is kept in the record.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_PERSON_REQUEST_H
#define HL_AGENT_API_PERSON_REQUEST_H

#include "agent-api/ask.h"
#include "agent-api/once.h"
#include "agent-api/person/job.h"

enum { HL_REASON_SIZE_MAX = 500 };

struct hl_person_kind {
    const char *noun;   /* "erasure" */
    const char *path;   /* "/v1/erasures/" */
    const char *prefix; /* of ids */
    const char *action; /* of the audit log, when asked for */
    const char *read_action;
    enum hl_permission write, read;
    bool has_reason;
    bool is_done; /* as soon as it is recorded: it is carried out when it is read */
};
extern const struct hl_person_kind hl_person_export, hl_person_erasure;

/* Steps of a call that was started with sizeof(struct hl_person_request). */
struct hl_person_request {
    struct hl_call call; /* first */
    const struct hl_person_kind *kind;
    char id[HL_ID_TEXT_SIZE];
    char subject_name[16]; /* "contact", "email_hash", "conversation" */
    char subject[80];
    char email[HL_INDEX_QUERY_SIZE_MAX + 1];
    struct hl_id contact, conversation;
    char subject_hash[65];
    json_t *reason; /* NULL: none */
    struct hl_record record;
    struct hl_buffer document, body, stored;
    struct hl_directory_change change;
    struct hl_directory_audit audit;
    struct hl_buffer audit_body;
    struct hl_directory_once once;
    struct hl_directory_query query;
    void (*then)(struct hl_person_request *request, struct hl_exchange *exchange);
    void (*clean)(struct hl_call *call); /* for who embeds it and cleans more */
};
void hl_person_create(struct hl_call *call, struct hl_exchange *exchange,
                      const struct hl_person_kind *kind);
/* Finds the job of params->values[0], which lives as long as the step `then`. 404 if there is
 * none for who asks. */
void hl_person_open(struct hl_call *call, struct hl_exchange *exchange,
                    const struct hl_person_kind *kind,
                    void (*then)(struct hl_person_request *request, struct hl_exchange *exchange));
/* Answers with the job that was found. */
void hl_person_answer(struct hl_person_request *request, struct hl_exchange *exchange);

#endif
