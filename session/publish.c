#include "session/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/session.h"

enum { TOKEN_UNIT = 1000, BUSY_RETRY_MS = 250, FULL_RETRY_MS = 5000 };

void hl_reference_format(uint64_t random, char out_text[HL_REFERENCE_BYTES])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    static const char pattern[HL_REFERENCE_BYTES] = "HL-xxxx-xxxx-xxxx";

    for (size_t i = 0; i < HL_REFERENCE_BYTES; i++) {
        out_text[i] = pattern[i];
        if (pattern[i] != 'x')
            continue;
        out_text[i] = digits[random & 31];
        random >>= 5;
    }
}

/* ---- refusing ---- */

struct refusal {
    enum hl_problem_code code;
    const char *detail;
    const char *pointer; /* NULL: none */
    uint32_t retry_ms;
};

/* The number of a refusal that no repeat can change is used up. Any other leaves it expected:
 * the sender comes again with the same number, and nothing may overtake it meanwhile, unless
 * something behind it was stored already. */
static void settle_seq(struct hl_session *session, bool has_seq, uint64_t seq,
                       enum hl_problem_code code)
{
    bool is_final = hl_problem_kind(code)->retry == HL_RETRY_NEVER;

    if (!has_seq)
        return;
    if (is_final && seq == session->expected_seq)
        session->expected_seq++;
    if (!is_final && seq < session->expected_seq && seq > session->stored_seq)
        session->expected_seq = seq;
}

static void settle_stored(struct hl_session *session, uint64_t seq)
{
    if (seq > session->stored_seq)
        session->stored_seq = seq;
    if (seq >= session->expected_seq)
        session->expected_seq = seq + 1;
}

static void write_refusal(struct hl_session *session, struct hl_pub_no *no,
                          const struct refusal *refusal)
{
    no->problem.code = refusal->code;
    no->problem.detail = hl_bytes_of(refusal->detail);
    no->problem.retry_ms = refusal->retry_ms;
    if (refusal->pointer != NULL)
        no->problem.pointer = hl_bytes_of(refusal->pointer);
    session->hub->stats.pub_errors++;
    hl_hub_name_problem(session->hub, &no->problem);
    hl_frame_text_pub_no(hl_session_frame(session), no);
}

static void refuse_pub(struct hl_session *session, const struct hl_frame_pub *pub,
                       const struct refusal *refusal)
{
    struct hl_pub_no no = {.mid = pub->mid, .has_seq = pub->has_seq, .seq = pub->seq};

    if (refusal->code == HL_PROBLEM_OUT_OF_ORDER)
        no.want = session->expected_seq;
    else
        settle_seq(session, pub->has_seq, pub->seq, refusal->code);
    write_refusal(session, &no, refusal);
}

void hl_publish_refuse_fault(struct hl_session *session, const struct hl_frame *frame,
                             const struct hl_fault *fault)
{
    struct refusal refusal = {
        .code = fault->code, .detail = fault->detail, .pointer = fault->pointer};

    refuse_pub(session, &frame->pub, &refusal);
}

/* ---- checking ---- */

/* 0, or how long to wait. */
static uint32_t take_pub_token(struct hl_session *session)
{
    const struct hl_hub_limits *limits = &session->hub->config.limits;
    uint64_t now_ms = hl_hub_now(session->hub);
    uint64_t full = (uint64_t)limits->pubs_burst * TOKEN_UNIT;
    uint64_t tokens = session->pub_tokens;

    if (limits->pubs_per_s == 0)
        return 0;
    tokens += (now_ms - session->pub_tokens_ms) * limits->pubs_per_s;
    session->pub_tokens_ms = now_ms;
    if (tokens > full)
        tokens = full;
    if (tokens >= TOKEN_UNIT) {
        session->pub_tokens = tokens - TOKEN_UNIT;
        return 0;
    }
    session->pub_tokens = tokens;
    return (uint32_t)((TOKEN_UNIT - tokens) / limits->pubs_per_s + 1);
}

static bool is_kind_allowed(const struct hl_session *session, enum hl_entry_kind kind)
{
    return session->may_write && (kind != HL_ENTRY_NOTE || !hl_session_is_visitor(session));
}

/* The conversation it goes to, or NULL. Agents speak where they follow. */
static struct hl_subscription *find_target(struct hl_session *session, const struct hl_frame *frame)
{
    if (frame->has_conversation)
        return hl_subscription_find(session, &frame->conversation);
    return hl_session_is_visitor(session) ? hl_subscription_first(session) : NULL;
}

/* Canonical text of the body in the hub's scratch. False: too large. */
static bool write_body(struct hl_hub *hub, const json_t *body)
{
    hl_buffer_clear(&hub->scratch);
    hl_json_append_canonical(&hub->scratch, body);
    return !hl_buffer_failed(&hub->scratch) &&
           hub->scratch.size <= hub->config.limits.body_bytes_max;
}

/* False, with the refusal, if the pub may not be taken. */
static bool check_pub(struct hl_session *session, const struct hl_frame *frame,
                      struct refusal *out_refusal)
{
    const struct hl_frame_pub *pub = &frame->pub;
    uint32_t wait_ms;

    *out_refusal = (struct refusal){.detail = ""};
    if (pub->has_seq && pub->seq > session->expected_seq) {
        out_refusal->code = HL_PROBLEM_OUT_OF_ORDER;
        out_refusal->detail = "Send again from seq want on.";
    } else if (find_target(session, frame) == NULL) {
        out_refusal->code = HL_PROBLEM_UNKNOWN_CONVERSATION;
        out_refusal->pointer = "/c";
    } else if (!is_kind_allowed(session, pub->kind)) {
        out_refusal->code = HL_PROBLEM_FORBIDDEN;
        out_refusal->pointer = "/kind";
    } else if (!write_body(session->hub, pub->body)) {
        out_refusal->code = HL_PROBLEM_TOO_LARGE;
        out_refusal->detail = "The body is larger than body_max of the welcome.";
    } else if ((wait_ms = take_pub_token(session)) > 0) {
        out_refusal->code = HL_PROBLEM_TOO_FAST;
        out_refusal->retry_ms = wait_ms;
    } else {
        return true;
    }
    return false;
}

/* ---- on the way ---- */

static void free_publish(struct hl_publish *publish)
{
    hl_list_remove(&publish->member);
    hl_entry_unref(publish->submit.entry);
    free(publish);
}

static void finish_submit(struct hl_log_submit *submit, int r)
{
    struct hl_publish *publish = HL_CONTAINER_OF(submit, struct hl_publish, submit);
    struct hl_session *session = publish->session;
    struct hl_hub *hub = publish->hub;

    hub->n_publishes--;
    if (session == NULL) {
        free_publish(publish);
        hl_hub_consider_end(hub);
        return;
    }
    session->n_under_way--;
    publish->is_done = true;
    publish->result = r;
    if (r == 0 && publish->has_seq)
        settle_stored(session, publish->seq);
    hl_group_touch(hub, session); /* told at the end of the group */
}

/* What the conversation is born with: copies, since the session may be gone before it is. */
static void fill_opening(struct hl_publish *publish)
{
    const struct hl_session *session = publish->session;
    struct hl_bytes site = hl_session_site(session);
    struct hl_bytes identity = hl_session_identity(session);

    HL_CHECK(site.size < sizeof(publish->site) && identity.size < sizeof(publish->identity));
    hl_reference_format(hl_hub_random(publish->hub), publish->reference);
    memcpy(publish->site, site.data, site.size);
    if (identity.size > 0)
        memcpy(publish->identity, identity.data, identity.size);
    publish->opening = (struct hl_log_opening){.site = hl_bytes_of(publish->site),
                                               .reference = hl_bytes_of(publish->reference),
                                               .inbox = session->inbox,
                                               .identity = hl_bytes_of(publish->identity)};
    publish->submit.opening = &publish->opening;
}

static struct hl_publish *create_publish(struct hl_session *session, const struct hl_frame *frame,
                                         const struct hl_subscription *target)
{
    struct hl_hub *hub = session->hub;
    struct hl_publish *publish = calloc(1, sizeof(*publish));
    struct hl_entry_fields fields = {.conversation = target->by_conversation.id,
                                     .author = session->participant,
                                     .kind = frame->pub.kind,
                                     .mid = frame->pub.mid,
                                     .body = hl_buffer_bytes(&hub->scratch)};

    if (publish == NULL)
        return NULL;
    publish->submit.entry = hl_entry_create(&fields);
    if (publish->submit.entry == NULL) {
        free(publish);
        return NULL;
    }
    publish->hub = hub;
    publish->session = session;
    publish->has_seq = frame->pub.has_seq;
    publish->seq = frame->pub.seq;
    publish->submit.loop = hub->config.loop;
    publish->submit.done = finish_submit;
    publish->submit.when.has_if_seen = frame->pub.has_if_seen;
    publish->submit.when.if_seen = frame->pub.if_seen;
    if (target->head == 0 && hl_session_is_visitor(session))
        fill_opening(publish);
    return publish;
}

static void submit_publish(struct hl_session *session, const struct hl_frame *frame,
                           struct hl_publish *publish)
{
    struct hl_hub *hub = session->hub;
    struct refusal refusal = {.code = HL_PROBLEM_BUSY,
                              .detail = "Too much waits to be stored.",
                              .retry_ms = BUSY_RETRY_MS};
    int r = hl_log_submit(hub->config.log, &publish->submit);

    if (r != 0) {
        if (r == HL_LOG_CLOSED)
            refusal = (struct refusal){.code = HL_PROBLEM_UNAVAILABLE,
                                       .detail = "The gateway is going down."};
        free_publish(publish);
        refuse_pub(session, &frame->pub, &refusal);
        return;
    }
    hl_list_add(&session->publishes, &publish->member);
    session->n_under_way++;
    hub->n_publishes++;
    hub->stats.pubs++;
    if (frame->pub.has_seq && frame->pub.seq == session->expected_seq)
        session->expected_seq++;
}

void hl_publish(struct hl_session *session, const struct hl_frame *frame)
{
    struct refusal refusal;

    if (!check_pub(session, frame, &refusal)) {
        refuse_pub(session, &frame->pub, &refusal);
        return;
    }
    struct hl_publish *publish = create_publish(session, frame, find_target(session, frame));
    if (publish == NULL) {
        refusal = (struct refusal){.code = HL_PROBLEM_BUSY, .detail = "Out of memory."};
        refuse_pub(session, &frame->pub, &refusal);
        return;
    }
    submit_publish(session, frame, publish);
}

/* ---- results ---- */

struct hl_publish *hl_publish_find_own(const struct hl_session *session,
                                       const struct hl_entry *entry)
{
    for (const struct hl_list *at = session->publishes.next; at != &session->publishes;
         at = at->next) {
        struct hl_publish *publish = HL_CONTAINER_OF(at, struct hl_publish, member);
        if (publish->is_done && publish->result == 0 && !publish->submit.duplicate &&
            publish->submit.offset == entry->offset &&
            hl_id_equal(&publish->submit.entry->conversation, &entry->conversation))
            return publish;
    }
    return NULL;
}

static void write_ok(struct hl_publish *publish, int64_t after)
{
    struct hl_session *session = publish->session;
    struct hl_pub_ok ok = {.mid = hl_entry_mid(publish->submit.entry),
                           .has_seq = publish->has_seq,
                           .seq = publish->seq,
                           .conversation = publish->submit.entry->conversation,
                           .epoch = publish->hub->epoch,
                           .offset = publish->submit.offset,
                           .after = after,
                           .wall_ms = publish->submit.wall_ms,
                           .is_duplicate = publish->submit.duplicate,
                           .durability = publish->hub->durability,
                           .reference = ""};
    if (ok.offset == 1)
        ok.reference = publish->submit.conversation.reference;

    hl_frame_text_pub_ok(hl_session_frame(session), &ok);
}

void hl_publish_write_ok(struct hl_publish *publish, int64_t after)
{
    publish->is_told_in_turn = true;
    write_ok(publish, after);
}

static struct refusal find_refusal(int result)
{
    switch (result) {
    case HL_LOG_BUSY:
    case HL_LOG_REFERENCE_TAKEN: /* a repeat draws another one */
        return (struct refusal){HL_PROBLEM_BUSY, "Too much waits to be stored.", NULL,
                                BUSY_RETRY_MS};
    case HL_LOG_MID_CONFLICT:
        return (struct refusal){HL_PROBLEM_MID_CONFLICT, "Use a new mid for new content.", "/mid",
                                0};
    case HL_LOG_STALE:
        return (struct refusal){HL_PROBLEM_STALE, "Read on to head, then decide again.", NULL, 0};
    case HL_LOG_UNKNOWN:
        return (struct refusal){HL_PROBLEM_UNKNOWN_CONVERSATION, "", "/c", 0};
    case HL_LOG_ERASED:
        return (struct refusal){HL_PROBLEM_CONVERSATION_ERASED, "", NULL, 0};
    case HL_LOG_FULL:
        return (struct refusal){HL_PROBLEM_STORAGE_FULL, "Keep the message and try again.", NULL,
                                FULL_RETRY_MS};
    default:
        break;
    }
    return (struct refusal){HL_PROBLEM_UNAVAILABLE, "", NULL, 0};
}

static void write_no(struct hl_publish *publish)
{
    struct refusal refusal = find_refusal(publish->result);
    struct hl_pub_no no = {.mid = hl_entry_mid(publish->submit.entry),
                           .has_seq = publish->has_seq,
                           .seq = publish->seq};

    if (publish->result == HL_LOG_STALE) {
        no.has_head = true;
        no.head = publish->submit.conversation.head;
    }
    settle_seq(publish->session, publish->has_seq, publish->seq, refusal.code);
    write_refusal(publish->session, &no, &refusal);
}

void hl_publish_write_results(struct hl_session *session)
{
    bool has_link = session->link != NULL || session->poll != NULL;
    struct hl_list *next;

    for (struct hl_list *at = session->publishes.next; at != &session->publishes; at = next) {
        struct hl_publish *publish = HL_CONTAINER_OF(at, struct hl_publish, member);
        next = at->next;
        if (!publish->is_done)
            continue;
        if (has_link && !publish->is_told_in_turn && publish->result == 0)
            write_ok(publish, HL_NO_AFTER);
        else if (has_link && publish->result != 0)
            write_no(publish);
        free_publish(publish);
    }
}

void hl_publish_abandon(struct hl_session *session)
{
    while (!hl_list_is_empty(&session->publishes)) {
        struct hl_publish *publish =
            HL_CONTAINER_OF(session->publishes.next, struct hl_publish, member);
        hl_list_remove(&publish->member);
        publish->session = NULL;
        if (publish->is_done)
            free_publish(publish);
    }
    session->n_under_way = 0;
}
