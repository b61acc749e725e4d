/* The audit log: who did what and who read what, as entries of a second log (DATA/audit.db) with
 * the same hash chain and seal as the first. One conversation of it per site, one for what
 * belongs to no site. It never holds what people wrote: only ids, names of agents, and counts.
 *
 * A read is answered after its entry is durable; if that fails, it is refused (503): what
 * cannot be recorded is not shown. Reads of the same kind, of the same conversation, by the same
 * person within HL_AUDIT_COALESCE_MS are one entry, the first.
 * Thread: the loop's; the log of it is shared by loops. */
#ifndef HL_AGENT_API_AUDIT_H
#define HL_AGENT_API_AUDIT_H

#include "agent-api/exchange.h"
#include "store/directory.h"
#include "store/log.h"

enum { HL_AUDIT_COALESCE_MS = 60000, HL_AUDIT_DETAILS_MAX = 4096 };

struct hl_api;

struct hl_audit_event {
    const char *action;        /* "conversation.read", "agent.updated" …; static */
    bool is_read;              /* may be coalesced, with a conversation */
    bool is_frequent;          /* with is_read: may be coalesced without one too */
    const char *site;          /* NULL or empty: of no one site */
    struct hl_id conversation; /* zero: none */
    const char *object;        /* what it was done to: "agt_…", a site's name; NULL: none */
    struct hl_bytes details;   /* canonical JSON object without personal text; empty: {} */
};

/* Answers the exchange with JSON once the entry is durable. `body` is copied. Headers are added
 * before. */
void hl_audit_reply(struct hl_api *api, struct hl_exchange *exchange,
                    const struct hl_principal *principal, const struct hl_audit_event *event,
                    int status, const struct hl_buffer *body);

/* For answers that are streamed: `then` runs with the exchange once the entry is durable, or with
 * NULL if there is nothing left to answer (refused, or gone). Runs once, perhaps at once. */
void hl_audit_then(struct hl_api *api, struct hl_exchange *exchange,
                   const struct hl_principal *principal, const struct hl_audit_event *event,
                   void (*then)(void *arg, struct hl_exchange *exchange), void *arg);

/* What a change of the directory takes along: it is stored with it, and done() of the change waits
 * for the entry. The body is the audit's; the caller's, hl_buffer_fini, and to be asked whether it
 * failed. `principal` NULL: not known. */
void hl_audit_fill(struct hl_api *api, const struct hl_exchange *exchange,
                   const struct hl_principal *principal, const struct hl_audit_event *event,
                   struct hl_directory_audit *out_audit, struct hl_buffer *body);

/* Records what needs no waiting: writes that the first log already has durably, with their
 * author. `exchange` names request and address, `principal` who it is; NULL: not known. */
void hl_audit_note(struct hl_api *api, const struct hl_exchange *exchange,
                   const struct hl_principal *principal, const struct hl_audit_event *event);

#endif
