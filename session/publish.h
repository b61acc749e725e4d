/* What a client says, on its way into the log and back: one request per pub. Thread: the
 * loop's. Owner: the session's list until the result is told; if the session ends before, the
 * request frees itself when the log gives it back. */
#ifndef HL_SESSION_PUBLISH_H
#define HL_SESSION_PUBLISH_H

#include "session/frame.h"
#include "store/log.h"

struct hl_hub;
struct hl_session;

enum { HL_REFERENCE_BYTES = 18 }; /* "HL-XXXX-XXXX-XXXX" and NUL */

struct hl_publish {
    struct hl_log_submit submit;
    struct hl_hub *hub;
    struct hl_session *session; /* NULL: it has ended */
    struct hl_list member;      /* of the session */
    bool is_done;
    bool is_told_in_turn; /* as part of the entries of the group */
    bool has_seq;
    int result;
    uint64_t seq;
    struct hl_log_opening opening;
    char site[HL_SITE_SIZE_MAX + 1];
    char identity[HL_IDENTITY_SIZE_MAX + 1];
    char reference[HL_REFERENCE_BYTES];
};

/* Checks a pub and gives it to the log, or writes its pub_no. */
void hl_publish(struct hl_session *session, const struct hl_frame *frame);
/* A pub whose members are wrong: writes its pub_no. */
void hl_publish_refuse_fault(struct hl_session *session, const struct hl_frame *frame,
                             const struct hl_fault *fault);
/* The session's pub that became this entry of the group, or NULL. */
struct hl_publish *hl_publish_find_own(const struct hl_session *session,
                                       const struct hl_entry *entry);
/* Writes the pub_ok of one that is told in turn. */
void hl_publish_write_ok(struct hl_publish *publish, int64_t after);
/* Writes the results that are there and forgets them; without a link they are forgotten. */
void hl_publish_write_results(struct hl_session *session);
/* The session ends: nothing is told any more. */
void hl_publish_abandon(struct hl_session *session);

/* A human reference of 60 random bits in Crockford's base 32. */
void hl_reference_format(uint64_t random, char out_text[HL_REFERENCE_BYTES]);

#endif
