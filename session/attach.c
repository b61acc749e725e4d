#include "session/attach.h"

#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "session/ephemeral.h"
#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/poll.h"
#include "session/receive.h"
#include "session/session.h"

static struct hl_id make_id(struct hl_hub *hub)
{
    uint8_t random[10];

    hl_random_fill(hub->config.random, random, sizeof(random));
    return hl_id_v7(hl_clock_wall_ms(hub->config.clock), random);
}

static int refuse(struct hl_fault *fault, enum hl_problem_code code, const char *detail)
{
    *fault = (struct hl_fault){.code = code, .detail = detail};
    return HL_FRAME_REFUSED;
}

static int find_agent(struct hl_hub *hub, struct hl_bytes key, struct hl_identity *out_identity,
                      struct hl_fault *out_fault)
{
    struct hl_bearer bearer;

    if (hub->config.agents.find == NULL ||
        hub->config.agents.find(hub->config.agents.arg, key, &bearer) != 0)
        return refuse(out_fault, HL_PROBLEM_UNAUTHORIZED, "There is no such API key.");
    out_identity->is_agent = true;
    out_identity->role = bearer.role;
    out_identity->may_write = bearer.may_write;
    out_identity->key = bearer.key;
    out_identity->scope = bearer.scope;
    out_identity->claims.participant = bearer.id;
    return 0;
}

int hl_identity_find(struct hl_hub *hub, struct hl_bytes token, struct hl_identity *out_identity,
                     struct hl_fault *out_fault)
{
    *out_identity =
        (struct hl_identity){.role = HL_ROLE_VISITOR, .is_new = token.size == 0, .may_write = true};
    if (token.size == 0)
        return 0;
    if (token.size > HL_API_KEY_PREFIX_SIZE &&
        memcmp(token.data, HL_API_KEY_PREFIX, HL_API_KEY_PREFIX_SIZE) == 0)
        return find_agent(hub, token, out_identity, out_fault);
    int r =
        hl_token_open(hub->keys, hl_clock_wall_ms(hub->config.clock), token, &out_identity->claims);
    if (r == HL_TOKEN_EXPIRED)
        return refuse(out_fault, HL_PROBLEM_TOKEN_EXPIRED, "Start again without a token.");
    if (r == HL_TOKEN_INVALID)
        return refuse(out_fault, HL_PROBLEM_TOKEN_INVALID, "Start again without a token.");
    if (r != 0)
        return refuse(out_fault, HL_PROBLEM_INTERNAL, "Out of memory.");
    return 0;
}

struct hl_id hl_identity_session(const struct hl_identity *identity, uint64_t generation)
{
    struct hl_id id = identity->claims.session;

    if (!identity->is_agent)
        return id;
    memcpy(id.b, identity->claims.participant.b + 8, 8);
    for (size_t i = 0; i < 8; i++)
        id.b[8 + i] = (uint8_t)(generation >> (8 * (7 - i)));
    return id;
}

/* ---- who may ---- */

static void close_arrival(struct hl_hub *hub, const struct hl_arrival *arrival,
                          enum hl_problem_code code, const char *detail)
{
    hl_hub_close_link(hub, arrival->link, code, detail);
}

/* The token's, or what hello says, or the hub's default. */
static struct hl_bytes find_site(const struct hl_hub *hub, const struct hl_arrival *arrival)
{
    if (arrival->identity.claims.site[0] != '\0')
        return hl_bytes_of(arrival->identity.claims.site);
    return arrival->site.size > 0 ? arrival->site : hl_bytes_of(hub->config.site);
}

static int ask_site(struct hl_hub *hub, struct hl_arrival *arrival)
{
    const struct hl_sites *sites = &hub->config.sites;
    struct hl_visit visit = {.site = find_site(hub, arrival),
                             .inbox_before = arrival->identity.claims.inbox,
                             .identity = arrival->verified,
                             .identity_hash = arrival->verified_hash,
                             .link = arrival->link,
                             .is_agent = arrival->identity.is_agent};

    if (arrival->identity.is_new)
        visit.inbox = arrival->inbox;
    if (sites->admit != NULL)
        return sites->admit(sites->arg, &visit, &arrival->inbox_id);
    if (!hl_bytes_is(visit.site, hub->config.site))
        return HL_VISIT_NO_SITE;
    if (visit.identity.size > 0)
        return HL_VISIT_NO_IDENTITY;
    return visit.inbox.size > 0 ? HL_VISIT_NO_INBOX : 0;
}

/* Whose conversation it is stays so: who signs in as somebody else begins a new one. */
static bool is_same_person(const struct hl_arrival *arrival)
{
    const char *before = arrival->identity.claims.identity;

    return arrival->verified.size == 0 || before[0] == '\0' ||
           hl_bytes_is(arrival->verified, before);
}

static bool admit_to_site(struct hl_hub *hub, struct hl_arrival *arrival)
{
    static const struct {
        enum hl_problem_code code;
        const char *detail;
    } faults[] = {
        [HL_VISIT_NO_SITE] = {HL_PROBLEM_UNKNOWN_SITE, "This gateway does not serve that site."},
        [HL_VISIT_NO_INBOX] = {HL_PROBLEM_UNKNOWN_INBOX, "The site has no inbox of that name."},
        [HL_VISIT_NO_ORIGIN] = {HL_PROBLEM_ORIGIN_FORBIDDEN,
                                "Add this origin to the origins of the site."},
        [HL_VISIT_NO_IDENTITY] = {HL_PROBLEM_IDENTITY_INVALID,
                                  "hash is HMAC-SHA256 of id under the site's identity secret."},
    };
    int r = ask_site(hub, arrival);

    if (r != 0)
        close_arrival(hub, arrival, faults[r].code, faults[r].detail);
    else if (!is_same_person(arrival))
        close_arrival(hub, arrival, HL_PROBLEM_TOKEN_INVALID,
                      "The token is another person's; start again without it.");
    else
        return true;
    return false;
}

static bool admit_arrival(struct hl_hub *hub, struct hl_arrival *arrival)
{
    if (hub->is_draining || hub->is_closing) {
        close_arrival(hub, arrival, HL_PROBLEM_DRAINING, "Connect again; another process serves.");
        return false;
    }
    if (hub->stats.sessions >= hub->config.limits.sessions_max) {
        close_arrival(hub, arrival, HL_PROBLEM_BUSY, "There are as many sessions as allowed.");
        return false;
    }
    return admit_to_site(hub, arrival);
}

/* Gives ids to who has none yet. */
static void name_newcomer(struct hl_hub *hub, struct hl_arrival *arrival,
                          struct hl_attach *out_attach)
{
    struct hl_claims *claims = &arrival->identity.claims;

    out_attach->proof = claims->generation;
    if (arrival->identity.is_agent) {
        out_attach->preset = hl_registry_new_generation(hub->config.registry);
        out_attach->proof = HL_PROOF_KEY;
    }
    if (arrival->identity.is_agent && arrival->generation != 0) {
        struct hl_id before = hl_identity_session(&arrival->identity, arrival->generation);
        hl_registry_end(hub->config.registry, &before);
    }
    if (arrival->identity.is_new) {
        claims->session = make_id(hub);
        claims->conversation = make_id(hub);
        claims->participant = make_id(hub);
    }
    out_attach->session = hl_identity_session(&arrival->identity, out_attach->preset);
}

/* Asks the registry. The generation, or 0 if the link was answered. */
static uint64_t ask_registry(struct hl_hub *hub, struct hl_arrival *arrival, struct hl_id *out_id)
{
    struct hl_attach attach = {.member = &hub->member,
                               .is_poll = arrival->link->kind == HL_LINK_POLL,
                               .is_explicit = arrival->is_explicit,
                               .generation = arrival->generation,
                               .rid = arrival->rid};
    uint64_t generation = 0;

    name_newcomer(hub, arrival, &attach);
    *out_id = attach.session;
    int r = hl_registry_attach(hub->config.registry, &attach, &generation);
    if (r == 0)
        return generation;
    if (r == HL_ATTACH_REPLACED)
        close_arrival(hub, arrival, HL_PROBLEM_REPLACED, "A newer attachment took over.");
    else if (r == HL_ATTACH_LATE)
        hl_poll_answer_late(arrival->link, arrival->rid, arrival->generation);
    else
        close_arrival(hub, arrival, HL_PROBLEM_BUSY, "Out of memory.");
    return 0;
}

/* ---- the session ---- */

/* What a newer attachment takes over from the older one on this hub. */
static void inherit(struct hl_session *session, const struct hl_session *old)
{
    if (session->expected_seq < old->expected_seq)
        session->expected_seq = old->expected_seq;
    if (session->stored_seq < old->stored_seq)
        session->stored_seq = old->stored_seq;
    session->pub_tokens = old->pub_tokens;
    session->pub_tokens_ms = old->pub_tokens_ms;
}

/* The same from another hub, as far as it was told when the link there had gone. */
static void take_pace(struct hl_session *session)
{
    struct hl_pace pace;

    if (!hl_registry_pace(session->hub->config.registry, &session->by_id.id, &pace))
        return;
    if (session->expected_seq < pace.seq)
        session->expected_seq = pace.seq;
    if (session->stored_seq < pace.seq - 1)
        session->stored_seq = pace.seq - 1;
    session->pub_tokens = pace.pub_tokens;
    if (session->pub_tokens_ms > pace.pub_tokens_ms)
        session->pub_tokens_ms = pace.pub_tokens_ms;
}

static int open_visitor(struct hl_session *session, const struct hl_arrival *arrival)
{
    const struct hl_claims *claims = &arrival->identity.claims;
    struct hl_start start = {.conversation = claims->conversation,
                             .is_new = arrival->identity.is_new};
    struct hl_subscription *subscription;
    struct hl_position position;

    for (size_t i = 0; i < hl_frame_n_positions(arrival->positions); i++) {
        position = hl_frame_position(arrival->positions, i);
        if (!hl_id_equal(&position.conversation, &claims->conversation))
            continue;
        start.position = &position;
        break;
    }
    return hl_subscription_create(session, &start, &subscription);
}

static int open_agent(struct hl_session *session, const struct hl_arrival *arrival)
{
    size_t n_positions = hl_frame_n_positions(arrival->positions);
    int r = 0;

    for (size_t i = 0; r == 0 && i < n_positions; i++) {
        struct hl_position position = hl_frame_position(arrival->positions, i);
        struct hl_start start = {.conversation = position.conversation, .position = &position};
        struct hl_subscription *subscription;
        if (session->n_subscriptions >= session->hub->config.limits.subscriptions_max)
            break;
        if (hl_subscription_find(session, &position.conversation) == NULL)
            r = hl_subscription_create(session, &start, &subscription);
    }
    return r;
}

static int bind_link(struct hl_session *session, const struct hl_arrival *arrival)
{
    if (arrival->link->kind == HL_LINK_POLL)
        return hl_session_bind_poll(session, arrival->link, arrival->rid, arrival->deadline_ms);
    hl_session_bind_stream(session, arrival->link);
    return 0;
}

/* The older struct of the same session on this hub, if any, ends here. */
static int create_session(struct hl_hub *hub, const struct hl_arrival *arrival,
                          const struct hl_session_birth *birth, struct hl_session **out_session)
{
    struct hl_session *old = hl_session_find(hub, &birth->id);
    struct hl_session before = {.hub = NULL};

    if (old != NULL) {
        before = *old; /* figures only */
        hl_session_fence(old, arrival->link->kind == HL_LINK_POLL);
    }
    int r = hl_session_create(hub, birth, out_session);
    if (r == 0)
        take_pace(*out_session);
    if (r == 0 && old != NULL)
        inherit(*out_session, &before);
    if (r == 0)
        r = bind_link(*out_session, arrival);
    return r;
}

/* What came with the hello waits for the welcome. */
static int defer_rest(struct hl_session *session, const struct hl_arrival *arrival)
{
    size_t n_frames = arrival->frames == NULL ? 0 : json_array_size(arrival->frames);

    if (n_frames <= arrival->n_taken)
        return 0;
    session->deferred = json_array();
    for (size_t i = arrival->n_taken; i < n_frames; i++) {
        if (json_array_append(session->deferred, json_array_get(arrival->frames, i)) != 0)
            return -ENOMEM;
    }
    return 0;
}

/* Starts to read where the session stands in its conversations. */
static int open_session(struct hl_session *session, const struct hl_arrival *arrival)
{
    session->n_opening++; /* keeps the welcome back until all are opened */
    int r =
        arrival->identity.is_agent ? open_agent(session, arrival) : open_visitor(session, arrival);
    session->n_opening--;
    return r;
}

void hl_attach(struct hl_hub *hub, struct hl_arrival *arrival)
{
    const struct hl_claims *claims = &arrival->identity.claims;
    struct hl_session *session = NULL;
    struct hl_session_birth birth = {.seq = arrival->seq,
                                     .may_write = arrival->identity.may_write,
                                     .key = arrival->identity.key,
                                     .scope = arrival->identity.scope};

    if (!admit_arrival(hub, arrival))
        return;
    birth.generation = ask_registry(hub, arrival, &birth.id);
    if (birth.generation == 0)
        return;
    birth.participant =
        (struct hl_author){.role = arrival->identity.role, .id = claims->participant};
    birth.site = find_site(hub, arrival);
    birth.inbox = arrival->inbox_id;
    birth.identity = arrival->verified.size > 0 ? arrival->verified : hl_bytes_of(claims->identity);
    int r = create_session(hub, arrival, &birth, &session);
    if (r == 0)
        r = defer_rest(session, arrival);
    if (r == 0)
        r = open_session(session, arrival);
    if (r != 0) {
        if (session != NULL)
            hl_session_end(session);
        hl_registry_forget(hub->config.registry, &birth.id, birth.generation);
        close_arrival(hub, arrival, HL_PROBLEM_BUSY, "Out of memory.");
        return;
    }
    if (session->n_opening == 0 && hl_attach_welcome(session))
        hl_attach_finish(session);
}

void hl_attach_stream(struct hl_hub *hub, struct hl_link *link, const struct hl_frame *hello,
                      const json_t *frames)
{
    struct hl_fault fault;
    struct hl_arrival arrival = {.site = hello->hello.site,
                                 .inbox = hello->hello.inbox,
                                 .verified = hello->hello.identity,
                                 .verified_hash = hello->hello.identity_hash,
                                 .positions = hello->hello.positions,
                                 .seq = hello->hello.seq,
                                 .link = link,
                                 .is_explicit = true,
                                 .frames = frames,
                                 .n_taken = 1};

    hl_list_remove(&link->member);
    hub->stats.links_waiting_hello--;
    if (hello->hello.version != HL_PROTOCOL_VERSION) {
        hl_hub_close_link(hub, link, HL_PROBLEM_VERSION_UNSUPPORTED, "This gateway speaks v 1.");
        return;
    }
    if (hl_identity_find(hub, hello->hello.token, &arrival.identity, &fault) != 0) {
        hl_hub_close_link(hub, link, fault.code, fault.detail);
        return;
    }
    hl_attach(hub, &arrival);
}

/* ---- the welcome ---- */

int hl_attach_token(struct hl_session *session, int64_t *out_expires_ms,
                    struct hl_buffer *out_token)
{
    struct hl_hub *hub = session->hub;
    struct hl_subscription *subscription = hl_subscription_first(session);
    struct hl_bytes site = hl_session_site(session);
    struct hl_bytes identity = hl_session_identity(session);
    struct hl_claims claims = {.session = session->by_id.id,
                               .participant = session->participant.id,
                               .inbox = session->inbox,
                               .generation = session->generation};

    HL_CHECK(hl_session_is_visitor(session) && subscription != NULL);
    claims.conversation = subscription->by_conversation.id;
    HL_CHECK(site.size < sizeof(claims.site) && identity.size < sizeof(claims.identity));
    memcpy(claims.site, site.data, site.size);
    if (identity.size > 0)
        memcpy(claims.identity, identity.data, identity.size);
    claims.expires_ms =
        hl_clock_wall_ms(hub->config.clock) + (int64_t)hub->config.limits.token_ttl_s * 1000;
    *out_expires_ms = claims.expires_ms;
    return hl_token_seal(hub->keys, hub->config.random, &claims, out_token);
}

static void append_conversations(struct hl_session *session, struct hl_buffer *out)
{
    struct hl_hub *hub = session->hub;
    bool is_first = true;

    for (struct hl_list *at = session->subscriptions.next; at != &session->subscriptions;
         at = at->next) {
        struct hl_subscription *subscription = HL_CONTAINER_OF(at, struct hl_subscription, member);
        struct hl_welcome_conversation conversation = {.id = subscription->by_conversation.id,
                                                       .verdict =
                                                           (enum hl_verdict)subscription->verdict,
                                                       .epoch = hub->epoch,
                                                       .head = subscription->head,
                                                       .floor = subscription->floor,
                                                       .reference = subscription->reference};
        hl_frame_text_welcome_conversation(out, is_first, &conversation);
        is_first = false;
        hub->stats.resumes += conversation.verdict == HL_VERDICT_RESUMED;
        hub->stats.gaps += conversation.verdict == HL_VERDICT_GAP;
        hub->stats.resets += conversation.verdict == HL_VERDICT_RESET;
    }
}

static int write_welcome(struct hl_session *session)
{
    struct hl_hub *hub = session->hub;
    const struct hl_hub_limits *limits = &hub->config.limits;
    struct hl_welcome welcome = {.session = session->by_id.id,
                                 .generation = session->generation,
                                 .participant = session->participant,
                                 .node = hub->config.node,
                                 .durability = hub->durability,
                                 .credit = session->credit,
                                 .ttl_ms = limits->session_ttl_ms,
                                 .ping_ms = limits->ping_ms,
                                 .body_max = limits->body_bytes_max,
                                 .seq = session->expected_seq};
    int64_t expires_ms;
    int r = 0;

    hl_buffer_clear(&hub->scratch);
    if (hl_session_is_visitor(session)) {
        r = hl_attach_token(session, &expires_ms, &hub->scratch);
        welcome.token = hl_buffer_bytes(&hub->scratch);
    }
    struct hl_buffer *out = hl_session_frame(session);
    hl_frame_text_welcome_begin(out, &welcome);
    append_conversations(session, out);
    hl_frame_text_welcome_end(out);
    return r;
}

bool hl_attach_welcome(struct hl_session *session)
{
    HL_CHECK(session->state == HL_SESSION_OPENING && session->n_opening == 0);
    if (write_welcome(session) != 0) {
        hl_session_bye(session, HL_PROBLEM_INTERNAL, "Out of memory.");
        return false;
    }
    hl_session_welcomed(session);
    hl_ephemeral_presence(session, true);
    return true;
}

void hl_attach_finish(struct hl_session *session)
{
    hl_subscription_pump_all(session);
    hl_receive_deferred(session);
    hl_session_flush(session);
}
