#include "session/receipt.h"

#include <stdlib.h>

#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/session.h"

static void write_receipt(struct hl_session *session, const struct hl_log_mark *mark)
{
    if (!hl_author_equal(&session->participant, &mark->participant))
        hl_frame_text_receipt(hl_session_frame(session), &mark->conversation, &mark->participant,
                              mark->delivered, mark->read);
}

void hl_receipt_write(struct hl_subscription *subscription)
{
    struct hl_log_marks *marks = subscription->marks;

    subscription->marks = NULL;
    for (size_t i = 0; marks != NULL && i < marks->n_items; i++)
        write_receipt(subscription->session, &marks->items[i]);
    free(marks);
}

void hl_receipt_keep(struct hl_subscription *subscription, struct hl_log_marks *marks)
{
    if (subscription == NULL || marks == NULL) {
        free(marks);
        return;
    }
    const struct hl_author *own = &subscription->session->participant;
    for (size_t i = 0; i < marks->n_items; i++) {
        const struct hl_log_mark *mark = &marks->items[i];
        if (!hl_author_equal(&mark->participant, own))
            continue;
        if (mark->delivered > subscription->marked)
            subscription->marked = mark->delivered;
        subscription->read_before = mark->read;
    }
    free(subscription->marks);
    subscription->marks = marks;
}

static void tell_subscription(struct hl_subscription *subscription, const struct hl_log_mark *mark)
{
    struct hl_session *session = subscription->session;

    if (hl_author_equal(&session->participant, &mark->participant))
        return;
    if (subscription->state == HL_SUBSCRIPTION_OPENING || !hl_session_can_take(session)) {
        subscription->has_missed_marks = true;
        return;
    }
    write_receipt(session, mark);
    hl_session_flush(session);
}

void hl_receipt_on_mark(struct hl_log_subscription *commits, const struct hl_log_mark *mark)
{
    struct hl_hub *hub = HL_CONTAINER_OF(commits, struct hl_hub, commits);
    struct hl_id_node *next;

    for (struct hl_id_node *node = hl_id_map_find(&hub->subscriptions, &mark->conversation);
         node != NULL; node = next) {
        next = hl_id_map_next(&hub->subscriptions, node);
        tell_subscription(HL_CONTAINER_OF(node, struct hl_subscription, by_conversation), mark);
    }
    hl_hub_sweep(hub);
}

/* ---- its own ---- */

static void tell_mark(struct hl_subscription *subscription)
{
    struct hl_log_mark mark = {.conversation = subscription->by_conversation.id,
                               .participant = subscription->session->participant,
                               .delivered = subscription->acked,
                               .read = subscription->read};

    /* what was marked in an earlier life still holds */
    if (mark.delivered < subscription->marked)
        mark.delivered = subscription->marked;
    if (mark.read < subscription->read_before)
        mark.read = subscription->read_before;
    subscription->marked = mark.delivered;
    hl_log_mark(subscription->session->hub->config.log, &mark);
}

void hl_receipt_mark_delivered(struct hl_subscription *subscription)
{
    if (subscription->acked > subscription->marked)
        tell_mark(subscription);
}

void hl_receipt_mark_read(struct hl_subscription *subscription, uint64_t offset)
{
    uint64_t read = offset < subscription->acked ? offset : subscription->acked;

    if (read <= subscription->read)
        return;
    subscription->read = read;
    if (read > subscription->read_before)
        tell_mark(subscription);
}
