/* One message being put together: frames one after the other, sent as an object if there is
 * one and as an array if there are more. A hub has few of these, whatever the number of its
 * sessions. Thread: the loop's. */
#ifndef HL_SESSION_OUTBOX_H
#define HL_SESSION_OUTBOX_H

#include "base/bytes.h"

struct hl_link;

struct hl_outbox {
    struct hl_buffer text; /* HL_LINK_PRE bytes, "[", frames */
    size_t n_frames;
};

void hl_outbox_init(struct hl_outbox *outbox, size_t size_max);
void hl_outbox_fini(struct hl_outbox *outbox);
/* Where to append the next frame; the comma before it is already there. */
struct hl_buffer *hl_outbox_frame(struct hl_outbox *outbox);
/* Sends what there is, if anything, to a STREAM link and starts anew. False if it could not be
 * put together (out of memory, bound): nothing was sent. */
bool hl_outbox_send(struct hl_outbox *outbox, struct hl_link *link);
/* Throws away what was put together. */
void hl_outbox_clear(struct hl_outbox *outbox);

#endif
