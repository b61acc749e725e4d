#include "session/ephemeral.h"

#include "base/check.h"
#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/poll.h"
#include "session/relay.h"
#include "session/session.h"

/* Above so many in one conversation a newcomer is not told one by one who is there. */
enum { PRESENT_TOLD_MAX = 16, TYPING_GAP_MS = 250 };
/* That somebody came is no reason to answer a poll at once: mostly he says something next. */
enum { PRESENCE_WAIT_MS = 1000 };

static struct hl_signal make_signal(const struct hl_subscription *subscription,
                                    enum hl_signal_kind kind)
{
    const struct hl_session *session = subscription->session;

    return (struct hl_signal){.kind = kind,
                              .session = session->by_id.id,
                              .conversation = subscription->by_conversation.id,
                              .from = session->participant};
}

static bool is_here(const struct hl_session *session)
{
    return session->state == HL_SESSION_LIVE || session->state == HL_SESSION_POLLED;
}

/* A conversation without entries has nobody else in it. */
void hl_ephemeral_presence_in(struct hl_subscription *subscription, bool is_on)
{
    struct hl_session *session = subscription->session;
    struct hl_signal signal = make_signal(subscription, HL_SIGNAL_PRESENCE);

    if (session->state == HL_SESSION_OPENING || subscription->head == 0)
        return;
    signal.is_on = is_on;
    hl_registry_tell(session->hub->config.registry, &signal);
}

void hl_ephemeral_presence(struct hl_session *session, bool is_on)
{
    for (struct hl_list *at = session->subscriptions.next; at != &session->subscriptions;
         at = at->next)
        hl_ephemeral_presence_in(HL_CONTAINER_OF(at, struct hl_subscription, member), is_on);
}

void hl_ephemeral_typing(struct hl_subscription *subscription, bool is_on)
{
    struct hl_session *session = subscription->session;
    struct hl_signal signal = make_signal(subscription, HL_SIGNAL_TYPING);
    uint64_t now_ms = hl_hub_now(session->hub);

    if (session->typing_ms != 0 && now_ms < session->typing_ms + TYPING_GAP_MS)
        return;
    session->typing_ms = now_ms;
    signal.is_on = is_on;
    hl_registry_tell(session->hub->config.registry, &signal);
}

/* ---- what comes in ---- */

/* The frame's text in the hub's scratch: the same for all who hear it. */
static struct hl_bytes write_signal(struct hl_hub *hub, const struct hl_signal *signal)
{
    struct hl_buffer *out = &hub->scratch;

    hl_buffer_clear(out);
    hl_frame_text_state(out, signal->kind == HL_SIGNAL_TYPING ? "typing" : "presence",
                        &signal->conversation, &signal->from, signal->is_on);
    return hl_buffer_bytes(out);
}

static void tell_session(struct hl_session *session, const struct hl_signal *signal,
                         struct hl_bytes text)
{
    if (!hl_session_can_take(session))
        return;
    hl_buffer_append_bytes(hl_session_frame(session), text);
    if (session->poll != NULL && signal->kind == HL_SIGNAL_PRESENCE)
        hl_poll_hasten(session, PRESENCE_WAIT_MS);
    else
        hl_session_flush(session);
}

static bool is_addressee(const struct hl_session *session, const struct hl_signal *signal)
{
    if (!is_here(session) || hl_author_equal(&session->participant, &signal->from))
        return false;
    return hl_id_is_zero(&signal->target) || hl_id_equal(&signal->target, &session->by_id.id);
}

/* Who is there already says so to the newcomer. */
static void answer_presence(struct hl_subscription *subscription, const struct hl_signal *signal)
{
    struct hl_signal answer = make_signal(subscription, HL_SIGNAL_PRESENCE);

    answer.is_on = true;
    answer.target = signal->session;
    hl_registry_tell(subscription->session->hub->config.registry, &answer);
}

static void hand_out(struct hl_hub *hub, const struct hl_signal *signal)
{
    bool is_arrival =
        signal->kind == HL_SIGNAL_PRESENCE && signal->is_on && hl_id_is_zero(&signal->target);
    struct hl_bytes text = write_signal(hub, signal);
    struct hl_id_node *next;
    size_t n_told = 0;

    for (struct hl_id_node *node = hl_id_map_find(&hub->subscriptions, &signal->conversation);
         node != NULL; node = next) {
        struct hl_subscription *subscription =
            HL_CONTAINER_OF(node, struct hl_subscription, by_conversation);
        struct hl_session *session = subscription->session;
        next = hl_id_map_next(&hub->subscriptions, node);
        if (!is_addressee(session, signal) || subscription->state == HL_SUBSCRIPTION_OPENING)
            continue;
        if (is_arrival && n_told++ < PRESENT_TOLD_MAX)
            answer_presence(subscription, signal);
        tell_session(session, signal, text);
    }
}

void hl_ephemeral_on_signal(struct hl_registry_member *member, const struct hl_signal *signal)
{
    struct hl_hub *hub = HL_CONTAINER_OF(member, struct hl_hub, member);

    if (signal->kind == HL_SIGNAL_FENCE) {
        struct hl_session *session = hl_session_find(hub, &signal->session);
        if (session != NULL && session->generation < signal->generation)
            hl_session_fence(session, signal->is_on);
    } else if (signal->kind == HL_SIGNAL_RELAY) {
        hl_relay_arrive(hub, signal->relay);
    } else if (signal->kind == HL_SIGNAL_TYPING || signal->kind == HL_SIGNAL_PRESENCE) {
        hand_out(hub, signal);
    }
    hl_hub_sweep(hub);
}
