/* How far the other participants of a conversation have received and read: `receipt` frames.
 * Live ones come from the log, whoever raised the mark and wherever; what was raised before a
 * session came, or while it could not be told, is read with its next page.
 * Thread: the loop's. */
#ifndef HL_SESSION_RECEIPT_H
#define HL_SESSION_RECEIPT_H

#include "store/log.h"

struct hl_subscription;

void hl_receipt_on_mark(struct hl_log_subscription *commits, const struct hl_log_mark *mark);

/* Takes over what was read: what others stand at is kept until it can be told, what this one
 * stands at is remembered. Accepts NULL for both: then they are only freed. */
void hl_receipt_keep(struct hl_subscription *subscription, struct hl_log_marks *marks);
/* Writes what was kept, if anything; the caller flushes. */
void hl_receipt_write(struct hl_subscription *subscription);

/* Tells the log how far was delivered, if that is news; that a person has read up to here. */
void hl_receipt_mark_delivered(struct hl_subscription *subscription);
void hl_receipt_mark_read(struct hl_subscription *subscription, uint64_t offset);

#endif
