#include "session/deadline.h"

#include "base/check.h"
#include "session/ephemeral.h"
#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/poll.h"
#include "session/receipt.h"
#include "session/session.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t find_live_due(const struct hl_session *session)
{
    const struct hl_hub_limits *limits = &session->hub->config.limits;
    uint64_t due_ms = session->quiet_ms + (session->is_pinged ? limits->pong_ms : limits->ping_ms);

    if (session->stalled_ms != 0)
        due_ms = earlier(due_ms, session->stalled_ms + limits->stall_ms);
    return due_ms;
}

static void send_ping(struct hl_session *session)
{
    struct hl_hub *hub = session->hub;
    struct hl_buffer *out = hl_session_frame(session);
    bool is_first = true;

    hl_frame_text_ping_begin(out, hl_clock_wall_ms(hub->config.clock));
    for (struct hl_list *at = session->subscriptions.next; at != &session->subscriptions;
         at = at->next) {
        struct hl_subscription *subscription = HL_CONTAINER_OF(at, struct hl_subscription, member);
        hl_receipt_mark_delivered(subscription);
        if (subscription->state == HL_SUBSCRIPTION_OPENING)
            continue;
        hl_frame_text_ping_head(out, is_first, &subscription->by_conversation.id,
                                subscription->told);
        is_first = false;
    }
    hl_frame_text_ping_end(out);
    session->is_pinged = true;
    session->quiet_ms = hl_hub_now(hub);
    hl_session_flush(session);
}

static void check_live(struct hl_session *session, uint64_t now_ms)
{
    const struct hl_hub_limits *limits = &session->hub->config.limits;

    if (session->stalled_ms != 0 && now_ms >= session->stalled_ms + limits->stall_ms) {
        hl_session_bye(session, HL_PROBLEM_SLOW_CONSUMER, "Acknowledge what you receive.");
        return;
    }
    if (now_ms < find_live_due(session))
        return;
    if (session->is_pinged)
        hl_session_bye(session, HL_PROBLEM_TIMEOUT, "The ping was not answered.");
    else
        send_ping(session);
}

static void check_session(struct hl_session *session, uint64_t now_ms)
{
    switch ((enum hl_session_state)session->state) {
    case HL_SESSION_LIVE:
        check_live(session, now_ms);
        break;
    case HL_SESSION_POLLED:
        hl_poll_consider(session);
        break;
    case HL_SESSION_AWAY:
        if (now_ms >= session->quiet_ms + session->hub->config.limits.session_ttl_ms) {
            hl_ephemeral_presence(session, false);
            hl_session_end(session);
        }
        break;
    case HL_SESSION_OPENING:
    case HL_SESSION_ENDED:
        break;
    }
}

static void fire_timer(struct hl_timer *timer)
{
    struct hl_session *session = HL_CONTAINER_OF(timer, struct hl_session, timer);

    check_session(session, hl_hub_now(session->hub));
    hl_deadline_set(session);
}

void hl_deadline_set(struct hl_session *session)
{
    struct hl_hub *hub = session->hub;
    uint64_t due_ms = 0;

    switch ((enum hl_session_state)session->state) {
    case HL_SESSION_LIVE:
        due_ms = find_live_due(session);
        break;
    case HL_SESSION_POLLED:
        due_ms = session->poll->deadline_ms;
        break;
    case HL_SESSION_AWAY:
        due_ms = session->quiet_ms + hub->config.limits.session_ttl_ms;
        break;
    case HL_SESSION_OPENING:
    case HL_SESSION_ENDED:
        hl_wheel_remove(&hub->wheel, &session->timer);
        return;
    }
    session->timer.fire = fire_timer;
    hl_wheel_add(&hub->wheel, &session->timer, due_ms);
}
