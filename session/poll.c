#include "session/poll.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/result.h"
#include "session/attach.h"
#include "session/deadline.h"
#include "session/frame.h"
#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/receive.h"
#include "session/relay.h"
#include "session/session.h"

/* Results of pubs are waited for beyond the asked wait, but not for ever. */
enum { RESULTS_WAIT_MS = 30000, ENVELOPE_SIZE_MAX = 256 };

int hl_poll_create(struct hl_link *link, uint64_t rid, uint64_t deadline_ms,
                   struct hl_poll **out_poll)
{
    struct hl_poll *poll = calloc(1, sizeof(*poll));

    if (poll == NULL)
        return -ENOMEM;
    HL_CHECK(link->kind == HL_LINK_POLL);
    poll->link = link;
    poll->rid = rid;
    poll->deadline_ms = deadline_ms;
    hl_buffer_init(&poll->answer, HL_OUTBOX_SIZE_MAX);
    *out_poll = poll;
    return 0;
}

void hl_poll_destroy(struct hl_poll *poll)
{
    if (poll == NULL)
        return;
    hl_buffer_fini(&poll->answer);
    free(poll);
}

static void begin_answer(struct hl_buffer *out, uint64_t rid, uint64_t generation)
{
    hl_buffer_append_text(out, "{\"rid\":");
    hl_buffer_append_u64(out, rid);
    hl_buffer_append_text(out, ",\"gen\":");
    hl_buffer_append_u64(out, generation);
    hl_buffer_append_text(out, ",\"frames\":[");
}

void hl_poll_answer_late(struct hl_link *link, uint64_t rid, uint64_t generation)
{
    struct hl_problem problem = {.code = HL_PROBLEM_BUSY};
    struct hl_buffer answer;

    hl_buffer_init(&answer, ENVELOPE_SIZE_MAX);
    begin_answer(&answer, rid, generation);
    hl_buffer_append_text(&answer, "],\"more\":false,\"superseded\":true}");
    if (hl_buffer_failed(&answer))
        link->ops->close(link, &problem);
    else
        link->ops->send(link, hl_buffer_bytes(&answer));
    hl_buffer_fini(&answer);
}

void hl_poll_supersede(struct hl_poll *poll, uint64_t generation)
{
    struct hl_link *link = poll->link;
    uint64_t rid = poll->rid;

    hl_poll_destroy(poll);
    hl_poll_answer_late(link, rid, generation);
}

/* ---- the answer ---- */

struct hl_buffer *hl_poll_frame(struct hl_session *session)
{
    struct hl_poll *poll = session->poll;

    if (poll->n_frames++ == 0)
        begin_answer(&poll->answer, poll->rid, session->generation);
    else
        hl_buffer_append(&poll->answer, ",", 1);
    return &poll->answer;
}

/* Half of the bound: what one page or one group adds fits into the rest. */
bool hl_poll_has_room(const struct hl_session *session)
{
    return session->poll->answer.size < session->hub->config.limits.poll_bytes_max / 2;
}

static void answer_poll(struct hl_session *session)
{
    struct hl_hub *hub = session->hub;
    struct hl_poll *poll = session->poll;
    struct hl_link *link = poll->link;
    struct hl_buffer answer;

    if (hub->is_draining)
        hl_frame_text_drain(hl_session_frame(session), hub->drain_window_ms,
                            hub->drain_deadline_ms);
    if (poll->n_frames == 0)
        begin_answer(&poll->answer, poll->rid, session->generation);
    hl_buffer_append_text(&poll->answer, hl_subscription_has_more(session) ? "],\"more\":true}"
                                                                           : "],\"more\":false}");
    if (hl_buffer_failed(&poll->answer)) {
        hl_session_bye(session, HL_PROBLEM_INTERNAL, "The answer could not be put together.");
        return;
    }
    answer = poll->answer;
    poll->answer = (struct hl_buffer){.data = NULL};
    hl_session_answered(session);
    hub->stats.bytes_out += answer.size;
    link->ops->send(link, hl_buffer_bytes(&answer));
    hl_buffer_fini(&answer);
}

void hl_poll_consider(struct hl_session *session)
{
    const struct hl_poll *poll = session->poll;
    uint64_t now_ms = hl_hub_now(session->hub);
    bool is_waiting;

    if (session->state != HL_SESSION_POLLED)
        return;
    is_waiting = !hl_list_is_empty(&session->publishes) || hl_subscription_is_reading(session);
    if (is_waiting && now_ms < poll->deadline_ms + RESULTS_WAIT_MS)
        return;
    if (poll->n_frames == 0 && now_ms < poll->deadline_ms)
        return;
    answer_poll(session);
}

void hl_poll_hasten(struct hl_session *session, uint64_t wait_ms)
{
    uint64_t due_ms = hl_hub_now(session->hub) + wait_ms;

    if (session->poll->deadline_ms <= due_ms)
        return;
    session->poll->deadline_ms = due_ms;
    hl_deadline_set(session);
}

/* ---- the request ---- */

static void refuse_poll(struct hl_link *link, const struct hl_fault *fault)
{
    struct hl_problem problem = {.code = fault->code,
                                 .detail = hl_bytes_of(fault->detail),
                                 .pointer = hl_bytes_of(fault->pointer)};

    link->ops->close(link, &problem);
}

static int refuse(struct hl_fault *fault, enum hl_problem_code code, const char *detail)
{
    *fault = (struct hl_fault){.code = code, .detail = detail};
    return HL_FRAME_REFUSED;
}

static uint64_t find_deadline(struct hl_hub *hub, uint64_t wait_ms)
{
    uint64_t most = hub->is_draining ? 0 : hub->config.limits.poll_wait_ms_max;

    return hl_hub_now(hub) + (wait_ms < most ? wait_ms : most);
}

/* A poll may begin with hello, which then says who asks. */
static int read_hello(const struct hl_poll_request *request, struct hl_arrival *arrival,
                      struct hl_bytes *out_token, struct hl_fault *out_fault)
{
    struct hl_frame frame;
    const json_t *first = json_array_get(request->frames, 0);
    int r = first == NULL ? HL_FRAME_REFUSED : hl_frame_decode(first, &frame, out_fault);
    bool is_hello = first != NULL && frame.type == HL_FRAME_HELLO;

    *out_token = request->token;
    arrival->positions = request->positions;
    arrival->seq = request->seq != 0 ? request->seq : 1;
    if (!is_hello && request->token.size == 0)
        return refuse(out_fault, HL_PROBLEM_HELLO_FIRST, "Begin with the frame hello.");
    if (!is_hello)
        return 0;
    if (r != 0)
        return r;
    if (frame.hello.version != HL_PROTOCOL_VERSION)
        return refuse(out_fault, HL_PROBLEM_VERSION_UNSUPPORTED, "This gateway speaks v 1.");
    arrival->is_explicit = true;
    arrival->n_taken = 1;
    arrival->site = frame.hello.site;
    arrival->inbox = frame.hello.inbox;
    arrival->verified = frame.hello.identity;
    arrival->verified_hash = frame.hello.identity_hash;
    if (frame.hello.token.size > 0)
        *out_token = frame.hello.token;
    if (frame.hello.positions != NULL)
        arrival->positions = frame.hello.positions;
    if (frame.hello.seq > arrival->seq)
        arrival->seq = frame.hello.seq;
    return 0;
}

/* Positions and sequence number as the client has them now. */
static void place_session(struct hl_session *session, const struct hl_arrival *arrival)
{
    if (arrival->positions != NULL)
        hl_subscription_place_all(session, arrival->positions);
    if (arrival->seq > session->expected_seq)
        session->expected_seq = arrival->seq;
    if (arrival->seq > session->stored_seq + 1)
        session->stored_seq = arrival->seq - 1;
}

static void go_on(struct hl_session *session, const struct hl_arrival *arrival)
{
    struct hl_fault fault = {.code = HL_PROBLEM_BUSY, .detail = "Out of memory."};

    HL_CHECK(session->generation == arrival->generation);
    if (hl_session_bind_poll(session, arrival->link, arrival->rid, arrival->deadline_ms) != 0) {
        refuse_poll(arrival->link, &fault);
        return;
    }
    if (session->state == HL_SESSION_OPENING)
        return; /* the welcome answers; pubs come again with the next poll */
    place_session(session, arrival);
    if (arrival->frames != NULL)
        hl_receive_frames(session, arrival->frames, arrival->n_taken);
    if (session->state == HL_SESSION_ENDED)
        return;
    hl_subscription_pump_all(session);
    hl_session_flush(session);
    if (session->state == HL_SESSION_POLLED)
        hl_deadline_set(session);
}

/* The session goes on here, if this hub has it and the registry says it is this one's; or on
 * another loop, if that has it. */
static bool try_go_on(struct hl_hub *hub, struct hl_arrival *arrival)
{
    struct hl_attach attach = {.member = &hub->member,
                               .is_poll = true,
                               .generation = arrival->generation,
                               .rid = arrival->rid};

    attach.session = hl_identity_session(&arrival->identity, arrival->generation);
    attach.proof = arrival->identity.is_agent ? HL_PROOF_KEY : arrival->identity.claims.generation;
    struct hl_session *session = hl_session_find(hub, &attach.session);
    if (arrival->is_explicit)
        return false;
    int r = session == NULL ? HL_ATTACH_UNKNOWN : hl_registry_go_on(hub->config.registry, &attach);
    if (r == HL_ATTACH_UNKNOWN)
        return hl_relay_start(hub, arrival->link, &attach, arrival->body);
    if (r == HL_ATTACH_LATE)
        hl_poll_answer_late(arrival->link, arrival->rid, arrival->generation);
    else if (r == HL_ATTACH_REPLACED)
        refuse_poll(arrival->link, &(struct hl_fault){.code = HL_PROBLEM_REPLACED,
                                                      .detail = "A newer attachment took over."});
    else
        go_on(session, arrival);
    return true;
}

static void take_request(struct hl_hub *hub, struct hl_link *link, struct hl_bytes body,
                         const json_t *value)
{
    struct hl_poll_request request;
    struct hl_arrival arrival = {.link = link, .body = body};
    struct hl_fault fault;
    struct hl_bytes token;
    int r = hl_poll_request_decode(value, &request, &fault);

    if (r == 0 && json_array_size(request.frames) > hub->config.limits.batch_frames_max)
        r = refuse(&fault, HL_PROBLEM_INVALID_FRAME, "There are too many frames.");
    if (r == 0)
        r = read_hello(&request, &arrival, &token, &fault);
    if (r == 0)
        r = hl_identity_find(hub, token, &arrival.identity, &fault);
    if (r != 0) {
        refuse_poll(link, &fault);
        return;
    }
    arrival.rid = request.rid;
    arrival.generation = request.generation;
    arrival.frames = request.frames;
    arrival.is_explicit = arrival.is_explicit || request.generation == 0;
    arrival.deadline_ms = find_deadline(hub, request.wait_ms);
    if (!try_go_on(hub, &arrival))
        hl_attach(hub, &arrival);
}

void hl_poll_receive(struct hl_hub *hub, struct hl_link *link, struct hl_bytes body)
{
    char why[128];
    struct hl_fault fault;
    json_t *value;
    int r = 0;

    HL_CHECK(link->kind == HL_LINK_POLL && link->session == NULL);
    if (body.size > 2 * (size_t)hub->config.limits.message_bytes_max)
        r = refuse(&fault, HL_PROBLEM_TOO_LARGE, "The request is longer than allowed.");
    else if (!hl_json_is_utf8(body))
        r = refuse(&fault, HL_PROBLEM_INVALID_UTF8, "");
    else if ((r = hl_json_parse(body, why, sizeof(why), &value)) != 0)
        r = refuse(&fault, r > 0 ? HL_PROBLEM_NOT_JSON : HL_PROBLEM_BUSY,
                   r > 0 ? why : "Out of memory.");
    if (r != 0) {
        refuse_poll(link, &fault);
        return;
    }
    take_request(hub, link, body, value);
    json_decref(value);
}
