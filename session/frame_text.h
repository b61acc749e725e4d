/* Frames to clients: structs to JSON text, appended to a buffer. Pure.
 * Each function appends one whole frame unless it says otherwise. Thread: any; no state. */
#ifndef HL_SESSION_FRAME_TEXT_H
#define HL_SESSION_FRAME_TEXT_H

#include "base/id.h"
#include "base/json.h"
#include "session/problem.h"
#include "store/entry.h"

void hl_time_append(struct hl_buffer *out, int64_t wall_ms); /* quoted; RFC 3339, UTC, ms */

struct hl_welcome {
    struct hl_id session;
    struct hl_bytes token; /* empty: none */
    uint64_t generation;
    struct hl_author participant;
    const char *node;
    const char *durability;
    uint32_t credit, ttl_ms, ping_ms, body_max;
    uint64_t seq;
};
enum hl_verdict { HL_VERDICT_RESUMED, HL_VERDICT_GAP, HL_VERDICT_RESET };
struct hl_welcome_conversation {
    struct hl_id id;
    enum hl_verdict verdict;
    uint64_t epoch, head, floor;
    const char *reference; /* empty: it does not exist yet */
};
/* In this order: begin, conversation any number of times, end. */
void hl_frame_text_welcome_begin(struct hl_buffer *out, const struct hl_welcome *welcome);
void hl_frame_text_welcome_conversation(struct hl_buffer *out, bool is_first,
                                        const struct hl_welcome_conversation *conversation);
void hl_frame_text_welcome_end(struct hl_buffer *out);

/* A msg without its end, which differs between receivers: hl_frame_text_msg_end closes it,
 * with `after` if there is one. Visitors get {} as the body of what is not open to them. `name`
 * is the author's, empty if he has none. */
enum { HL_NO_AFTER = -1 };
void hl_frame_text_msg(struct hl_buffer *out, const struct hl_entry *entry, uint64_t epoch,
                       bool to_visitor, const char *name);
void hl_frame_text_msg_end(struct hl_buffer *out, int64_t after); /* HL_NO_AFTER: none */

void hl_frame_text_synced(struct hl_buffer *out, const struct hl_id *conversation, uint64_t offset);
void hl_frame_text_gap(struct hl_buffer *out, const struct hl_id *conversation, uint64_t epoch,
                       uint64_t from, uint64_t to);

struct hl_pub_ok {
    struct hl_bytes mid;
    bool has_seq;
    uint64_t seq;
    struct hl_id conversation;
    uint64_t epoch, offset;
    int64_t after; /* HL_NO_AFTER: none */
    int64_t wall_ms;
    bool is_duplicate;
    const char *durability;
    const char *reference; /* of the conversation it opened; empty: it opened none */
};
void hl_frame_text_pub_ok(struct hl_buffer *out, const struct hl_pub_ok *ok);

struct hl_pub_no {
    struct hl_bytes mid;
    bool has_seq;
    uint64_t seq;
    struct hl_problem problem;
    uint64_t want; /* 0: none */
    bool has_head;
    uint64_t head;
};
void hl_frame_text_pub_no(struct hl_buffer *out, const struct hl_pub_no *no);

void hl_frame_text_receipt(struct hl_buffer *out, const struct hl_id *conversation,
                           const struct hl_author *from, uint64_t delivered, uint64_t read);
/* name: "typing" or "presence" */
void hl_frame_text_state(struct hl_buffer *out, const char *name, const struct hl_id *conversation,
                         const struct hl_author *from, bool is_on);

/* In this order: begin, head any number of times, end. */
void hl_frame_text_ping_begin(struct hl_buffer *out, int64_t wall_ms);
void hl_frame_text_ping_head(struct hl_buffer *out, bool is_first, const struct hl_id *conversation,
                             uint64_t offset);
void hl_frame_text_ping_end(struct hl_buffer *out);
void hl_frame_text_pong(struct hl_buffer *out, const json_t *ts); /* NULL: none */
void hl_frame_text_auth_ok(struct hl_buffer *out, struct hl_bytes token, int64_t expires_ms);
void hl_frame_text_drain(struct hl_buffer *out, uint32_t window_ms, uint32_t deadline_ms);
void hl_frame_text_bye(struct hl_buffer *out, const struct hl_problem *problem);
/* frame, mid: what it is about; may be empty */
void hl_frame_text_error(struct hl_buffer *out, const struct hl_problem *problem,
                         struct hl_bytes frame, struct hl_bytes mid);

#endif
