#include "session/subscription.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "session/attach.h"
#include "session/ephemeral.h"
#include "session/hub_private.h"
#include "session/receipt.h"
#include "session/session.h"

enum { N_STATES = HL_SUBSCRIPTION_READING + 1, LIST_SEARCH_MAX = 8 };
#define MAY(state) (1u << HL_SUBSCRIPTION_##state)

static const unsigned moves[N_STATES] = {
    [HL_SUBSCRIPTION_OPENING] = MAY(BEHIND),
    [HL_SUBSCRIPTION_LEVEL] = MAY(BEHIND),
    [HL_SUBSCRIPTION_BEHIND] = MAY(LEVEL) | MAY(READING),
    [HL_SUBSCRIPTION_READING] = MAY(BEHIND),
};

static bool is_sound(const struct hl_subscription *subscription)
{
    bool is_reading = subscription->reading != NULL || hl_list_is_linked(&subscription->waiting);

    if (subscription->told > subscription->cursor || subscription->cursor > subscription->head ||
        subscription->acked > subscription->cursor)
        return false;
    if (subscription->state == HL_SUBSCRIPTION_LEVEL)
        return !is_reading && subscription->cursor == subscription->head;
    return is_reading == (subscription->state == HL_SUBSCRIPTION_READING);
}

static void move_state(struct hl_subscription *subscription, enum hl_subscription_state state)
{
    HL_CHECK((moves[subscription->state] & 1u << state) != 0);
    subscription->state = (uint8_t)state;
    HL_CHECK(is_sound(subscription));
}

/* The only place where the cursor moves. told: what the client knows to be its position. */
static void move_cursor(struct hl_subscription *subscription, uint64_t cursor, uint64_t told)
{
    HL_CHECK(told <= cursor && cursor <= subscription->head);
    subscription->cursor = cursor;
    subscription->told = told;
    if (subscription->acked > told)
        subscription->acked = told;
}

static void raise_head(struct hl_subscription *subscription, uint64_t head)
{
    if (subscription->head < head)
        subscription->head = head;
}

static struct hl_hub *hub_of(const struct hl_subscription *subscription)
{
    return subscription->session->hub;
}

/* ---- birth and death ---- */

static void request_read(struct hl_subscription *subscription);

int hl_subscription_create(struct hl_session *session, const struct hl_start *start,
                           struct hl_subscription **out_subscription)
{
    struct hl_subscription *subscription = calloc(1, sizeof(*subscription));

    if (subscription == NULL)
        return -ENOMEM;
    subscription->by_conversation.id = start->conversation;
    subscription->session = session;
    subscription->is_asked = start->is_asked;
    subscription->wants_synced = true;
    subscription->has_epoch = start->position != NULL;
    if (start->position != NULL) {
        subscription->epoch = start->position->epoch;
        subscription->start = start->position->offset;
    }
    hl_id_map_add(&session->hub->subscriptions, &subscription->by_conversation);
    hl_list_add(&session->subscriptions, &subscription->member);
    session->n_subscriptions++;
    if (start->is_new) {
        move_state(subscription, HL_SUBSCRIPTION_BEHIND);
    } else {
        session->n_opening++;
        request_read(subscription);
    }
    *out_subscription = subscription;
    return 0;
}

void hl_subscription_destroy(struct hl_subscription *subscription)
{
    struct hl_session *session = subscription->session;

    if (subscription->state == HL_SUBSCRIPTION_OPENING)
        session->n_opening--;
    hl_readers_cancel(subscription);
    hl_id_map_remove(&session->hub->subscriptions, &subscription->by_conversation);
    hl_list_remove(&subscription->member);
    session->n_subscriptions--;
    free(subscription->marks);
    free(subscription);
}

/* Where a session follows few, its own list is shorter than the conversation's may be. */
static struct hl_subscription *find_in_list(const struct hl_session *session,
                                            const struct hl_id *conversation)
{
    for (const struct hl_list *at = session->subscriptions.next; at != &session->subscriptions;
         at = at->next) {
        struct hl_subscription *subscription = HL_CONTAINER_OF(at, struct hl_subscription, member);
        if (hl_id_equal(&subscription->by_conversation.id, conversation))
            return subscription;
    }
    return NULL;
}

struct hl_subscription *hl_subscription_find(const struct hl_session *session,
                                             const struct hl_id *conversation)
{
    struct hl_id_map *map = &session->hub->subscriptions;

    if (session->n_subscriptions <= LIST_SEARCH_MAX)
        return find_in_list(session, conversation);
    for (struct hl_id_node *node = hl_id_map_find(map, conversation); node != NULL;
         node = hl_id_map_next(map, node)) {
        struct hl_subscription *subscription =
            HL_CONTAINER_OF(node, struct hl_subscription, by_conversation);
        if (subscription->session == session)
            return subscription;
    }
    return NULL;
}

struct hl_subscription *hl_subscription_first(const struct hl_session *session)
{
    if (hl_list_is_empty(&session->subscriptions))
        return NULL;
    return HL_CONTAINER_OF(session->subscriptions.next, struct hl_subscription, member);
}

/* ---- passing entries ---- */

static bool has_credit(const struct hl_subscription *subscription)
{
    return subscription->told - subscription->acked < subscription->session->credit;
}

static bool is_hidden(const struct hl_subscription *subscription, const struct hl_entry *entry)
{
    return hl_entry_is_internal(entry) && hl_session_is_visitor(subscription->session);
}

/* The next entry. True if it is visible; out_after as hl_subscription_offer. */
static bool pass_entry(struct hl_subscription *subscription, const struct hl_entry *entry,
                       int64_t *out_after)
{
    uint64_t before = subscription->told;

    HL_CHECK(entry->offset == subscription->cursor + 1);
    raise_head(subscription, entry->offset);
    if (is_hidden(subscription, entry)) {
        move_cursor(subscription, entry->offset, before);
        return false;
    }
    if (entry->kind == HL_ENTRY_ERASED && hl_session_is_visitor(subscription->session))
        subscription->session->is_erased = true;
    *out_after = before == entry->offset - 1 ? HL_NO_AFTER : (int64_t)before;
    move_cursor(subscription, entry->offset, entry->offset);
    return true;
}

bool hl_subscription_offer(struct hl_subscription *subscription, const struct hl_entry *entry,
                           bool is_own, int64_t *out_after)
{
    struct hl_session *session = subscription->session;
    bool is_next = entry->offset == subscription->cursor + 1;
    bool is_all_acked = subscription->acked == subscription->told;

    if (subscription->state != HL_SUBSCRIPTION_LEVEL) {
        raise_head(subscription, entry->offset);
        return false;
    }
    if (entry->offset <= subscription->cursor)
        return false;
    if (is_next && has_credit(subscription) && hl_session_can_take(session)) {
        bool is_visible = pass_entry(subscription, entry, out_after);
        /* who only speaks has nothing to acknowledge */
        if (is_own && is_all_acked)
            subscription->acked = subscription->told;
        return is_visible;
    }
    raise_head(subscription, entry->offset);
    move_state(subscription, HL_SUBSCRIPTION_BEHIND);
    return false;
}

static void write_gap(struct hl_subscription *subscription, uint64_t to)
{
    struct hl_session *session = subscription->session;

    hl_frame_text_gap(hl_session_frame(session), &subscription->by_conversation.id,
                      session->hub->epoch, subscription->told + 1, to);
    raise_head(subscription, to);
    move_cursor(subscription, to, to);
    subscription->wants_synced = true;
}

static void write_entry(struct hl_subscription *subscription, const struct hl_entry *entry)
{
    struct hl_session *session = subscription->session;
    char name[HL_NAME_SIZE_MAX + 1];
    int64_t after;

    if (!pass_entry(subscription, entry, &after))
        return;
    struct hl_buffer *out = hl_session_frame(session);
    hl_hub_name_author(session->hub, &entry->author, name);
    hl_frame_text_msg(out, entry, session->hub->epoch, hl_session_is_visitor(session), name);
    hl_frame_text_msg_end(out, after);
}

/* A page that was read from the cursor on. What the client cannot take now is dropped: the
 * cursor stands where it may go on. */
static void write_page(struct hl_subscription *subscription, const struct hl_batch *batch)
{
    struct hl_session *session = subscription->session;

    if (!hl_session_can_take(session))
        return;
    if (subscription->floor > subscription->cursor)
        write_gap(subscription, subscription->floor);
    for (size_t i = 0; i < batch->n_entries && has_credit(subscription); i++) {
        const struct hl_entry *entry = batch->entries[i];
        if (session->state == HL_SESSION_POLLED && !hl_session_can_take(session))
            break;
        if (entry->offset > subscription->cursor + 1)
            write_gap(subscription, entry->offset - 1); /* trimmed while the page was read */
        if (entry->offset == subscription->cursor + 1)
            write_entry(subscription, entry);
    }
    session->hub->stats.replays++;
}

static void become_level(struct hl_subscription *subscription)
{
    if (subscription->state == HL_SUBSCRIPTION_BEHIND)
        move_state(subscription, HL_SUBSCRIPTION_LEVEL);
    if (!subscription->wants_synced)
        return;
    subscription->wants_synced = false;
    move_cursor(subscription, subscription->cursor, subscription->cursor);
    hl_frame_text_synced(hl_session_frame(subscription->session), &subscription->by_conversation.id,
                         subscription->cursor);
}

void hl_subscription_pump(struct hl_subscription *subscription)
{
    struct hl_session *session = subscription->session;
    bool is_attached = session->state == HL_SESSION_LIVE || session->state == HL_SESSION_POLLED;

    if (!is_attached || subscription->state == HL_SUBSCRIPTION_OPENING ||
        subscription->state == HL_SUBSCRIPTION_READING)
        return;
    hl_receipt_write(subscription);
    if (subscription->has_missed_marks && hl_session_can_take(session)) {
        if (subscription->state == HL_SUBSCRIPTION_LEVEL)
            move_state(subscription, HL_SUBSCRIPTION_BEHIND);
        request_read(subscription);
        return;
    }
    if (subscription->cursor == subscription->head) {
        become_level(subscription);
        return;
    }
    HL_CHECK(subscription->state == HL_SUBSCRIPTION_BEHIND);
    if (has_credit(subscription) && hl_session_can_take(session))
        request_read(subscription);
    else
        hl_session_stall(session);
}

void hl_subscription_pump_all(struct hl_session *session)
{
    for (struct hl_list *at = session->subscriptions.next;
         session->state != HL_SESSION_ENDED && at != &session->subscriptions; at = at->next)
        hl_subscription_pump(HL_CONTAINER_OF(at, struct hl_subscription, member));
}

/* ---- what the client says ---- */

bool hl_subscription_ack(struct hl_subscription *subscription, uint64_t offset)
{
    uint64_t acked = offset < subscription->told ? offset : subscription->told;

    if (subscription->state == HL_SUBSCRIPTION_OPENING || acked <= subscription->acked)
        return false;
    subscription->acked = acked;
    return true;
}

static void restart(struct hl_subscription *subscription, uint64_t cursor)
{
    /* a page that is being read is of the old cursor: it will be dropped for that */
    if (subscription->state == HL_SUBSCRIPTION_LEVEL)
        move_state(subscription, HL_SUBSCRIPTION_BEHIND);
    move_cursor(subscription, cursor, cursor);
    subscription->acked = cursor;
}

void hl_subscription_rewind(struct hl_subscription *subscription, uint64_t after)
{
    if (subscription->state == HL_SUBSCRIPTION_OPENING)
        return;
    restart(subscription, after < subscription->head ? after : subscription->head);
    subscription->wants_synced = true;
}

static void place_cursor(struct hl_subscription *subscription, uint64_t offset)
{
    if (subscription->state == HL_SUBSCRIPTION_OPENING)
        return;
    if (offset > subscription->head)
        offset = subscription->head;
    if (offset < subscription->told || offset > subscription->cursor)
        restart(subscription, offset);
    else
        move_cursor(subscription, subscription->cursor, offset);
    (void)hl_subscription_ack(subscription, offset);
}

void hl_subscription_place_all(struct hl_session *session, const json_t *positions)
{
    for (size_t i = 0; i < hl_frame_n_positions(positions); i++) {
        struct hl_position position = hl_frame_position(positions, i);
        struct hl_subscription *subscription =
            hl_subscription_find(session, &position.conversation);
        if (subscription == NULL || position.epoch != session->hub->epoch)
            continue;
        subscription->is_placed = true;
        place_cursor(subscription, position.offset);
    }
    for (struct hl_list *at = session->subscriptions.next; at != &session->subscriptions;
         at = at->next) {
        struct hl_subscription *subscription = HL_CONTAINER_OF(at, struct hl_subscription, member);
        if (!subscription->is_placed)
            place_cursor(subscription, 0);
        subscription->is_placed = false;
    }
}

bool hl_subscription_has_more(const struct hl_session *session)
{
    for (struct hl_list *at = session->subscriptions.next; at != &session->subscriptions;
         at = at->next) {
        struct hl_subscription *subscription = HL_CONTAINER_OF(at, struct hl_subscription, member);
        if (subscription->state == HL_SUBSCRIPTION_BEHIND && has_credit(subscription))
            return true;
    }
    return false;
}

bool hl_subscription_is_reading(const struct hl_session *session)
{
    for (struct hl_list *at = session->subscriptions.next; at != &session->subscriptions;
         at = at->next) {
        struct hl_subscription *subscription = HL_CONTAINER_OF(at, struct hl_subscription, member);
        if (subscription->state == HL_SUBSCRIPTION_READING ||
            subscription->state == HL_SUBSCRIPTION_OPENING)
            return true;
    }
    return false;
}

/* ---- reading ---- */

static void judge_start(struct hl_subscription *subscription,
                        const struct hl_conversation *conversation)
{
    struct hl_hub *hub = hub_of(subscription);
    uint64_t offset = subscription->start;
    bool is_foreign = subscription->has_epoch && subscription->epoch != hub->epoch;

    raise_head(subscription, conversation->head);
    memcpy(subscription->reference, conversation->reference, sizeof(subscription->reference));
    subscription->verdict = HL_VERDICT_RESUMED;
    if (is_foreign || offset > subscription->head)
        subscription->verdict = HL_VERDICT_RESET;
    else if (conversation->floor > offset)
        subscription->verdict = HL_VERDICT_GAP;
    if (subscription->verdict == HL_VERDICT_RESET)
        offset = 0;
    move_cursor(subscription, offset, offset);
    subscription->acked = offset;
}

static void refuse_asked(struct hl_subscription *subscription, enum hl_problem_code code,
                         const char *detail)
{
    struct hl_session *session = subscription->session;
    struct hl_problem problem = {.code = code, .detail = hl_bytes_of(detail)};

    if (session->state == HL_SESSION_LIVE || session->state == HL_SESSION_POLLED) {
        hl_hub_name_problem(session->hub, &problem);
        hl_frame_text_error(hl_session_frame(session), &problem, hl_bytes_of("sub"),
                            (struct hl_bytes){NULL, 0});
    }
    hl_subscription_destroy(subscription);
}

/* False: it was refused and is gone. */
static bool finish_opening(struct hl_subscription *subscription,
                           const struct hl_conversation *conversation, bool is_unknown)
{
    judge_start(subscription, conversation);
    if (subscription->is_asked && is_unknown) {
        refuse_asked(subscription, HL_PROBLEM_UNKNOWN_CONVERSATION, "There is no such one.");
        return false;
    }
    if (subscription->is_asked && subscription->verdict == HL_VERDICT_RESET) {
        refuse_asked(subscription, HL_PROBLEM_CURSOR_EXPIRED,
                     "Forget what you have of it and subscribe from 0.");
        return false;
    }
    move_state(subscription, HL_SUBSCRIPTION_BEHIND);
    subscription->session->n_opening--;
    return true;
}

/* Nobody learns that it is there: to follow it is refused as unknown, or left out. */
static void leave_out(struct hl_subscription *subscription)
{
    struct hl_session *session = subscription->session;

    if (subscription->is_asked)
        refuse_asked(subscription, HL_PROBLEM_UNKNOWN_CONVERSATION, "There is no such one.");
    else
        hl_subscription_destroy(subscription);
    if (session->state != HL_SESSION_OPENING)
        hl_session_flush(session);
    else if (session->n_opening == 0 && hl_attach_welcome(session))
        hl_attach_finish(session);
}

static void finish_first_page(struct hl_subscription *subscription,
                              const struct hl_conversation *conversation, bool is_unknown,
                              const struct hl_log_read *read)
{
    struct hl_session *session = subscription->session;

    if (!is_unknown && !hl_session_sees(session, conversation)) {
        leave_out(subscription);
        return;
    }
    if (conversation->is_erased && hl_session_is_visitor(session)) {
        session->is_erased = true;
        hl_session_consider_erased(session);
        return;
    }
    if (!finish_opening(subscription, conversation, is_unknown)) {
        hl_session_flush(session);
        return;
    }
    bool is_welcome = session->state == HL_SESSION_OPENING && session->n_opening == 0;
    if (is_welcome && !hl_attach_welcome(session))
        return;
    if (read->batch != NULL && read->after == subscription->cursor)
        write_page(subscription, read->batch);
    if (is_welcome) {
        hl_attach_finish(session);
        return;
    }
    hl_ephemeral_presence_in(subscription, true);
    hl_subscription_pump(subscription);
    hl_session_flush(session);
}

void hl_subscription_finish_page(struct hl_subscription *subscription,
                                 const struct hl_log_read *read, bool is_unknown)
{
    static const struct hl_conversation nothing;
    struct hl_session *session = subscription->session;
    const struct hl_conversation *conversation = is_unknown ? &nothing : &read->found;

    subscription->floor = conversation->floor;
    if (subscription->state == HL_SUBSCRIPTION_OPENING) {
        finish_first_page(subscription, conversation, is_unknown, read);
        return;
    }
    if (!is_unknown && !hl_session_sees(session, conversation)) { /* read before it was told */
        hl_session_bye(session, HL_PROBLEM_SESSION_EXPIRED, "A conversation went out of sight.");
        return;
    }
    move_state(subscription, HL_SUBSCRIPTION_BEHIND);
    raise_head(subscription, conversation->head);
    if (read->batch != NULL && read->after == subscription->cursor)
        write_page(subscription, read->batch);
    hl_subscription_pump(subscription);
    hl_session_flush(session);
    hl_session_consider_erased(session);
}

static void request_read(struct hl_subscription *subscription)
{
    struct hl_hub *hub = hub_of(subscription);

    HL_CHECK(subscription->reading == NULL && !hl_list_is_linked(&subscription->waiting));
    hl_list_add(&hub->readers.waiting, &subscription->waiting);
    if (subscription->state == HL_SUBSCRIPTION_BEHIND)
        move_state(subscription, HL_SUBSCRIPTION_READING);
    hl_readers_run(hub);
}
