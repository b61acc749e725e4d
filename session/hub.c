#include "session/hub.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "session/deadline.h"
#include "session/ephemeral.h"
#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/poll.h"
#include "session/receipt.h"
#include "session/receive.h"
#include "session/relay.h"
#include "session/session.h"

enum { SCRATCH_SIZE_MAX = 256 << 10 };

const struct hl_hub_limits hl_hub_limits_default = {
    .message_bytes_max = 65536,
    .body_bytes_max = 16384,
    .batch_frames_max = 256,
    .subscriptions_max = 256,
    .sessions_max = 100000,
    .credit_entries = 512,
    .page_entries = 128,
    .page_bytes = 32768,
    .poll_bytes_max = 262144,
    .poll_wait_ms_max = 25000,
    .hello_ms = 10000,
    .ping_ms = 25000,
    .pong_ms = 10000,
    .stall_ms = 30000,
    .session_ttl_ms = 60000,
    .token_ttl_s = 2592000,
    .pubs_per_s = 50,
    .pubs_burst = 200,
    .errors_max = 20,
};

uint64_t hl_hub_now(const struct hl_hub *hub)
{
    return hl_clock_mono_ms(hub->config.clock);
}

uint64_t hl_hub_random(const struct hl_hub *hub)
{
    uint64_t random;

    hl_random_fill(hub->config.random, &random, sizeof(random));
    return random;
}

void hl_hub_sweep(struct hl_hub *hub)
{
    while (!hl_list_is_empty(&hub->ended)) {
        struct hl_session *session =
            HL_CONTAINER_OF(hub->ended.next, struct hl_session, by_id.link);
        hl_list_remove(&session->by_id.link);
        hl_session_free(session);
    }
}

void hl_hub_name_problem(struct hl_hub *hub, struct hl_problem *problem)
{
    uint8_t random[10];
    struct hl_id id;

    hl_random_fill(hub->config.random, random, sizeof(random));
    id = hl_id_v7(hl_clock_wall_ms(hub->config.clock), random);
    hl_id_format(&id, HL_ID_REQUEST, hub->request_id);
    problem->request_id = hl_bytes_of(hub->request_id);
    hl_event(HL_EVENT_DEBUG, "frame.refused", HL_BYTES("request_id", problem->request_id),
             HL_TEXT("code", hl_problem_kind(problem->code)->code));
}

/* ---- links without a session ---- */

void hl_hub_say_error(struct hl_hub *hub, struct hl_link *link, const struct hl_problem *problem,
                      struct hl_bytes frame, struct hl_bytes mid)
{
    struct hl_problem named = *problem;

    if (++link->n_errors > hub->config.limits.errors_max) {
        if (link->session != NULL)
            hl_session_bye(link->session, HL_PROBLEM_PROTOCOL_ABUSE, "Too many mistakes.");
        else
            hl_hub_close_link(hub, link, HL_PROBLEM_PROTOCOL_ABUSE, "Too many mistakes.");
        return;
    }
    hl_hub_name_problem(hub, &named);
    hl_frame_text_error(hl_outbox_frame(&hub->aside), &named, frame, mid);
    (void)hl_outbox_send(&hub->aside, link);
}

void hl_hub_close_link(struct hl_hub *hub, struct hl_link *link, enum hl_problem_code code,
                       const char *detail)
{
    struct hl_problem problem = {.code = code, .detail = hl_bytes_of(detail)};

    HL_CHECK(link->session == NULL);
    if (hl_list_is_linked(&link->member)) {
        hl_list_remove(&link->member);
        hub->stats.links_waiting_hello--;
    }
    if (link->kind == HL_LINK_STREAM) { /* the answer of a poll has an id of its own */
        hl_hub_name_problem(hub, &problem);
        hl_frame_text_bye(hl_outbox_frame(&hub->aside), &problem);
        (void)hl_outbox_send(&hub->aside, link);
    }
    link->ops->close(link, &problem);
}

static void check_greetings(struct hl_hub *hub, uint64_t now_ms)
{
    while (!hl_list_is_empty(&hub->greeting)) {
        struct hl_link *link = HL_CONTAINER_OF(hub->greeting.next, struct hl_link, member);
        if (now_ms < link->deadline_ms)
            return;
        hl_hub_close_link(hub, link, HL_PROBLEM_TIMEOUT, "The hello did not come in time.");
    }
}

/* ---- life ---- */

static void on_left(struct hl_registry_member *member)
{
    struct hl_hub *hub = HL_CONTAINER_OF(member, struct hl_hub, member);

    hub->has_left = true;
    hl_hub_consider_end(hub);
}

static void free_hub(struct hl_hub *hub)
{
    hl_group_fini(&hub->group);
    hl_outbox_fini(&hub->out);
    hl_outbox_fini(&hub->aside);
    hl_buffer_fini(&hub->scratch);
    hl_id_map_fini(&hub->sessions);
    hl_id_map_fini(&hub->subscriptions);
    free(hub);
}

int hl_hub_create(const struct hl_hub_config *config, struct hl_hub **out_hub)
{
    struct hl_hub *hub = calloc(1, sizeof(*hub));
    struct hl_log_info info;

    if (hub == NULL)
        return -ENOMEM;
    hub->config = *config;
    hub->keys = config->keys;
    hl_group_init(&hub->group);
    if (hl_id_map_init(&hub->sessions, hl_hub_random(hub)) != 0 ||
        hl_id_map_init(&hub->subscriptions, hl_hub_random(hub)) != 0) {
        free_hub(hub);
        return -ENOMEM;
    }
    hl_log_info(config->log, &info);
    hub->epoch = info.epoch;
    hub->durability = hl_durability_name(info.durability);
    hl_wheel_init(&hub->wheel, hl_hub_now(hub));
    hl_list_init(&hub->greeting);
    hl_list_init(&hub->ended);
    hl_outbox_init(&hub->out, HL_OUTBOX_SIZE_MAX);
    hl_outbox_init(&hub->aside, HL_OUTBOX_SIZE_MAX);
    hl_buffer_init(&hub->scratch, SCRATCH_SIZE_MAX);
    hl_readers_init(&hub->readers);
    hub->member.loop = config->loop;
    hub->member.on_signal = hl_ephemeral_on_signal;
    hub->member.on_left = on_left;
    hl_registry_join(config->registry, &hub->member);
    hub->commits.loop = config->loop;
    hub->commits.on_commit = hl_broadcast_on_commit;
    hub->commits.on_mark = hl_receipt_on_mark;
    hl_log_subscribe(config->log, &hub->commits);
    *out_hub = hub;
    return 0;
}

static void end_all(struct hl_hub *hub, const char *detail)
{
    struct hl_id_node *node;

    while ((node = hl_id_map_walk(&hub->sessions, NULL)) != NULL)
        hl_session_bye(HL_CONTAINER_OF(node, struct hl_session, by_id), HL_PROBLEM_DRAINING,
                       detail);
    while (!hl_list_is_empty(&hub->greeting))
        hl_hub_close_link(hub, HL_CONTAINER_OF(hub->greeting.next, struct hl_link, member),
                          HL_PROBLEM_DRAINING, detail);
    hl_hub_sweep(hub);
}

static void run_closed(struct hl_task *task)
{
    struct hl_hub *hub = HL_CONTAINER_OF(task, struct hl_hub, closed_task);
    void (*destroyed)(void *) = hub->destroyed;
    void *arg = hub->destroyed_arg;

    free_hub(hub);
    destroyed(arg);
}

void hl_hub_consider_end(struct hl_hub *hub)
{
    bool is_idle = hub->n_publishes == 0 && hub->n_relays == 0 && hub->readers.n_active == 0;

    if (!hub->is_closing || !hub->has_left || !is_idle || hub->closed_task.run != NULL)
        return;
    hub->closed_task.run = run_closed;
    hl_loop_post(hub->config.loop, &hub->closed_task);
}

void hl_hub_destroy(struct hl_hub *hub, void (*destroyed)(void *arg), void *arg)
{
    HL_CHECK(!hub->is_closing);
    hub->destroyed = destroyed;
    hub->destroyed_arg = arg;
    hub->is_closing = true;
    hl_log_unsubscribe(hub->config.log, &hub->commits);
    end_all(hub, "The gateway is going down.");
    hl_registry_leave(&hub->member);
}

void hl_hub_set_keys(struct hl_hub *hub, const struct hl_token_keys *keys)
{
    hub->keys = keys;
}

/* ---- the doors ---- */

void hl_hub_link_open(struct hl_hub *hub, struct hl_link *link)
{
    HL_CHECK(link->kind == HL_LINK_STREAM && link->session == NULL);
    link->deadline_ms = hl_hub_now(hub) + hub->config.limits.hello_ms;
    hl_list_add(&hub->greeting, &link->member);
    hub->stats.links_waiting_hello++;
    if (hub->is_draining || hub->is_closing)
        hl_hub_close_link(hub, link, HL_PROBLEM_DRAINING, "The gateway is going down.");
}

void hl_hub_link_receive(struct hl_hub *hub, struct hl_link *link, struct hl_bytes message)
{
    HL_CHECK(link->kind == HL_LINK_STREAM);
    hl_receive(hub, link, message);
    hl_hub_sweep(hub);
}

void hl_hub_link_writable(struct hl_hub *hub, struct hl_link *link)
{
    struct hl_session *session = link->session;

    if (session == NULL || session->state != HL_SESSION_LIVE)
        return;
    hl_session_progress(session);
    hl_subscription_pump_all(session);
    hl_session_flush(session);
    hl_hub_sweep(hub);
}

void hl_hub_link_gone(struct hl_hub *hub, struct hl_link *link)
{
    if (hl_list_is_linked(&link->member)) {
        hl_list_remove(&link->member);
        hub->stats.links_waiting_hello--;
    }
    if (link->relay != NULL)
        hl_relay_forget(link);
    if (link->session != NULL)
        hl_session_lost_link(link->session);
    hl_hub_sweep(hub);
}

void hl_hub_poll(struct hl_hub *hub, struct hl_link *link, struct hl_bytes body)
{
    hl_poll_receive(hub, link, body);
    hl_hub_sweep(hub);
}

void hl_hub_tick(struct hl_hub *hub)
{
    uint64_t now_ms = hl_hub_now(hub);

    check_greetings(hub, now_ms);
    hl_wheel_advance(&hub->wheel, now_ms);
    hl_readers_run(hub);
    if (hub->is_draining && now_ms >= hub->drain_end_ms)
        end_all(hub, "The time to reconnect is over.");
    hl_hub_sweep(hub);
}

/* ---- drain ---- */

static void drain_session(struct hl_hub *hub, struct hl_session *session)
{
    if (session->state == HL_SESSION_LIVE) {
        hl_frame_text_drain(hl_session_frame(session), hub->drain_window_ms,
                            hub->drain_deadline_ms);
        hl_session_flush(session);
    } else if (session->state == HL_SESSION_POLLED) {
        uint64_t wait_ms = hl_hub_random(hub) % ((uint64_t)hub->drain_window_ms + 1);
        session->poll->deadline_ms = hl_hub_now(hub) + wait_ms;
        hl_deadline_set(session);
    }
}

void hl_hub_drain(struct hl_hub *hub, uint32_t window_ms, uint32_t deadline_ms)
{
    struct hl_id_node *next;

    hub->is_draining = true;
    hub->drain_window_ms = window_ms;
    hub->drain_deadline_ms = deadline_ms;
    hub->drain_end_ms = hl_hub_now(hub) + deadline_ms;
    for (struct hl_id_node *node = hl_id_map_walk(&hub->sessions, NULL); node != NULL;
         node = next) {
        next = hl_id_map_walk(&hub->sessions, node);
        drain_session(hub, HL_CONTAINER_OF(node, struct hl_session, by_id));
    }
    hl_hub_sweep(hub);
}

void hl_hub_set_limits(struct hl_hub *hub, const struct hl_hub_limits *limits)
{
    hub->config.limits = *limits;
}

void hl_hub_name_author(const struct hl_hub *hub, const struct hl_author *author,
                        char out_name[HL_NAME_SIZE_MAX + 1])
{
    const struct hl_agents *agents = &hub->config.agents;

    out_name[0] = '\0';
    if (author->role == HL_ROLE_AGENT && agents->name != NULL)
        agents->name(agents->arg, &author->id, out_name);
}

/* What an agent may follow was looked at when they began to; if that is no longer so, the session
 * ends, and with the next one all is looked at again. */
static void renew_session(struct hl_session *session)
{
    const struct hl_agents *agents = &session->hub->config.agents;
    struct hl_bearer bearer;

    if (!agents->renew(agents->arg, &session->participant.id, &session->key, &bearer)) {
        hl_session_bye(session, HL_PROBLEM_UNAUTHORIZED, "The API key was revoked.");
        return;
    }
    session->may_write = bearer.may_write;
    if (session->scope != bearer.scope)
        hl_session_bye(session, HL_PROBLEM_SESSION_EXPIRED, "You have other inboxes now.");
}

void hl_hub_revoke_agents(struct hl_hub *hub)
{
    struct hl_id_node *next;

    if (hub->config.agents.renew == NULL)
        return;
    for (struct hl_id_node *node = hl_id_map_walk(&hub->sessions, NULL); node != NULL;
         node = next) {
        struct hl_session *session = HL_CONTAINER_OF(node, struct hl_session, by_id);

        next = hl_id_map_walk(&hub->sessions, node);
        if (!hl_session_is_visitor(session))
            renew_session(session);
    }
    hl_hub_sweep(hub);
}

void hl_hub_stats(const struct hl_hub *hub, struct hl_hub_stats *out_stats)
{
    *out_stats = hub->stats;
}
