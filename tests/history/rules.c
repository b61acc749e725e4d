#include "tests/history/rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/history/index.h"

struct check {
    struct history *history;
    struct findings *findings;
    struct index index;
};

static const char *const class_names[FOUND_END] = {
    [FOUND_LOST] = "lost",   [FOUND_DUPLICATE] = "duplicate", [FOUND_ORDER] = "order",
    [FOUND_GAP] = "gap",     [FOUND_RESUMED] = "resumed",     [FOUND_PHANTOM] = "phantom",
    [FOUND_PLACE] = "place",
};

const char *finding_class_name(enum finding_class class)
{
    return class_names[class];
}

static void report(struct check *check, enum finding_class class, uint32_t file, uint32_t line,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

static void report(struct check *check, enum finding_class class, uint32_t file, uint32_t line,
                   const char *format, ...)
{
    uint64_t count = ++check->findings->counts[class];
    if (check->findings->is_quiet || count > check->findings->n_shown_max)
        return;
    printf("%s: %s:%u: ", class_names[class], check->history->files[file], line);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static const char *text_of(const struct check *check, uint32_t name)
{
    return history_text(check->history, name);
}

/* -- the transcript by itself -- */

static void check_density(struct check *check)
{
    const struct history *history = check->history;
    for (size_t i = 0; i < history->n_entries; i++) {
        const struct entry *entry = &history->entries[i];
        bool is_first = i == 0 || entry[-1].conversation != entry->conversation;
        int64_t expected = is_first ? 1 : entry[-1].offset + 1;
        const char *conversation = text_of(check, entry->conversation);
        if (entry->offset > expected)
            report(check, FOUND_GAP, entry->file, entry->line,
                   "transcript of %s has no offset %" PRId64, conversation, expected);
        if (entry->offset < expected)
            report(check, FOUND_DUPLICATE, entry->file, entry->line,
                   "transcript of %s has offset %" PRId64 " twice", conversation, entry->offset);
    }
}

static void check_transcript_mids(struct check *check)
{
    const struct index *index = &check->index;
    for (size_t i = 1; i < index->n_entries; i++) {
        const struct entry *a = index->by_mid[i - 1], *b = index->by_mid[i];
        if (a->conversation == b->conversation && a->mid == b->mid && a->author == b->author &&
            a->mid != 0)
            report(check, FOUND_DUPLICATE, b->file, b->line,
                   "mid %s stands at offsets %" PRId64 " and %" PRId64, text_of(check, b->mid),
                   a->offset, b->offset);
    }
}

static void check_phantoms(struct check *check)
{
    const struct history *history = check->history;
    for (size_t i = 0; i < history->n_entries; i++) {
        const struct entry *entry = &history->entries[i];
        if (entry->is_change || !index_has_conversation(&check->index, entry->conversation))
            continue;
        const struct event *send = index_find_send(&check->index, entry->conversation, entry->mid);
        if (send == NULL)
            report(check, FOUND_PHANTOM, entry->file, entry->line, "nobody sent mid %s",
                   text_of(check, entry->mid));
        else if (send->body != entry->body)
            report(check, FOUND_PHANTOM, entry->file, entry->line,
                   "mid %s was sent with another body at line %u", text_of(check, entry->mid),
                   send->line);
    }
}

/* -- one event against the transcript -- */

static void check_ack(struct check *check, const struct event *event)
{
    const struct event *first = index_find_ack(&check->index, event->conversation, event->mid);
    if (first->offset != event->offset && first->epoch == event->epoch)
        report(check, FOUND_PLACE, event->file, event->line,
               "mid %s acknowledged at offset %" PRId64 " and at %" PRId64,
               text_of(check, event->mid), event->offset, first->offset);
    if (!check->history->has_transcript)
        return;
    const struct entry *entry = index_find_mid(&check->index, event->conversation, event->mid);
    if (entry == NULL)
        report(check, FOUND_LOST, event->file, event->line,
               "mid %s was acknowledged at offset %" PRId64 " and is not there",
               text_of(check, event->mid), event->offset);
    else if (entry->offset != event->offset)
        report(check, FOUND_PLACE, event->file, event->line,
               "mid %s was acknowledged at offset %" PRId64 " and stands at %" PRId64,
               text_of(check, event->mid), event->offset, entry->offset);
}

static void check_failed(struct check *check, const struct event *event)
{
    const struct entry *entry = index_find_mid(&check->index, event->conversation, event->mid);
    if (entry != NULL)
        report(check, FOUND_PHANTOM, event->file, event->line,
               "every attempt of mid %s was refused, and it stands at offset %" PRId64,
               text_of(check, event->mid), entry->offset);
}

static void check_deliver(struct check *check, const struct event *event)
{
    const struct event *send = index_find_send(&check->index, event->conversation, event->mid);
    if (send == NULL || send->body != event->body)
        report(check, FOUND_PHANTOM, event->file, event->line,
               "%s was given mid %s that nobody sent so", text_of(check, event->client),
               text_of(check, event->mid));
    const struct event *first = index_find_told(&check->index, event);
    if (first->mid != event->mid || first->body != event->body)
        report(check, FOUND_ORDER, event->file, event->line,
               "%s has mid %s at offset %" PRId64 ", %s has %s", text_of(check, event->client),
               text_of(check, event->mid), event->offset, text_of(check, first->client),
               text_of(check, first->mid));
    if (!check->history->has_transcript)
        return;
    const struct entry *entry =
        index_find_offset(&check->index, event->conversation, event->offset);
    if (index_find_mid(&check->index, event->conversation, event->mid) == NULL)
        report(check, FOUND_LOST, event->file, event->line,
               "%s was given mid %s at offset %" PRId64 " and it is not there",
               text_of(check, event->client), text_of(check, event->mid), event->offset);
    else if (entry == NULL || entry->mid != event->mid ||
             (event->author != 0 && entry->author != event->author))
        report(check, FOUND_ORDER, event->file, event->line,
               "%s was given mid %s at offset %" PRId64 ", the transcript has %s there",
               text_of(check, event->client), text_of(check, event->mid), event->offset,
               entry == NULL ? "nothing" : text_of(check, entry->mid));
}

/* -- what one client saw of one conversation, in order -- */

struct view {
    int64_t position;       /* everything visible up to here is known */
    int64_t last_delivered; /* since the last reset */
    bool is_agent;
};

/* Is something the client may see in (position, offset)? `after` is what the server said lies
 * before the offset, used when there is no transcript to ask. */
static bool is_hole(const struct check *check, const struct view *view, const struct event *event)
{
    if (event->offset <= view->position + 1)
        return false;
    if (check->history->has_transcript)
        return index_count_visible(&check->index, event->conversation, view->position,
                                   event->offset - 1, view->is_agent) > 0;
    return event->after >= 0 ? event->after > view->position : true;
}

static void step_deliver(struct check *check, struct view *view, const struct event *event)
{
    if (event->is_duplicate)
        return;
    if (event->offset < view->last_delivered)
        report(check, FOUND_ORDER, event->file, event->line,
               "%s was given offset %" PRId64 " after %" PRId64, text_of(check, event->client),
               event->offset, view->last_delivered);
    else if (is_hole(check, view, event))
        report(check, FOUND_GAP, event->file, event->line,
               "%s was given offset %" PRId64 " right after %" PRId64,
               text_of(check, event->client), event->offset, view->position);
    if (event->offset > view->last_delivered)
        view->last_delivered = event->offset;
    if (event->offset > view->position)
        view->position = event->offset;
}

/* The client says it has everything up to `offset`; only a transcript can tell. */
static void step_level(struct check *check, struct view *view, const struct event *event,
                       int64_t offset)
{
    if (check->history->has_transcript &&
        index_count_visible(&check->index, event->conversation, view->position, offset,
                            view->is_agent) > 0)
        report(check, FOUND_GAP, event->file, event->line,
               "%s counts as level at %" PRId64 " but was given nothing after %" PRId64,
               text_of(check, event->client), offset, view->position);
    if (offset > view->position)
        view->position = offset;
}

static void step_verdict(struct check *check, struct view *view, const struct event *event)
{
    if (event->verdict == VERDICT_RESET) {
        view->position = 0;
        view->last_delivered = 0;
        return;
    }
    if (event->verdict != VERDICT_RESUMED)
        return;
    const char *client = text_of(check, event->client);
    int64_t kept = index_head(&check->index, event->conversation);
    if (event->my_epoch != 0 && event->offset > 0 && event->my_epoch != event->epoch)
        report(check, FOUND_RESUMED, event->file, event->line,
               "%s was resumed from epoch %s in epoch %s", client, text_of(check, event->my_epoch),
               text_of(check, event->epoch));
    else if (event->head >= 0 && event->offset > event->head)
        report(check, FOUND_RESUMED, event->file, event->line,
               "%s was resumed at %" PRId64 ", ahead of head %" PRId64, client, event->offset,
               event->head);
    else if (check->history->has_transcript && event->offset > kept)
        report(check, FOUND_RESUMED, event->file, event->line,
               "%s was resumed at %" PRId64 ", the transcript ends at %" PRId64, client,
               event->offset, kept);
    else
        step_level(check, view, event, event->offset);
}

static void step_view(struct check *check, struct view *view, const struct event *event)
{
    switch (event->op) {
    case OP_START:
        view->is_agent = event->is_agent;
        view->position = event->offset;
        break;
    case OP_VERDICT:
        step_verdict(check, view, event);
        break;
    case OP_DELIVER:
        step_deliver(check, view, event);
        break;
    case OP_ACKED:
        if (event->offset > view->position && !is_hole(check, view, event))
            view->position = event->offset;
        break;
    case OP_GAP:
        if (event->offset > view->position)
            view->position = event->offset;
        break;
    case OP_SYNCED:
        step_level(check, view, event, event->offset);
        break;
    case OP_FINAL: {
        int64_t head = index_head(&check->index, event->conversation);
        step_level(check, view, event, head > event->offset ? head : event->offset);
        break;
    }
    default:
        break;
    }
}

static void check_views(struct check *check)
{
    struct index *index = &check->index;
    struct view view = {0};
    for (size_t i = 0; i < index->n_events; i++) {
        const struct event *event = index->by_client[i];
        if (i == 0 || index->by_client[i - 1]->client != event->client ||
            index->by_client[i - 1]->conversation != event->conversation)
            memset(&view, 0, sizeof view);
        step_view(check, &view, event);
    }
}

/* A reset makes a client forget: what comes after it may come again. */
static void number_incarnations(struct index *index)
{
    uint32_t incarnation = 0;
    for (size_t i = 0; i < index->n_events; i++) {
        struct event *event = index->by_client[i];
        if (event->op == OP_VERDICT && event->verdict == VERDICT_RESET)
            incarnation++;
        event->incarnation = incarnation;
    }
}

static void check_callbacks(struct check *check, struct event *const *sorted, size_t n,
                            index_order *order, const char *what)
{
    for (size_t i = 1; i < n; i++) {
        struct event *event = sorted[i];
        if (order(&sorted[i - 1], &sorted[i]) != 0)
            continue;
        if (!event->is_duplicate)
            report(check, FOUND_DUPLICATE, event->file, event->line,
                   "the callback of %s got %s %s (offset %" PRId64 ") again",
                   text_of(check, event->client), what, text_of(check, event->mid), event->offset);
        event->is_duplicate = true;
    }
}

void rules_run(struct history *history, struct findings *findings)
{
    struct check check = {.history = history, .findings = findings};
    index_init(&check.index, history);
    number_incarnations(&check.index);
    index_sort_delivers(&check.index);
    check_callbacks(&check, check.index.by_callback_offset, check.index.n_delivers,
                    index_order_callback_offset, "the offset of");
    check_callbacks(&check, check.index.by_callback_mid, check.index.n_delivers,
                    index_order_callback_mid, "mid");
    if (history->has_transcript) {
        check_density(&check);
        check_transcript_mids(&check);
        check_phantoms(&check);
    }
    for (size_t i = 0; i < history->n_events; i++) {
        const struct event *event = &history->events[i];
        if (event->op == OP_ACKED)
            check_ack(&check, event);
        else if (event->op == OP_DELIVER)
            check_deliver(&check, event);
        else if (event->op == OP_FAILED && history->has_transcript)
            check_failed(&check, event);
    }
    check_views(&check);
    index_fini(&check.index);
}
