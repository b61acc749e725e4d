#include "session/receive.h"

#include <string.h>

#include "base/check.h"
#include "session/attach.h"
#include "session/ephemeral.h"
#include "session/frame.h"
#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/publish.h"
#include "session/receipt.h"
#include "session/session.h"

enum { DEFERRED_MESSAGES_MAX = 4, REF_SIZE_MAX = 32, HIST_BURST = 32, HIST_EVERY_MS = 100 };

/* ---- errors ---- */

/* Long names are not echoed. */
static struct hl_bytes short_name(const struct hl_frame *frame)
{
    return frame->name.size <= REF_SIZE_MAX ? frame->name : (struct hl_bytes){NULL, 0};
}

static void write_problem(struct hl_session *session, const struct hl_frame *frame,
                          const struct hl_problem *problem)
{
    struct hl_problem named = *problem;
    struct hl_bytes mid = {NULL, 0};

    if (frame->type == HL_FRAME_PUB)
        mid = frame->pub.mid;
    hl_hub_name_problem(session->hub, &named);
    hl_frame_text_error(hl_session_frame(session), &named, short_name(frame), mid);
}

static void write_error(struct hl_session *session, const struct hl_frame *frame,
                        enum hl_problem_code code, const char *detail)
{
    struct hl_problem problem = {.code = code, .detail = hl_bytes_of(detail)};

    write_problem(session, frame, &problem);
}

/* One more mistake; true if that was one too many and the session has ended. */
static bool count_mistake(struct hl_session *session)
{
    uint32_t errors_max = session->hub->config.limits.errors_max;

    if (session->link == NULL || ++session->link->n_errors <= errors_max)
        return false;
    hl_session_bye(session, HL_PROBLEM_PROTOCOL_ABUSE, "Too many frames were not valid.");
    return true;
}

static void refuse_frame(struct hl_session *session, const struct hl_frame *frame,
                         const struct hl_fault *fault)
{
    struct hl_problem problem = {.code = fault->code,
                                 .detail = hl_bytes_of(fault->detail),
                                 .pointer = hl_bytes_of(fault->pointer)};

    /* the fate of a pub is told by its mid, if it has one */
    if (frame->type == HL_FRAME_PUB && frame->pub.mid.size > 0)
        hl_publish_refuse_fault(session, frame, fault);
    else
        write_problem(session, frame, &problem);
    (void)count_mistake(session);
}

/* The subscription a frame is about; NULL after the error was written. */
static struct hl_subscription *find_subject(struct hl_session *session,
                                            const struct hl_frame *frame)
{
    struct hl_subscription *subscription = NULL;

    if (frame->has_conversation)
        subscription = hl_subscription_find(session, &frame->conversation);
    else if (hl_session_is_visitor(session))
        subscription = hl_subscription_first(session);
    if (subscription == NULL)
        write_error(session, frame, HL_PROBLEM_UNKNOWN_CONVERSATION,
                    "You do not follow this conversation.");
    return subscription;
}

/* ---- handlers ---- */

static void handle_hello(struct hl_session *session, const struct hl_frame *frame)
{
    write_error(session, frame, HL_PROBLEM_INVALID_FRAME, "You have said hello already.");
}

static void handle_ack(struct hl_session *session, const struct hl_frame *frame)
{
    struct hl_subscription *subscription = find_subject(session, frame);
    const struct hl_frame_ack *ack = &frame->ack;

    if (subscription == NULL || (ack->has_epoch && ack->epoch != session->hub->epoch))
        return;
    if (hl_subscription_ack(subscription, ack->offset)) {
        hl_session_progress(session);
        hl_subscription_pump_all(session); /* what still waits says so again */
    }
    if (ack->has_read)
        hl_receipt_mark_read(subscription, ack->read);
}

static void handle_credit(struct hl_session *session, const struct hl_frame *frame)
{
    uint32_t most = session->hub->config.limits.credit_entries;

    session->credit = frame->credit < most ? (uint32_t)frame->credit : most;
    hl_subscription_pump_all(session);
}

static void handle_typing(struct hl_session *session, const struct hl_frame *frame)
{
    struct hl_subscription *subscription = find_subject(session, frame);

    if (subscription != NULL)
        hl_ephemeral_typing(subscription, frame->typing_on);
}

static void rewind_to(struct hl_subscription *subscription, uint64_t after)
{
    hl_subscription_rewind(subscription, after);
    hl_subscription_pump(subscription);
}

static void handle_sub(struct hl_session *session, const struct hl_frame *frame)
{
    struct hl_position position = {
        .conversation = frame->conversation, .epoch = frame->sub.epoch, .offset = frame->sub.after};
    struct hl_start start = {
        .conversation = frame->conversation, .position = &position, .is_asked = true};
    struct hl_subscription *subscription = hl_subscription_find(session, &frame->conversation);

    if (!frame->sub.has_epoch)
        position.epoch = session->hub->epoch;
    if (hl_session_is_visitor(session))
        write_error(session, frame, HL_PROBLEM_FORBIDDEN, "A visitor follows its own only.");
    else if (subscription != NULL && position.epoch != session->hub->epoch)
        write_error(session, frame, HL_PROBLEM_CURSOR_EXPIRED,
                    "Forget what you have of it and subscribe from 0.");
    else if (subscription != NULL)
        rewind_to(subscription, frame->sub.after);
    else if (session->n_subscriptions >= session->hub->config.limits.subscriptions_max)
        write_error(session, frame, HL_PROBLEM_TOO_MANY, "Leave another conversation first.");
    else if (hl_subscription_create(session, &start, &subscription) != 0)
        write_error(session, frame, HL_PROBLEM_BUSY, "Out of memory.");
}

static void handle_unsub(struct hl_session *session, const struct hl_frame *frame)
{
    struct hl_subscription *subscription = find_subject(session, frame);

    if (subscription == NULL)
        return;
    if (hl_session_is_visitor(session)) {
        write_error(session, frame, HL_PROBLEM_FORBIDDEN, "A visitor follows its own always.");
        return;
    }
    hl_ephemeral_presence_in(subscription, false);
    hl_receipt_mark_delivered(subscription);
    hl_subscription_destroy(subscription);
}

/* Each is a read of the log that a few bytes ask for: HIST_BURST at once, then one per
 * HIST_EVERY_MS. 0, or how long to wait. */
static uint32_t pay_hist(struct hl_session *session)
{
    uint64_t now_ms = hl_hub_now(session->hub);
    uint64_t most_ms = now_ms + (uint64_t)(HIST_BURST - 1) * HIST_EVERY_MS;

    if (session->hist_ms > most_ms)
        return (uint32_t)(session->hist_ms - most_ms);
    if (session->hist_ms < now_ms)
        session->hist_ms = now_ms;
    session->hist_ms += HIST_EVERY_MS;
    return 0;
}

static void write_wait(struct hl_session *session, const struct hl_frame *frame, uint32_t wait_ms)
{
    struct hl_problem problem = {.code = HL_PROBLEM_TOO_FAST,
                                 .detail = hl_bytes_of("Ask for the same less often."),
                                 .retry_ms = wait_ms};

    write_problem(session, frame, &problem);
}

static void handle_hist(struct hl_session *session, const struct hl_frame *frame)
{
    struct hl_subscription *subscription = find_subject(session, frame);
    uint32_t wait_ms = subscription != NULL ? pay_hist(session) : 0;

    if (wait_ms > 0)
        write_wait(session, frame, wait_ms);
    else if (subscription != NULL)
        rewind_to(subscription, frame->hist_after);
}

static void handle_ping(struct hl_session *session, const struct hl_frame *frame)
{
    hl_frame_text_pong(hl_session_frame(session), frame->ping_ts);
}

static void handle_pong(struct hl_session *session, const struct hl_frame *frame)
{
    HL_CHECK(frame->type == HL_FRAME_PONG);
    (void)session; /* any message is a sign of life */
}

static void renew_key(struct hl_session *session, const struct hl_frame *frame)
{
    struct hl_hub *hub = session->hub;
    struct hl_identity identity;
    struct hl_fault fault;
    int64_t expires_ms = hl_clock_wall_ms(hub->config.clock);
    bool is_same = hl_identity_find(hub, frame->auth_token, &identity, &fault) == 0 &&
                   identity.is_agent &&
                   hl_id_equal(&identity.claims.participant, &session->participant.id);

    if (!is_same) {
        write_error(session, frame, HL_PROBLEM_UNAUTHORIZED, "This is no API key of yours.");
        return;
    }
    hl_frame_text_auth_ok(hl_session_frame(session), (struct hl_bytes){NULL, 0},
                          expires_ms + (int64_t)hub->config.limits.token_ttl_s * 1000);
}

static void handle_auth(struct hl_session *session, const struct hl_frame *frame)
{
    struct hl_hub *hub = session->hub;
    int64_t expires_ms;

    if (!hl_session_is_visitor(session)) {
        renew_key(session, frame);
        return;
    }
    hl_buffer_clear(&hub->scratch);
    if (hl_attach_token(session, &expires_ms, &hub->scratch) != 0) {
        write_error(session, frame, HL_PROBLEM_BUSY, "Out of memory.");
        return;
    }
    hl_frame_text_auth_ok(hl_session_frame(session), hl_buffer_bytes(&hub->scratch), expires_ms);
}

static void handle_bye(struct hl_session *session, const struct hl_frame *frame)
{
    HL_CHECK(frame->type == HL_FRAME_BYE);
    hl_session_leave(session);
}

static void (*const handlers[HL_FRAME_END])(struct hl_session *, const struct hl_frame *) = {
    [HL_FRAME_HELLO] = handle_hello,   [HL_FRAME_PUB] = hl_publish,
    [HL_FRAME_ACK] = handle_ack,       [HL_FRAME_CREDIT] = handle_credit,
    [HL_FRAME_TYPING] = handle_typing, [HL_FRAME_SUB] = handle_sub,
    [HL_FRAME_UNSUB] = handle_unsub,   [HL_FRAME_HIST] = handle_hist,
    [HL_FRAME_PING] = handle_ping,     [HL_FRAME_PONG] = handle_pong,
    [HL_FRAME_AUTH] = handle_auth,     [HL_FRAME_BYE] = handle_bye,
};

/* ---- messages ---- */

void hl_receive_frames(struct hl_session *session, const json_t *frames, size_t first)
{
    for (size_t i = first; i < json_array_size(frames); i++) {
        struct hl_frame frame;
        struct hl_fault fault;
        if (session->state == HL_SESSION_ENDED)
            return;
        session->hub->stats.frames_in++;
        if (hl_frame_decode(json_array_get(frames, i), &frame, &fault) == 0)
            handlers[frame.type](session, &frame);
        else
            refuse_frame(session, &frame, &fault);
    }
}

void hl_receive_deferred(struct hl_session *session)
{
    json_t *frames = session->deferred;

    session->deferred = NULL;
    if (frames == NULL)
        return;
    hl_receive_frames(session, frames, 0);
    json_decref(frames);
}

/* Frames that outran the welcome are kept for it, within a bound. */
static void defer_frames(struct hl_session *session, json_t *frames)
{
    if (session->n_deferred++ >= DEFERRED_MESSAGES_MAX) {
        hl_session_bye(session, HL_PROBLEM_PROTOCOL_ABUSE, "Wait for the welcome.");
        return;
    }
    if (session->deferred == NULL)
        session->deferred = json_incref(frames);
    else if (json_array_extend(session->deferred, frames) != 0)
        hl_session_bye(session, HL_PROBLEM_BUSY, "Out of memory.");
}

/* Shows that the welcome has arrived: it was sent before, and this came after. */
static void note_life(struct hl_session *session)
{
    hl_session_heard(session);
    if (session->is_confirmed || session->state != HL_SESSION_LIVE)
        return;
    session->is_confirmed = true;
    hl_registry_confirm(session->hub->config.registry, &session->by_id.id, session->generation);
}

static void greet_stranger(struct hl_hub *hub, struct hl_link *link, const json_t *frames)
{
    struct hl_frame frame;
    struct hl_fault fault;
    struct hl_problem problem = {.code = HL_PROBLEM_HELLO_FIRST};

    hub->stats.frames_in++;
    int r = hl_frame_decode(json_array_get(frames, 0), &frame, &fault);
    if (r == 0 && frame.type == HL_FRAME_HELLO) {
        hl_attach_stream(hub, link, &frame, frames);
        return;
    }
    if (r != 0) {
        problem.code = fault.code;
        problem.detail = hl_bytes_of(fault.detail);
        problem.pointer = hl_bytes_of(fault.pointer);
    }
    hl_hub_say_error(hub, link, &problem, short_name(&frame), (struct hl_bytes){NULL, 0});
}

static void refuse_message(struct hl_hub *hub, struct hl_link *link, enum hl_problem_code code,
                           const char *detail)
{
    struct hl_session *session = link->session;
    struct hl_problem problem = {.code = code, .detail = hl_bytes_of(detail)};
    struct hl_bytes none = {NULL, 0};

    if (session == NULL || session->state == HL_SESSION_OPENING) {
        hl_hub_say_error(hub, link, &problem, none, none);
        return;
    }
    hl_hub_name_problem(hub, &problem);
    hl_frame_text_error(hl_session_frame(session), &problem, none, none);
    if (!count_mistake(session))
        hl_session_flush(session);
}

static void close_with(struct hl_hub *hub, struct hl_link *link, enum hl_problem_code code,
                       const char *detail)
{
    if (link->session != NULL)
        hl_session_bye(link->session, code, detail);
    else
        hl_hub_close_link(hub, link, code, detail);
}

static void take_frames(struct hl_hub *hub, struct hl_link *link, json_t *frames)
{
    struct hl_session *session = link->session;

    if (json_array_size(frames) > hub->config.limits.batch_frames_max) {
        refuse_message(hub, link, HL_PROBLEM_INVALID_FRAME, "The batch has too many frames.");
        return;
    }
    if (session == NULL) {
        if (json_array_size(frames) > 0)
            greet_stranger(hub, link, frames);
        return;
    }
    note_life(session);
    if (session->state == HL_SESSION_OPENING) {
        defer_frames(session, frames);
        return;
    }
    hl_receive_frames(session, frames, 0);
    hl_session_flush(session);
}

/* One frame is a batch of one. NULL: out of memory. */
static json_t *batch_of(json_t *value)
{
    if (json_is_array(value))
        return json_incref(value);
    json_t *frames = json_array();
    if (frames != NULL && json_array_append(frames, value) != 0) {
        json_decref(frames);
        return NULL;
    }
    return frames;
}

void hl_receive(struct hl_hub *hub, struct hl_link *link, struct hl_bytes message)
{
    char why[128];
    json_t *value;

    if (message.size > hub->config.limits.message_bytes_max) {
        close_with(hub, link, HL_PROBLEM_TOO_LARGE, "The message is longer than allowed.");
        return;
    }
    if (!hl_json_is_utf8(message)) {
        close_with(hub, link, HL_PROBLEM_INVALID_UTF8, "");
        return;
    }
    int r = hl_json_parse(message, why, sizeof(why), &value);
    if (r != 0) {
        refuse_message(hub, link, r > 0 ? HL_PROBLEM_NOT_JSON : HL_PROBLEM_BUSY,
                       r > 0 ? why : "Out of memory.");
        return;
    }
    json_t *frames = batch_of(value);
    if (frames != NULL)
        take_frames(hub, link, frames);
    else
        refuse_message(hub, link, HL_PROBLEM_BUSY, "Out of memory.");
    json_decref(frames);
    json_decref(value);
}
