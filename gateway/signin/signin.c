#include "gateway/signin/signin.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent-api/audit.h"
#include "agent-api/audit/memory.h"
#include "agent-api/reply.h"
#include "base/result.h"
#include "gateway/origin.h"
#include "gateway/signin/cookie.h"

static int64_t now_ms(const struct hl_signin *signin)
{
    return hl_clock_wall_ms(signin->clock);
}

/* __Host- is kept by browsers only for this host, all paths, https. */
static const char *cookie_name(const struct hl_signin *signin)
{
    return signin->is_https ? "__Host-holdline_session" : "holdline_session";
}

int hl_signin_shared_create(struct hl_signin_shared *out_shared)
{
    int r = hl_spent_create(&out_shared->spent);
    return r == 0 ? hl_attempts_create(&out_shared->attempts) : r;
}

void hl_signin_shared_destroy(struct hl_signin_shared *shared)
{
    hl_spent_destroy(shared->spent);
    hl_attempts_destroy(shared->attempts);
}

int hl_signin_read_secret(const char *path, char out_secret[HL_SIGNIN_SECRET_SIZE], char *why,
                          size_t why_size)
{
    int r = 0;
    out_secret[0] = '\0';
    if (path[0] == '\0')
        return 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        r = -errno;
    else if (fgets(out_secret, HL_SIGNIN_SECRET_SIZE, file) == NULL)
        r = -EINVAL;
    if (file != NULL)
        (void)fclose(file);
    out_secret[strcspn(out_secret, "\r\n")] = '\0';
    if (r == 0 && out_secret[0] == '\0')
        r = -EINVAL;
    if (r != 0)
        snprintf(why, why_size, "oidc_client_secret_file %s: %s", path,
                 r == -EINVAL ? "holds no secret" : strerror(-r));
    return r;
}

bool hl_signin_is_own(const struct hl_signin *signin, const struct hl_exchange *exchange,
                      bool is_strict)
{
    struct hl_bytes origin = exchange->headers[HL_HEADER_ORIGIN];
    struct hl_bytes fetch = exchange->headers[HL_HEADER_SEC_FETCH_SITE];
    size_t url_size = strlen(signin->public_url);
    if (origin.size > 0)
        return hl_origin_is_allowed(NULL, 0, origin, exchange->headers[HL_HEADER_HOST]) ||
               (origin.size == url_size &&
                strncasecmp(origin.data, signin->public_url, url_size) == 0);
    if (fetch.size > 0)
        return hl_bytes_is(fetch, "same-origin") || (!is_strict && hl_bytes_is(fetch, "none"));
    return !is_strict;
}

/* -- the pass -- */

static int send_pass(const struct hl_signin *signin, struct hl_exchange *exchange,
                     const struct hl_pass *pass)
{
    struct hl_buffer text;
    hl_buffer_init(&text, HL_PASS_TEXT_SIZE_MAX);
    int r = hl_pass_seal(signin->keys, signin->random, pass, &text);
    if (r == 0) {
        struct hl_cookie cookie = {.name = cookie_name(signin),
                                   .value = hl_buffer_bytes(&text),
                                   .life_s = HL_PASS_LIFE_S,
                                   .is_secure = signin->is_https};
        hl_cookie_set(exchange, &cookie);
    }
    hl_buffer_fini(&text);
    return r;
}

int hl_signin_give(const struct hl_signin *signin, struct hl_exchange *exchange,
                   const struct hl_id *agent, const struct hl_id *key)
{
    uint8_t random[10];
    int64_t now = now_ms(signin);
    hl_random_fill(signin->random, random, sizeof(random));
    struct hl_pass pass = {.session = hl_id_v7(now, random),
                           .agent = *agent,
                           .key = *key,
                           .began_ms = now,
                           .sealed_ms = now};
    return send_pass(signin, exchange, &pass);
}

static bool read_pass(const struct hl_signin *signin, const struct hl_exchange *exchange,
                      struct hl_pass *out_pass)
{
    struct hl_bytes text = hl_cookie_find(exchange->headers[HL_HEADER_COOKIE], cookie_name(signin));
    return text.size > 0 && hl_pass_open(signin->keys, now_ms(signin), text, out_pass) == 0 &&
           !hl_spent_has(signin->shared->spent, &out_pass->session);
}

static void renew_pass(const struct hl_signin *signin, struct hl_exchange *exchange,
                       struct hl_pass *pass)
{
    int64_t now = now_ms(signin);
    if (now < pass->sealed_ms + (int64_t)HL_PASS_RENEW_S * 1000)
        return;
    pass->sealed_ms = now;
    (void)send_pass(signin, exchange, pass); /* without it the one before is still good */
}

int hl_signin_find(void *arg, struct hl_exchange *exchange, struct hl_principal *out_who)
{
    const struct hl_signin *signin = arg;
    struct hl_pass pass;
    bool is_read = exchange->method == HL_GET || exchange->method == HL_HEAD;
    if (!read_pass(signin, exchange, &pass))
        return HL_PASSES_NONE;
    *out_who = (struct hl_principal){.id = pass.agent, .key = pass.key};
    if (hl_directory_renew(signin->directory, out_who) != 0)
        return HL_PASSES_NONE;
    if (!hl_signin_is_own(signin, exchange, !is_read))
        return HL_PASSES_FORBIDDEN;
    renew_pass(signin, exchange, &pass);
    return 0;
}

void hl_signin_record(const struct hl_signin *signin, const struct hl_exchange *exchange,
                      const struct hl_id *agent, const char *action, const char *details)
{
    struct hl_principal who;
    if (hl_directory_find_agent(signin->directory, agent, &who) != 0)
        return;
    struct hl_audit_event event = {
        .action = action, .site = who.site, .details = hl_bytes_of(details)};
    hl_audit_note(signin->api, exchange, &who, &event);
}

/* -- the routes -- */

static bool may_try(const struct hl_signin *signin, struct hl_exchange *exchange)
{
    struct hl_problem problem = {.code = HL_PROBLEM_TOO_FAST,
                                 .detail = hl_bytes_of("Too many failed sign-ins; wait.")};
    problem.retry_ms = hl_attempts_wait_ms(signin->shared->attempts, exchange->address,
                                           hl_clock_mono_ms(signin->clock));
    if (problem.retry_ms == 0)
        return true;
    hl_exchange_problem_with(exchange, &problem);
    return false;
}

static void refuse_key(const struct hl_signin *signin, struct hl_exchange *exchange)
{
    hl_attempts_fail(signin->shared->attempts, exchange->address, hl_clock_mono_ms(signin->clock));
    hl_audit_memory_note_refusal(signin->api, exchange);
    hl_exchange_problem(exchange, HL_PROBLEM_UNAUTHORIZED, "There is no such active API key.");
}

static void answer_signed_in(const struct hl_signin *signin, struct hl_exchange *exchange,
                             const struct hl_principal *who)
{
    hl_signin_record(signin, exchange, &who->id, "sign_in.completed", "{\"method\":\"key\"}");
    hl_api_answer_agent(signin->api, exchange, who);
}

void hl_signin_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    const struct hl_signin *signin = arg;
    struct hl_principal who;
    json_t *body = NULL;
    (void)params;
    if (!hl_signin_is_own(signin, exchange, false)) {
        hl_exchange_problem(exchange, HL_PROBLEM_ORIGIN_FORBIDDEN,
                            "Sign in from a page of this gateway.");
        return;
    }
    if (!may_try(signin, exchange) || !hl_reply_read_object(exchange, &body))
        return;
    const json_t *key = json_object_get(body, "key");
    struct hl_bytes secret = {json_string_value(key), json_string_length(key)};
    if (!json_is_string(key))
        hl_reply_invalid(exchange, "/key", "key must be an API key: hlk_…");
    else if (hl_directory_find_secret(signin->directory, secret, &who) != 0)
        refuse_key(signin, exchange);
    else if (hl_signin_give(signin, exchange, &who.id, &who.key) != 0)
        hl_exchange_problem(exchange, HL_PROBLEM_BUSY, "Out of memory; repeat it later.");
    else
        answer_signed_in(signin, exchange, &who);
    json_decref(body);
}

void hl_signin_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    const struct hl_signin *signin = arg;
    struct hl_principal who;
    (void)params;
    if (hl_api_authenticate(signin->api, exchange, &who))
        hl_api_answer_agent(signin->api, exchange, &who);
}

void hl_signin_delete(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    const struct hl_signin *signin = arg;
    struct hl_pass pass;
    struct hl_cookie cookie = {.name = cookie_name(signin), .is_secure = signin->is_https};
    (void)params;
    if (read_pass(signin, exchange, &pass)) {
        if (!hl_signin_is_own(signin, exchange, true)) {
            hl_exchange_problem(exchange, HL_PROBLEM_ORIGIN_FORBIDDEN,
                                "Sign out from a page of this gateway.");
            return;
        }
        (void)hl_spent_add(signin->shared->spent, &pass.session,
                           pass.began_ms + (int64_t)HL_PASS_LONGEST_S * 1000, now_ms(signin));
        hl_signin_record(signin, exchange, &pass.agent, "sign_in.ended", "{}");
    }
    hl_cookie_set(exchange, &cookie);
    exchange->ops->answer(exchange, 204, NULL, (struct hl_bytes){0});
}
