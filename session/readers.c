#include "session/readers.h"

#include <stdlib.h>

#include "session/hub_private.h"
#include "session/receipt.h"
#include "session/session.h"

struct hl_reading {
    struct hl_log_read read;
    struct hl_hub *hub;
    struct hl_subscription *subscription; /* NULL: nobody wants it any more */
};

void hl_readers_init(struct hl_readers *readers)
{
    readers->n_active = 0;
    hl_list_init(&readers->waiting);
}

void hl_readers_cancel(struct hl_subscription *subscription)
{
    hl_list_remove(&subscription->waiting);
    if (subscription->reading != NULL)
        subscription->reading->subscription = NULL;
    subscription->reading = NULL;
}

static void finish_read(struct hl_log_read *read, int r)
{
    struct hl_reading *reading = HL_CONTAINER_OF(read, struct hl_reading, read);
    struct hl_subscription *subscription = reading->subscription;
    struct hl_hub *hub = reading->hub;

    hub->readers.n_active--;
    if (subscription != NULL && r == 0 && read->marks != NULL) {
        hl_receipt_keep(subscription, read->marks);
        read->marks = NULL;
    }
    free(read->marks);
    if (subscription != NULL) {
        subscription->reading = NULL;
        if (r < 0)
            hl_session_bye(subscription->session, HL_PROBLEM_UNAVAILABLE,
                           "The transcript could not be read; attach again.");
        else
            hl_subscription_finish_page(subscription, read, r == HL_LOG_UNKNOWN);
    }
    if (r == 0)
        hl_batch_unref(read->batch);
    free(reading);
    hl_readers_run(hub);
    hl_hub_sweep(hub);
    hl_hub_consider_end(hub);
}

/* False: the log takes no more now, or there is no memory. */
static bool start_read(struct hl_hub *hub, struct hl_subscription *subscription)
{
    struct hl_session *session = subscription->session;
    struct hl_reading *reading = calloc(1, sizeof(*reading));
    struct hl_log_marks *marks = NULL;
    bool is_opening = subscription->state == HL_SUBSCRIPTION_OPENING;

    if (reading == NULL)
        return false;
    if (is_opening || subscription->has_missed_marks) {
        marks = calloc(1, sizeof(*marks));
        if (marks == NULL) {
            free(reading);
            return false;
        }
    }
    reading->hub = hub;
    reading->subscription = subscription;
    reading->read = (struct hl_log_read){.loop = hub->config.loop,
                                         .done = finish_read,
                                         .conversation = subscription->by_conversation.id,
                                         .after = subscription->cursor,
                                         .limit = hub->config.limits.page_entries,
                                         .bytes_max = hub->config.limits.page_bytes,
                                         .marks = marks};
    if (is_opening)
        reading->read.after = subscription->start;
    /* the first pages of an agent with many conversations would only be dropped */
    if (is_opening && session->n_subscriptions > 1)
        reading->read.limit = 1;
    if (hl_log_read(hub->config.log, &reading->read) != 0) {
        free(marks);
        free(reading);
        return false;
    }
    subscription->has_missed_marks = false;
    hl_list_remove(&subscription->waiting);
    subscription->reading = reading;
    hub->readers.n_active++;
    return true;
}

void hl_readers_run(struct hl_hub *hub)
{
    struct hl_readers *readers = &hub->readers;
    bool is_taken = true;

    while (is_taken && readers->n_active < HL_READINGS_MAX && !hl_list_is_empty(&readers->waiting))
        is_taken = start_read(
            hub, HL_CONTAINER_OF(readers->waiting.next, struct hl_subscription, waiting));
}
