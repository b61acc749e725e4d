#include "session/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "session/attach.h"
#include "session/deadline.h"
#include "session/ephemeral.h"
#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/poll.h"
#include "session/publish.h"
#include "session/receipt.h"
#include "session/subscription.h"

enum { N_STATES = HL_SESSION_ENDED + 1 };
#define MAY(state) (1u << HL_SESSION_##state)

/* Where each state may go. */
static const unsigned moves[N_STATES] = {
    [HL_SESSION_OPENING] = MAY(LIVE) | MAY(POLLED) | MAY(ENDED),
    [HL_SESSION_LIVE] = MAY(POLLED) | MAY(AWAY) | MAY(ENDED),
    [HL_SESSION_POLLED] = MAY(POLLED) | MAY(AWAY) | MAY(ENDED),
    [HL_SESSION_AWAY] = MAY(POLLED) | MAY(ENDED),
    [HL_SESSION_ENDED] = 0,
};

static bool is_sound(const struct hl_session *session)
{
    bool has_link = session->link != NULL;
    bool has_poll = session->poll != NULL;

    switch ((enum hl_session_state)session->state) {
    case HL_SESSION_OPENING:
        return has_link != has_poll;
    case HL_SESSION_LIVE:
        return has_link && !has_poll && session->n_opening <= session->n_subscriptions;
    case HL_SESSION_POLLED:
        return has_poll && !has_link;
    case HL_SESSION_AWAY:
        return !has_poll && !has_link;
    case HL_SESSION_ENDED:
        break;
    }
    return !has_poll && !has_link && session->n_subscriptions == 0 && session->deferred == NULL &&
           hl_list_is_empty(&session->publishes) && !hl_timer_is_running(&session->timer);
}

static void move_state(struct hl_session *session, enum hl_session_state state)
{
    HL_CHECK((moves[session->state] & 1u << state) != 0);
    session->state = (uint8_t)state;
    HL_CHECK(is_sound(session));
}

bool hl_session_is_visitor(const struct hl_session *session)
{
    return session->participant.role == HL_ROLE_VISITOR;
}

bool hl_session_sees(const struct hl_session *session, const struct hl_conversation *conversation)
{
    const struct hl_agents *agents = &session->hub->config.agents;

    return hl_session_is_visitor(session) || agents->sees == NULL ||
           agents->sees(agents->arg, &session->participant.id, conversation);
}

struct hl_bytes hl_session_site(const struct hl_session *session)
{
    return hl_bytes_of(session->site != NULL ? session->site : session->hub->config.site);
}

struct hl_bytes hl_session_identity(const struct hl_session *session)
{
    return session->identity != NULL ? hl_bytes_of(session->identity) : (struct hl_bytes){0};
}

static int copy_site(struct hl_session *session, struct hl_bytes site)
{
    if (site.size == 0 || hl_bytes_is(site, session->hub->config.site))
        return 0;
    session->site = strndup(site.data, site.size);
    return session->site == NULL ? -ENOMEM : 0;
}

static int copy_identity(struct hl_session *session, struct hl_bytes identity)
{
    if (identity.size == 0)
        return 0;
    session->identity = strndup(identity.data, identity.size);
    return session->identity == NULL ? -ENOMEM : 0;
}

int hl_session_create(struct hl_hub *hub, const struct hl_session_birth *birth,
                      struct hl_session **out_session)
{
    struct hl_session *session = calloc(1, sizeof(*session));

    if (session == NULL)
        return -ENOMEM;
    HL_CHECK(hl_id_map_find(&hub->sessions, &birth->id) == NULL);
    session->hub = hub;
    if (copy_site(session, birth->site) != 0 || copy_identity(session, birth->identity) != 0) {
        free(session->site);
        free(session);
        return -ENOMEM;
    }
    session->inbox = birth->inbox;
    session->may_write = birth->may_write;
    session->key = birth->key;
    session->scope = birth->scope;
    session->by_id.id = birth->id;
    session->participant = birth->participant;
    session->generation = birth->generation;
    session->expected_seq = birth->seq;
    session->stored_seq = birth->seq - 1; /* the client says so */
    session->credit = hub->config.limits.credit_entries;
    session->pub_tokens = (uint64_t)hub->config.limits.pubs_burst * 1000;
    session->pub_tokens_ms = hl_hub_now(hub);
    session->quiet_ms = session->pub_tokens_ms;
    session->first_item = UINT32_MAX;
    session->last_item = UINT32_MAX;
    hl_list_init(&session->subscriptions);
    hl_list_init(&session->publishes);
    hl_id_map_add(&hub->sessions, &session->by_id);
    hub->stats.sessions++;
    *out_session = session;
    return 0;
}

struct hl_session *hl_session_find(struct hl_hub *hub, const struct hl_id *id)
{
    struct hl_id_node *node = hl_id_map_find(&hub->sessions, id);

    return node == NULL ? NULL : HL_CONTAINER_OF(node, struct hl_session, by_id);
}

/* ---- links ---- */

static struct hl_link *take_stream(struct hl_session *session)
{
    struct hl_link *link = session->link;

    if (link == NULL)
        return NULL;
    if (session->hub->turn == session) {
        hl_outbox_clear(&session->hub->out);
        session->hub->turn = NULL;
    }
    session->link = NULL;
    link->session = NULL;
    session->hub->stats.streams--;
    return link;
}

static struct hl_poll *take_poll(struct hl_session *session)
{
    struct hl_poll *poll = session->poll;

    if (poll == NULL)
        return NULL;
    session->poll = NULL;
    poll->link->session = NULL;
    session->hub->stats.polls_parked--;
    return poll;
}

/* The links of an older attachment, ended by a newer one. */
static void replace_links(struct hl_session *session, bool is_by_poll)
{
    static const char why[] = "This session was attached again elsewhere.";
    struct hl_link *link = take_stream(session);
    struct hl_poll *poll = take_poll(session);

    if (link != NULL)
        hl_hub_close_link(session->hub, link, HL_PROBLEM_REPLACED, why);
    if (poll == NULL)
        return;
    if (is_by_poll) {
        hl_poll_supersede(poll, session->generation);
        return;
    }
    hl_hub_close_link(session->hub, poll->link, HL_PROBLEM_REPLACED, why);
    hl_poll_destroy(poll);
}

void hl_session_bind_stream(struct hl_session *session, struct hl_link *link)
{
    HL_CHECK(session->state == HL_SESSION_OPENING && session->poll == NULL);
    HL_CHECK(session->link == NULL && link->session == NULL);
    session->link = link;
    link->session = session;
    session->hub->stats.streams++;
}

int hl_session_bind_poll(struct hl_session *session, struct hl_link *link, uint64_t rid,
                         uint64_t deadline_ms)
{
    struct hl_poll *poll;
    int r = hl_poll_create(link, rid, deadline_ms, &poll);

    if (r != 0)
        return r;
    HL_CHECK(session->state != HL_SESSION_ENDED);
    replace_links(session, true);
    session->poll = poll;
    link->session = session;
    session->hub->stats.polls_parked++;
    if (session->state != HL_SESSION_OPENING)
        move_state(session, HL_SESSION_POLLED);
    session->stalled_ms = 0;
    return 0;
}

void hl_session_welcomed(struct hl_session *session)
{
    move_state(session, session->link != NULL ? HL_SESSION_LIVE : HL_SESSION_POLLED);
    session->quiet_ms = hl_hub_now(session->hub);
    hl_deadline_set(session);
}

/* The next poll may come to another hub, which knows only what the registry does. */
static void leave_pace(struct hl_session *session)
{
    bool is_settled = hl_list_is_empty(&session->publishes);
    struct hl_pace pace = {.seq = is_settled ? session->expected_seq : session->stored_seq + 1,
                           .pub_tokens = session->pub_tokens,
                           .pub_tokens_ms = session->pub_tokens_ms};

    hl_registry_detach(session->hub->config.registry, &session->by_id.id, session->generation,
                       &pace);
}

static void go_away(struct hl_session *session)
{
    move_state(session, HL_SESSION_AWAY);
    leave_pace(session);
    session->quiet_ms = hl_hub_now(session->hub);
    session->is_pinged = false;
    session->stalled_ms = 0;
    hl_deadline_set(session);
}

/* A session that was never welcomed is of no use to anybody; an agent's on a stream cannot be
 * resumed: its key makes a new one. */
void hl_session_lost_link(struct hl_session *session)
{
    bool is_stream = session->link != NULL;

    (void)take_stream(session);
    hl_poll_destroy(take_poll(session));
    if (session->state == HL_SESSION_OPENING || (is_stream && !hl_session_is_visitor(session))) {
        hl_ephemeral_presence(session, false);
        hl_session_end(session);
        return;
    }
    go_away(session);
}

void hl_session_answered(struct hl_session *session)
{
    HL_CHECK(session->state == HL_SESSION_POLLED);
    hl_poll_destroy(take_poll(session));
    go_away(session);
}

/* ---- the end ---- */

static void drop_contents(struct hl_session *session)
{
    while (!hl_list_is_empty(&session->subscriptions)) {
        struct hl_subscription *subscription =
            HL_CONTAINER_OF(session->subscriptions.next, struct hl_subscription, member);
        hl_receipt_mark_delivered(subscription);
        hl_subscription_destroy(subscription);
    }
    hl_publish_abandon(session);
    hl_group_forget(session);
    json_decref(session->deferred);
    session->deferred = NULL;
    hl_wheel_remove(&session->hub->wheel, &session->timer);
}

void hl_session_end(struct hl_session *session)
{
    struct hl_hub *hub = session->hub;

    if (session->state == HL_SESSION_ENDED)
        return;
    (void)take_stream(session);
    hl_poll_destroy(take_poll(session));
    if (!session->is_fenced)
        hl_registry_forget(hub->config.registry, &session->by_id.id, session->generation);
    drop_contents(session);
    hl_id_map_remove(&hub->sessions, &session->by_id);
    hub->stats.sessions--;
    move_state(session, HL_SESSION_ENDED);
    hl_list_add(&hub->ended, &session->by_id.link);
}

void hl_session_free(struct hl_session *session)
{
    HL_CHECK(session->state == HL_SESSION_ENDED);
    free(session->site);
    free(session->identity);
    free(session);
}

void hl_session_bye(struct hl_session *session, enum hl_problem_code code, const char *detail)
{
    struct hl_link *link;
    struct hl_poll *poll;

    if (session->state == HL_SESSION_ENDED)
        return;
    if (session->link != NULL)
        hl_session_flush(session);
    link = take_stream(session);
    poll = take_poll(session);
    hl_ephemeral_presence(session, false);
    hl_session_end(session);
    if (link == NULL && poll != NULL)
        link = poll->link;
    hl_poll_destroy(poll);
    if (link != NULL)
        hl_hub_close_link(session->hub, link, code, detail);
}

void hl_session_leave(struct hl_session *session)
{
    if (session->link == NULL) {
        hl_session_bye(session, HL_PROBLEM_SESSION_EXPIRED, "You said bye.");
        return;
    }
    hl_session_flush(session);
    struct hl_link *link = take_stream(session);
    hl_ephemeral_presence(session, false);
    hl_session_end(session);
    if (link != NULL)
        link->ops->close(link, NULL);
}

void hl_session_consider_erased(struct hl_session *session)
{
    if (session->is_erased)
        hl_session_bye(session, HL_PROBLEM_CONVERSATION_ERASED, "Forget what you have of it.");
}

void hl_session_fence(struct hl_session *session, bool is_by_poll)
{
    session->hub->stats.fenced++;
    session->is_fenced = true;
    replace_links(session, is_by_poll);
    hl_session_end(session);
}

/* ---- writing ---- */

struct hl_buffer *hl_session_frame(struct hl_session *session)
{
    struct hl_hub *hub = session->hub;

    hub->stats.frames_out++;
    if (session->poll != NULL)
        return hl_poll_frame(session);
    HL_CHECK(session->link != NULL);
    HL_CHECK(hub->turn == NULL || hub->turn == session);
    hub->turn = session;
    return hl_outbox_frame(&hub->out);
}

void hl_session_flush(struct hl_session *session)
{
    struct hl_hub *hub = session->hub;

    if (session->state == HL_SESSION_ENDED)
        return;
    if (session->poll != NULL) {
        hl_poll_consider(session);
        return;
    }
    if (hub->turn != session)
        return;
    hub->turn = NULL;
    hub->stats.bytes_out += hub->out.text.size;
    if (!hl_outbox_send(&hub->out, session->link))
        hl_session_bye(session, HL_PROBLEM_INTERNAL, "A message could not be put together.");
}

bool hl_session_can_take(const struct hl_session *session)
{
    if (session->gathered_bytes >= HL_GATHERED_BYTES_MAX)
        return false;
    if (session->state == HL_SESSION_LIVE)
        return session->link->ops->is_ready(session->link);
    return session->state == HL_SESSION_POLLED && session->n_under_way == 0 &&
           hl_poll_has_room(session);
}

void hl_session_stall(struct hl_session *session)
{
    if (session->state != HL_SESSION_LIVE || session->stalled_ms != 0)
        return;
    session->stalled_ms = hl_hub_now(session->hub);
    session->hub->stats.stalls++;
    hl_deadline_set(session);
}

void hl_session_progress(struct hl_session *session)
{
    session->stalled_ms = 0;
}

void hl_session_heard(struct hl_session *session)
{
    session->is_pinged = false; /* the timer stays: when it fires, it sees that there was life */
}
