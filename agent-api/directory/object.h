/* What sites, inboxes, agents, keys and canned replies have in common: lists by cursor, ETags,
 * strict bodies, JSON merge patch, isolation of sites, idempotent creation, and an entry in the
 * audit log for every change. One table entry describes a kind.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_DIRECTORY_OBJECT_H
#define HL_AGENT_API_DIRECTORY_OBJECT_H

#include "agent-api/call.h"
#include "agent-api/directory/field.h"

struct hl_object; /* a change under way */

struct hl_object_kind {
    enum hl_record_kind kind;
    const char *noun;   /* "inbox" */
    const char *path;   /* "/v1/inboxes/" */
    const char *prefix; /* of ids; NULL: the client names it, in the member "id" */
    const struct hl_field *fields;
    size_t n_fields;
    const char *hidden; /* a member that others keep in the document; NULL: none */
    enum hl_permission read, write;
    uint32_t n_max;
    const char *created, *updated, *deleted; /* actions of the audit log */
    /* Rules beyond the table, of the object as it would be. 0, HL_FIELD_WRONG. May be NULL. */
    int (*check)(struct hl_object *object, const struct hl_directory_snapshot *snapshot,
                 struct hl_field_fault *out_fault);
    /* Fills what follows from the object: its label, whether it is retired, what is created with
     * it. After the check. May be NULL. */
    void (*complete)(struct hl_object *object);
    /* Why it cannot be deleted; NULL: it can. May be NULL. */
    const char *(*keeps)(struct hl_api *api, const struct hl_directory_snapshot *snapshot,
                         const struct hl_record *record);
    /* Further members, each after a comma. May be NULL. */
    void (*append_more)(struct hl_api *api, const struct hl_directory_snapshot *snapshot,
                        const struct hl_record *record, struct hl_buffer *out);
};

struct hl_object {
    struct hl_call call; /* first */
    const struct hl_object_kind *kind;
    struct hl_directory_change change;
    struct hl_directory_once once;
    struct hl_record record; /* as it will be; document is ours */
    struct hl_buffer document;
    struct hl_buffer body;   /* of the answer */
    struct hl_buffer stored; /* of the answer, as it is kept for repeats */
    const char *action;      /* of the audit log */
    struct hl_directory_audit audit;
    struct hl_buffer audit_body;
    int status;             /* of the answer */
    const char *shown_name; /* of a secret that the answer shows, this once; NULL: none */
    char shown[72];
    uint8_t secret[32]; /* what is stored of it */
    /* Of a site: its first inbox. */
    struct hl_directory_change with;
    struct hl_buffer with_document;
};

/* Steps of a call that was started with sizeof(struct hl_object). */
void hl_object_list(struct hl_call *call, struct hl_exchange *exchange,
                    const struct hl_object_kind *kind);
void hl_object_get(struct hl_call *call, struct hl_exchange *exchange,
                   const struct hl_object_kind *kind);
void hl_object_create(struct hl_call *call, struct hl_exchange *exchange,
                      const struct hl_object_kind *kind);
void hl_object_patch(struct hl_call *call, struct hl_exchange *exchange,
                     const struct hl_object_kind *kind);
void hl_object_delete(struct hl_call *call, struct hl_exchange *exchange,
                      const struct hl_object_kind *kind);

/* Parts of these, for kinds that go their own way. */

/* A record of the snapshot that exists for who asks; else NULL, answered with 404. */
const struct hl_record *hl_object_find(struct hl_call *call, struct hl_exchange *exchange,
                                       const struct hl_object_kind *kind,
                                       const struct hl_directory_snapshot *snapshot);
/* The same, taken over to be changed under If-Match. False: answered. */
bool hl_object_open(struct hl_call *call, struct hl_exchange *exchange,
                    const struct hl_object_kind *kind);
/* Takes over a record to change it: the document is copied. False: answered. */
bool hl_object_take(struct hl_object *object, struct hl_exchange *exchange,
                    const struct hl_object_kind *kind, const struct hl_record *record);
/* Writes the document, asks the directory and answers. `operation` and what else the change has
 * beyond the record is set before. */
void hl_object_submit(struct hl_object *object, struct hl_exchange *exchange);
void hl_object_append(struct hl_api *api, const struct hl_object_kind *kind,
                      const struct hl_directory_snapshot *snapshot, const struct hl_record *record,
                      struct hl_buffer *out);
/* A new id, of now. */
struct hl_id hl_object_make_id(struct hl_api *api);

#endif
