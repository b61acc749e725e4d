/* The two addresses a browser sees while it signs in, and the pages it may end on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/audit/memory.h"
#include "agent-api/reply.h"
#include "base/event.h"
#include "gateway/signin/cookie.h"
#include "gateway/signin/fetch.h"
#include "gateway/signin/member.h"
#include "gateway/signin/oidc.h"

enum { URL_BYTES_MAX = 4096, PAGE_BYTES_MAX = 4096 };

static const char home[] = "/console/";

enum outcome {
    OUTCOME_OVER,
    OUTCOME_REFUSED,
    OUTCOME_NO_EMAIL,
    OUTCOME_UNKNOWN,
    OUTCOME_OTHER,
    OUTCOME_DOWN,
    OUTCOME_TOO_FAST
};
static const struct {
    int status;
    const char *name;
    const char *title;
    const char *text;
} outcomes[] = {
    [OUTCOME_OVER] = {400, "over", "This sign-in is over",
                      "It took too long, was used before, or was begun in another browser."},
    [OUTCOME_REFUSED] = {403, "refused", "The sign-in was not completed",
                         "The identity provider did not confirm who you are."},
    [OUTCOME_NO_EMAIL] = {403, "no_email", "Your e-mail address is not confirmed",
                          "The identity provider does not vouch for an e-mail address of yours."},
    [OUTCOME_UNKNOWN] = {403, "unknown", "You are not an agent here",
                         "Ask an administrator to add your e-mail address to the agents."},
    [OUTCOME_OTHER] = {403, "other", "This e-mail address belongs to another account",
                       "An administrator can change the agent's address to link it anew."},
    [OUTCOME_DOWN] = {503, "down", "The identity provider cannot be reached",
                      "Nothing is wrong with your account. Try again in a moment."},
    [OUTCOME_TOO_FAST] = {429, "too_fast", "Too many failed sign-ins",
                          "Wait a minute, then try again."},
};

static const char *ticket_cookie(const struct hl_signin *signin)
{
    return signin->is_https ? "__Host-holdline_signin" : "holdline_signin";
}

static void set_ticket(const struct hl_signin *signin, struct hl_exchange *exchange,
                       struct hl_bytes value)
{
    struct hl_cookie cookie = {.name = ticket_cookie(signin),
                               .value = value,
                               .life_s = HL_TICKET_LIFE_S,
                               .is_secure = signin->is_https,
                               .comes_from_links = true}; /* the provider leads back here */
    hl_cookie_set(exchange, &cookie);
}

/* Whether it counts against the address. An answer that nobody waits for is no guess at anything,
 * and pages of others can make any browser send one. */
static bool is_failure(enum outcome outcome)
{
    return outcome != OUTCOME_OVER && outcome != OUTCOME_DOWN && outcome != OUTCOME_TOO_FAST;
}

/* What went wrong stands in the log; the page tells the agent what to do. */
static void answer_page(const struct hl_signin *signin, struct hl_exchange *exchange,
                        enum outcome outcome, const char *why)
{
    struct hl_buffer page;
    hl_event(HL_EVENT_WARN, "signin.refused", HL_TEXT("outcome", outcomes[outcome].name),
             HL_TEXT("why", why), HL_TEXT("request_id", exchange->request_id));
    if (is_failure(outcome)) {
        hl_attempts_fail(signin->shared->attempts, exchange->address,
                         hl_clock_mono_ms(signin->clock));
        hl_audit_memory_note_refusal(signin->api, exchange);
    }
    hl_buffer_init(&page, PAGE_BYTES_MAX);
    hl_buffer_printf(&page,
                     "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n"
                     "<main>\n<h1>%s</h1>\n<p>%s</p>\n"
                     "<p><a href=\"/v1/session/oidc\">Sign in again</a></p>\n"
                     "<p><small>For support: %s</small></p>\n</main>\n</html>\n",
                     outcomes[outcome].title, outcomes[outcome].title, outcomes[outcome].text,
                     exchange->request_id);
    if (outcome == OUTCOME_DOWN || outcome == OUTCOME_TOO_FAST)
        hl_reply_add_text(exchange, "retry-after", "10");
    hl_reply_add_text(exchange, "content-security-policy",
                      "default-src 'none'; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'");
    hl_reply_add_text(exchange, "referrer-policy", "no-referrer");
    exchange->ops->answer(exchange, outcomes[outcome].status, "text/html; charset=utf-8",
                          hl_buffer_bytes(&page));
    hl_buffer_fini(&page);
}

static void redirect(struct hl_exchange *exchange, struct hl_bytes url)
{
    exchange->ops->header(exchange, "location", url);
    hl_reply_add_text(exchange, "referrer-policy", "no-referrer");
    exchange->ops->answer(exchange, 302, NULL, (struct hl_bytes){0});
}

static enum outcome outcome_of(int r)
{
    switch (r) {
    case HL_PROVIDER_REFUSED:
        return OUTCOME_REFUSED;
    case HL_PROVIDER_NO_EMAIL:
        return OUTCOME_NO_EMAIL;
    default:
        return OUTCOME_DOWN;
    }
}

/* One request under way: asks the provider, then perhaps changes the directory. */
struct visit {
    struct hl_pending pending; /* first */
    const struct hl_signin *signin;
    struct hl_oidc_job job;
    struct hl_id agent;
    bool is_new;
    struct hl_directory_change change;
    struct hl_buffer document;
    struct hl_directory_audit audit;
    struct hl_buffer audit_body;
};

static void end_visit(struct visit *visit)
{
    hl_pending_end(&visit->pending);
    hl_buffer_fini(&visit->document);
    hl_buffer_fini(&visit->audit_body);
    explicit_bzero(&visit->job, sizeof(visit->job));
    free(visit);
}

/* NULL: answered. */
static struct visit *begin_visit(struct hl_signin *signin, struct hl_exchange *exchange)
{
    struct visit *visit = calloc(1, sizeof(*visit));
    if (visit == NULL) {
        answer_page(signin, exchange, OUTCOME_DOWN, "out of memory");
        return NULL;
    }
    visit->signin = signin;
    visit->job.loop = signin->loop;
    return visit;
}

static void ask_provider(struct hl_signin *signin, struct hl_exchange *exchange,
                         struct visit *visit)
{
    hl_pending_begin(&visit->pending, &signin->pending, exchange);
    if (hl_oidc_ask(signin->oidc, &visit->job) == 0)
        return;
    answer_page(signin, hl_pending_take(&visit->pending), OUTCOME_DOWN, "too many are signing in");
    end_visit(visit);
}

/* False: answered. */
static bool may_sign_in(const struct hl_signin *signin, struct hl_exchange *exchange)
{
    if (signin->oidc == NULL) {
        hl_exchange_problem(exchange, HL_PROBLEM_NOT_FOUND,
                            "No identity provider is set up here (oidc_issuer).");
        return false;
    }
    if (hl_attempts_wait_ms(signin->shared->attempts, exchange->address,
                            hl_clock_mono_ms(signin->clock)) == 0)
        return true;
    answer_page(signin, exchange, OUTCOME_TOO_FAST, "the address failed too often");
    return false;
}

/* -- to the provider -- */

static void append_parameter(struct hl_buffer *url, const char *name, const char *value)
{
    hl_buffer_append_text(url, "&");
    hl_buffer_append_text(url, name);
    hl_buffer_append_text(url, "=");
    hl_fetch_append_escaped(url, hl_bytes_of(value));
}

static void append_url(struct hl_buffer *url, const struct hl_oidc_job *job)
{
    const struct hl_oidc_config *config = hl_oidc_config(job->oidc);
    char state[HL_ID_TEXT_SIZE];
    char challenge[HL_TICKET_CHALLENGE_SIZE];
    hl_id_format(&job->ticket.state, HL_TICKET_STATE_PREFIX, state);
    hl_ticket_challenge(&job->ticket, challenge);
    hl_buffer_append_text(url, job->authorize);
    hl_buffer_append_text(url, strchr(job->authorize, '?') != NULL ? "&" : "?");
    hl_buffer_append_text(url, "response_type=code");
    append_parameter(url, "client_id", config->client);
    append_parameter(url, "redirect_uri", config->redirect);
    append_parameter(url, "scope", config->scopes);
    append_parameter(url, "state", state);
    append_parameter(url, "nonce", job->ticket.nonce);
    append_parameter(url, "code_challenge", challenge);
    append_parameter(url, "code_challenge_method", "S256");
}

static void send_away(const struct hl_signin *signin, struct hl_exchange *exchange,
                      const struct hl_oidc_job *job)
{
    struct hl_buffer url;
    struct hl_buffer ticket;
    hl_buffer_init(&url, URL_BYTES_MAX);
    hl_buffer_init(&ticket, HL_TICKET_TEXT_SIZE_MAX);
    append_url(&url, job);
    int r = hl_ticket_seal(signin->keys, signin->random, &job->ticket, &ticket);
    if (r != 0 || hl_buffer_failed(&url)) {
        answer_page(signin, exchange, OUTCOME_DOWN, "out of memory");
    } else {
        set_ticket(signin, exchange, hl_buffer_bytes(&ticket));
        redirect(exchange, hl_buffer_bytes(&url));
    }
    hl_buffer_fini(&ticket);
    hl_buffer_fini(&url);
}

static void take_address(struct hl_oidc_job *job, int r)
{
    struct visit *visit = HL_CONTAINER_OF(job, struct visit, job);
    struct hl_exchange *exchange = hl_pending_take(&visit->pending);
    if (exchange != NULL && r != 0)
        answer_page(visit->signin, exchange, outcome_of(r), job->why);
    else if (exchange != NULL)
        send_away(visit->signin, exchange, job);
    end_visit(visit);
}

void hl_oidc_start(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_signin *signin = arg;
    char back_to[HL_TICKET_RETURN_SIZE];
    (void)params;
    if (!may_sign_in(signin, exchange))
        return;
    int r = hl_exchange_query(exchange, "return", back_to, sizeof(back_to));
    if (r == HL_QUERY_ABSENT)
        memcpy(back_to, home, sizeof(home));
    if (r == HL_QUERY_INVALID || !hl_ticket_is_path(back_to)) {
        hl_reply_invalid(exchange, "/return", "return must be a path of this gateway.");
        return;
    }
    struct visit *visit = begin_visit(signin, exchange);
    if (visit == NULL)
        return;
    hl_ticket_make(signin->random, hl_clock_wall_ms(signin->clock), back_to, &visit->job.ticket);
    visit->job.done = take_address;
    ask_provider(signin, exchange, visit);
}

/* -- and back -- */

static void let_in(struct visit *visit, struct hl_exchange *exchange)
{
    static const struct hl_id no_key;
    const struct hl_signin *signin = visit->signin;
    char id[HL_ID_TEXT_SIZE];
    if (hl_signin_give(signin, exchange, &visit->agent, &no_key) != 0) {
        answer_page(signin, exchange, OUTCOME_DOWN, "out of memory");
        return;
    }
    hl_id_format(&visit->agent, HL_ID_AGENT, id);
    hl_event(HL_EVENT_INFO, "signin.completed", HL_TEXT("agent", id),
             HL_TEXT("request_id", exchange->request_id));
    hl_signin_record(signin, exchange, &visit->agent, "sign_in.completed", "{\"method\":\"oidc\"}");
    redirect(exchange, hl_bytes_of(visit->job.ticket.back_to));
}

/* Without its link an agent gets in all the same; the next sign-in makes it. */
static void take_change(struct hl_directory_change *change, int r)
{
    struct visit *visit = HL_CONTAINER_OF(change, struct visit, change);
    struct hl_exchange *exchange = hl_pending_take(&visit->pending);
    if (exchange != NULL && r != 0 && visit->is_new)
        answer_page(visit->signin, exchange, OUTCOME_DOWN, "the agent could not be stored");
    else if (exchange != NULL)
        let_in(visit, exchange);
    end_visit(visit);
}

/* True: take_change comes. */
static bool submit_change(struct visit *visit, struct hl_exchange *exchange)
{
    const struct hl_signin *signin = visit->signin;
    struct hl_principal who = {0};
    (void)hl_directory_find_agent(signin->directory, &visit->agent, &who); /* a new one: of none */
    const struct hl_audit_event event = {.action = visit->is_new ? "agent.created" : "agent.linked",
                                         .object = visit->change.id,
                                         .site = who.site,
                                         .details = hl_bytes_of("{\"by\":\"oidc\"}")};
    visit->change.loop = signin->loop;
    visit->change.done = take_change;
    visit->change.now_ms = hl_clock_wall_ms(signin->clock);
    visit->change.audit = &visit->audit;
    hl_audit_fill(signin->api, exchange, NULL, &event, &visit->audit, &visit->audit_body);
    if (hl_buffer_failed(&visit->audit_body))
        return false;
    hl_pending_resume(&visit->pending, exchange);
    if (hl_directory_submit(signin->directory, &visit->change) == 0)
        return true;
    (void)hl_pending_take(&visit->pending);
    return false;
}

static bool begin_link(struct visit *visit, struct hl_exchange *exchange,
                       const struct hl_directory_snapshot *snapshot, const struct hl_member *member)
{
    const struct hl_oidc_config *config = hl_oidc_config(visit->job.oidc);
    return hl_member_fill_link(snapshot, config->issuer, &visit->job.person, member, &visit->change,
                               &visit->document) == 0 &&
           submit_change(visit, exchange);
}

static bool begin_new(struct visit *visit, struct hl_exchange *exchange)
{
    const struct hl_oidc_config *config = hl_oidc_config(visit->job.oidc);
    uint8_t random[10];
    hl_random_fill(visit->signin->random, random, sizeof(random));
    visit->agent = hl_id_v7(hl_clock_wall_ms(visit->signin->clock), random);
    visit->is_new = true;
    return hl_member_fill_new(config->issuer, &visit->job.person, config->auto_role, &visit->agent,
                              &visit->change, &visit->document) == 0 &&
           submit_change(visit, exchange);
}

/* True: it goes on when the directory has been changed; the exchange is not ours until then. */
static bool receive_person(struct visit *visit, struct hl_exchange *exchange)
{
    const struct hl_oidc_config *config = hl_oidc_config(visit->job.oidc);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(visit->signin->directory);
    struct hl_member member;
    bool is_waiting = false;
    int r = hl_member_find(snapshot, config->issuer, &visit->job.person, &member);
    if (r == HL_MEMBER_UNKNOWN && config->auto_role != 0) {
        is_waiting = begin_new(visit, exchange);
        if (!is_waiting)
            answer_page(visit->signin, exchange, OUTCOME_DOWN, "the agent could not be stored");
    } else if (r != 0) {
        answer_page(visit->signin, exchange, r == HL_MEMBER_OTHER ? OUTCOME_OTHER : OUTCOME_UNKNOWN,
                    "the directory has no such agent");
    } else {
        visit->agent = member.agent;
        is_waiting = !member.is_linked && begin_link(visit, exchange, snapshot, &member);
        if (!is_waiting)
            let_in(visit, exchange);
    }
    hl_directory_snapshot_unref(snapshot);
    return is_waiting;
}

static void take_person(struct hl_oidc_job *job, int r)
{
    struct visit *visit = HL_CONTAINER_OF(job, struct visit, job);
    struct hl_exchange *exchange = hl_pending_take(&visit->pending);
    bool is_waiting = false;
    if (exchange != NULL && r != 0)
        answer_page(visit->signin, exchange, outcome_of(r), job->why);
    else if (exchange != NULL)
        is_waiting = receive_person(visit, exchange);
    if (!is_waiting)
        end_visit(visit);
}

/* The ticket of this browser, if the answer is the one it waits for, and for the first time. */
static bool take_ticket(const struct hl_signin *signin, const struct hl_exchange *exchange,
                        struct hl_ticket *out_ticket, const char **out_why)
{
    char state[HL_ID_TEXT_SIZE];
    struct hl_id wanted;
    int64_t now_ms = hl_clock_wall_ms(signin->clock);
    struct hl_bytes text =
        hl_cookie_find(exchange->headers[HL_HEADER_COOKIE], ticket_cookie(signin));
    *out_why = "the browser has no ticket";
    if (text.size == 0)
        return false;
    *out_why = "the ticket is not good, or has expired";
    if (hl_ticket_open(signin->keys, now_ms, text, out_ticket) != 0)
        return false;
    *out_why = "state is another sign-in's";
    if (hl_exchange_query(exchange, "state", state, sizeof(state)) != 0 ||
        hl_id_parse(hl_bytes_of(state), HL_TICKET_STATE_PREFIX, &wanted) != 0 ||
        !hl_id_equal(&wanted, &out_ticket->state))
        return false;
    *out_why = "this sign-in was answered before";
    return hl_spent_add(signin->shared->spent, &wanted, out_ticket->ends_ms, now_ms);
}

/* NULL: the provider's answer may be looked at (RFC 6749 section 4.1.2, RFC 9207). */
static const char *find_answer_fault(const struct hl_signin *signin,
                                     const struct hl_exchange *exchange, char *code,
                                     size_t code_size)
{
    char issuer[HL_PROVIDER_URL_SIZE];
    char error[128];
    int r = hl_exchange_query(exchange, "iss", issuer, sizeof(issuer));
    if (r == HL_QUERY_INVALID ||
        (r == 0 && strcmp(issuer, hl_oidc_config(signin->oidc)->issuer) != 0))
        return "iss: the answer is another provider's";
    if (hl_exchange_query(exchange, "error", error, sizeof(error)) != HL_QUERY_ABSENT)
        return "the provider answered with an error";
    if (hl_exchange_query(exchange, "code", code, code_size) != 0 || code[0] == '\0')
        return "the answer holds no code";
    return NULL;
}

void hl_oidc_return(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_signin *signin = arg;
    const char *why = NULL;
    (void)params;
    if (!may_sign_in(signin, exchange))
        return;
    struct visit *visit = begin_visit(signin, exchange);
    if (visit == NULL)
        return;
    visit->job.done = take_person;
    bool is_ours = take_ticket(signin, exchange, &visit->job.ticket, &why);
    set_ticket(signin, exchange, (struct hl_bytes){0}); /* used up, or of no use */
    if (is_ours)
        why = find_answer_fault(signin, exchange, visit->job.code, sizeof(visit->job.code));
    if (is_ours && why == NULL) {
        ask_provider(signin, exchange, visit);
        return;
    }
    answer_page(signin, exchange, is_ours ? OUTCOME_REFUSED : OUTCOME_OVER, why);
    explicit_bzero(&visit->job, sizeof(visit->job));
    free(visit);
}
