#include "gateway/signin/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/result.h"
#include "gateway/signin/fetch.h"
#include "gateway/signin/id_token.h"
#include "gateway/signin/jose.h"

enum { FORM_SIZE_MAX = 16384, WHY_SIZE = 160 };

struct hl_provider {
    struct hl_provider_config config;
    bool is_known;
    bool takes_form_secret; /* client_secret_post and not client_secret_basic */
    int64_t found_ms;
    char authorize[HL_PROVIDER_URL_SIZE];
    char token[HL_PROVIDER_URL_SIZE];
    char keys_at[HL_PROVIDER_URL_SIZE];
    struct hl_jose_keys *keys; /* NULL: not asked for yet */
    int64_t again_ms;  /* when they were asked for because of a key that was not known; 0: never */
    int64_t failed_ms; /* the document: when it could not be had; 0: it could */
};

static int64_t now_ms(const struct hl_provider *provider)
{
    return (int64_t)hl_clock_mono_ms(provider->config.clock) + 1; /* 0 means never */
}

int hl_provider_create(const struct hl_provider_config *config, struct hl_provider **out_provider)
{
    struct hl_provider *provider = calloc(1, sizeof(*provider));
    if (provider == NULL)
        return -ENOMEM;
    provider->config = *config;
    *out_provider = provider;
    return 0;
}

void hl_provider_destroy(struct hl_provider *provider)
{
    if (provider != NULL)
        hl_jose_keys_free(provider->keys);
    free(provider);
}

/* -- what it says about itself -- */

static bool copy_address(const json_t *document, const char *name, char out_url[])
{
    const json_t *value = json_object_get(document, name);
    if (!json_is_string(value) || json_string_length(value) >= HL_PROVIDER_URL_SIZE ||
        !hl_fetch_is_allowed(json_string_value(value)))
        return false;
    memcpy(out_url, json_string_value(value), json_string_length(value) + 1);
    return true;
}

static bool has_text(const json_t *list, const char *wanted)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text != NULL && strcmp(text, wanted) == 0)
            return true;
    }
    return false;
}

static int take_document(struct hl_provider *provider, const json_t *document, char *why)
{
    const char *issuer = json_string_value(json_object_get(document, "issuer"));
    const json_t *methods = json_object_get(document, "token_endpoint_auth_methods_supported");
    if (issuer == NULL || strcmp(issuer, provider->config.issuer) != 0) {
        (void)snprintf(why, WHY_SIZE, "its document names another issuer: %.80s",
                       issuer != NULL ? issuer : "none");
        return HL_PROVIDER_DOWN;
    }
    if (!copy_address(document, "authorization_endpoint", provider->authorize) ||
        !copy_address(document, "token_endpoint", provider->token) ||
        !copy_address(document, "jwks_uri", provider->keys_at)) {
        (void)snprintf(why, WHY_SIZE, "its document lacks an address, or one is not https");
        return HL_PROVIDER_DOWN;
    }
    provider->takes_form_secret =
        has_text(methods, "client_secret_post") && !has_text(methods, "client_secret_basic");
    provider->is_known = true;
    provider->found_ms = now_ms(provider);
    return 0;
}

/* GET of a JSON object. The caller's json_decref. */
static int get_object(struct hl_provider *provider, const char *url, json_t **out_object, char *why)
{
    struct hl_fetch fetch = {.url = url, .is_ending = provider->config.is_ending};
    int r = hl_fetch_run(&fetch);
    if (r == 0 && fetch.status != 200)
        (void)snprintf(fetch.why, sizeof(fetch.why), "it answered %ld", fetch.status);
    if (r == 0)
        r = fetch.status == 200 ? hl_json_parse(hl_buffer_bytes(&fetch.body), fetch.why,
                                                sizeof(fetch.why), out_object)
                                : HL_PROVIDER_DOWN;
    if (r != 0)
        (void)snprintf(why, WHY_SIZE, "%.100s: %.50s", url, fetch.why);
    hl_buffer_fini(&fetch.body);
    return r > 0 ? HL_PROVIDER_DOWN : r;
}

static int discover(struct hl_provider *provider, char *why)
{
    char url[HL_PROVIDER_URL_SIZE];
    json_t *document = NULL;
    size_t size = strlen(provider->config.issuer);
    bool has_slash = size > 0 && provider->config.issuer[size - 1] == '/';
    int n = snprintf(url, sizeof(url), "%s%s.well-known/openid-configuration",
                     provider->config.issuer, has_slash ? "" : "/");
    if (n < 0 || (size_t)n >= sizeof(url))
        return HL_PROVIDER_DOWN;
    int r = get_object(provider, url, &document, why);
    if (r == 0) {
        r = take_document(provider, document, why);
        json_decref(document);
    }
    provider->failed_ms = r != 0 ? now_ms(provider) : 0;
    return r;
}

/* What is known stays good when the provider cannot be asked again. */
static int know(struct hl_provider *provider, char *why)
{
    int64_t now = now_ms(provider);
    bool is_fresh = provider->is_known && now < provider->found_ms + HL_PROVIDER_KEEPS_MS;
    bool failed_just_now =
        provider->failed_ms != 0 && now < provider->failed_ms + HL_PROVIDER_RETRY_MS;
    if (is_fresh)
        return 0;
    if (failed_just_now) {
        (void)snprintf(why, WHY_SIZE, "it could not be reached a moment ago");
        return provider->is_known ? 0 : HL_PROVIDER_DOWN;
    }
    int r = discover(provider, why);
    return provider->is_known ? 0 : r;
}

int hl_provider_authorize_at(struct hl_provider *provider, char out_url[HL_PROVIDER_URL_SIZE],
                             char why[160])
{
    int r = know(provider, why);
    if (r == 0)
        memcpy(out_url, provider->authorize, sizeof(provider->authorize));
    return r;
}

/* -- keys -- */

static int fetch_keys(struct hl_provider *provider, char *why)
{
    struct hl_jose_keys *keys = NULL;
    struct hl_fetch fetch = {.url = provider->keys_at, .is_ending = provider->config.is_ending};
    int r = hl_fetch_run(&fetch);
    if (r == 0 && fetch.status == 200)
        r = hl_jose_keys_parse(hl_buffer_bytes(&fetch.body), &keys);
    else if (r == 0)
        r = HL_PROVIDER_DOWN;
    if (r == 0) {
        hl_jose_keys_free(provider->keys);
        provider->keys = keys;
    } else {
        (void)snprintf(why, WHY_SIZE, "its keys: %.100s (status %ld)",
                       fetch.why[0] != '\0' ? fetch.why : "no key set", fetch.status);
    }
    hl_buffer_fini(&fetch.body);
    return r > 0 ? HL_PROVIDER_DOWN : r;
}

/* A key that is not known may be a new one. To ask at most once a minute keeps strangers from
 * making us ask. */
static bool may_ask_again(const struct hl_provider *provider)
{
    return provider->again_ms == 0 ||
           now_ms(provider) >= provider->again_ms + HL_PROVIDER_KEYS_EVERY_MS;
}

static int verify(struct hl_provider *provider, struct hl_bytes token, json_t **out_claims,
                  char *why)
{
    bool has_keys = provider->keys != NULL;
    int asked = has_keys ? 0 : fetch_keys(provider, why);
    if (asked != 0)
        return asked;
    int r = hl_jose_verify(provider->keys, token, out_claims);
    if (r == HL_JOSE_NO_KEY && has_keys && may_ask_again(provider)) {
        provider->again_ms = now_ms(provider);
        asked = fetch_keys(provider, why);
        if (asked != 0)
            return asked;
        r = hl_jose_verify(provider->keys, token, out_claims);
    }
    if (r <= 0)
        return r;
    static const char *const faults[] = {
        [HL_JOSE_INVALID] = "it is no signed token",
        [HL_JOSE_ALGORITHM] = "its algorithm is not RS256 or ES256",
        [HL_JOSE_NO_KEY] = "the provider publishes no key for it",
        [HL_JOSE_SIGNATURE] = "its signature is wrong",
    };
    (void)snprintf(why, WHY_SIZE, "ID token: %s", faults[r]);
    return HL_PROVIDER_REFUSED;
}

/* -- a code -- */

static void append_field(struct hl_buffer *form, const char *name, const char *value)
{
    hl_buffer_append_text(form, form->size > 0 ? "&" : "");
    hl_buffer_append_text(form, name);
    hl_buffer_append_text(form, "=");
    hl_fetch_append_escaped(form, hl_bytes_of(value));
}

/* RFC 6749 section 2.3.1: user and password of Basic are form-encoded first. */
static bool escape_text(const char *text, char *out, size_t out_size)
{
    struct hl_buffer escaped;
    hl_buffer_init(&escaped, out_size - 1);
    hl_fetch_append_escaped(&escaped, hl_bytes_of(text));
    bool is_good = !hl_buffer_failed(&escaped);
    if (is_good && escaped.size > 0)
        memcpy(out, escaped.data, escaped.size);
    out[is_good ? escaped.size : 0] = '\0';
    hl_buffer_fini(&escaped);
    return is_good;
}

static bool make_form(const struct hl_provider *provider, const char *code, const char *verifier,
                      bool has_basic, struct hl_buffer *form)
{
    append_field(form, "grant_type", "authorization_code");
    append_field(form, "code", code);
    append_field(form, "redirect_uri", provider->config.redirect);
    append_field(form, "code_verifier", verifier);
    if (!has_basic)
        append_field(form, "client_id", provider->config.client);
    if (!has_basic && provider->config.secret[0] != '\0')
        append_field(form, "client_secret", provider->config.secret);
    hl_buffer_append(form, "", 1);
    return !hl_buffer_failed(form);
}

/* The token endpoint's answer as an object; json_decref. */
static int ask_token(struct hl_provider *provider, const char *code, const char *verifier,
                     json_t **out_answer, char *why)
{
    char user[HL_PROVIDER_URL_SIZE];
    char password[HL_PROVIDER_URL_SIZE];
    struct hl_buffer form;
    struct hl_fetch fetch = {.url = provider->token, .is_ending = provider->config.is_ending};
    bool has_basic = provider->config.secret[0] != '\0' && !provider->takes_form_secret;
    hl_buffer_init(&form, FORM_SIZE_MAX);
    int r = -ENOMEM;
    if (make_form(provider, code, verifier, has_basic, &form) &&
        escape_text(provider->config.client, user, sizeof(user)) &&
        escape_text(provider->config.secret, password, sizeof(password))) {
        fetch.form = form.data;
        fetch.user = has_basic ? user : NULL;
        fetch.password = password;
        r = hl_fetch_run(&fetch);
    }
    if (r == 0)
        r = hl_json_parse(hl_buffer_bytes(&fetch.body), NULL, 0, out_answer) == 0
                ? 0
                : HL_PROVIDER_DOWN;
    if (r == 0 && fetch.status != 200) {
        const char *error = json_string_value(json_object_get(*out_answer, "error"));
        (void)snprintf(why, WHY_SIZE, "the code was not taken: %.60s (status %ld)",
                       error != NULL ? error : "no reason", fetch.status);
        json_decref(*out_answer);
        r = fetch.status >= 500 ? HL_PROVIDER_DOWN : HL_PROVIDER_REFUSED;
    } else if (r != 0) {
        (void)snprintf(why, WHY_SIZE, "its token endpoint: %.100s (status %ld)",
                       fetch.why[0] != '\0' ? fetch.why : "no JSON", fetch.status);
        r = r > 0 ? HL_PROVIDER_DOWN : r;
    }
    explicit_bzero(password, sizeof(password));
    if (form.data != NULL)
        explicit_bzero(form.data, form.size);
    hl_buffer_fini(&form);
    hl_buffer_fini(&fetch.body);
    return r;
}

static int believe(const struct hl_provider *provider, const json_t *claims, const char *nonce,
                   struct hl_provider_person *out_person, char *why)
{
    struct hl_id_token_wanted wanted = {.issuer = provider->config.issuer,
                                        .client = provider->config.client,
                                        .nonce = nonce,
                                        .now_s = hl_clock_wall_ms(provider->config.clock) / 1000};
    struct hl_id_token_person person;
    const char *fault = NULL;
    int r = hl_id_token_check(claims, &wanted, &person, &fault);
    memset(out_person, 0, sizeof(*out_person));
    if (r != 0) {
        (void)snprintf(why, WHY_SIZE, "ID token: %s", fault);
        return r == HL_ID_TOKEN_NO_EMAIL ? HL_PROVIDER_NO_EMAIL : HL_PROVIDER_REFUSED;
    }
    (void)snprintf(out_person->subject, sizeof(out_person->subject), "%s", person.subject);
    (void)snprintf(out_person->email, sizeof(out_person->email), "%s", person.email);
    (void)snprintf(out_person->name, sizeof(out_person->name), "%s",
                   person.name != NULL ? person.name : "");
    return 0;
}

int hl_provider_redeem(struct hl_provider *provider, const char *code, const char *verifier,
                       const char *nonce, struct hl_provider_person *out_person, char why[160])
{
    json_t *answer = NULL;
    json_t *claims = NULL;
    int r = know(provider, why);
    if (r == 0)
        r = ask_token(provider, code, verifier, &answer, why);
    if (r != 0)
        return r;
    const char *token = json_string_value(json_object_get(answer, "id_token"));
    if (token != NULL) {
        r = verify(provider, hl_bytes_of(token), &claims, why);
    } else {
        (void)snprintf(why, WHY_SIZE, "its answer holds no ID token");
        r = HL_PROVIDER_REFUSED;
    }
    if (r == 0)
        r = believe(provider, claims, nonce, out_person, why);
    json_decref(claims);
    json_decref(answer);
    return r;
}
