#include "gateway/config.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/result.h"
#include "gateway/signin/fetch.h"

static const char variable_prefix[] = "HOLDLINE_";

void hl_config_add_finding(struct hl_config_report *report, const char *place, const char *key,
                           const char *format, ...)
{
    if (report->n_findings == HL_CONFIG_FINDINGS_MAX)
        return;
    struct hl_config_finding *finding = &report->findings[report->n_findings++];
    snprintf(finding->place, sizeof(finding->place), "%s", place);
    snprintf(finding->key, sizeof(finding->key), "%s", key);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->message, sizeof(finding->message), format, arguments);
    va_end(arguments);
}

const struct hl_config_key *hl_config_find(const char *name)
{
    size_t n_keys = 0;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    for (size_t i = 0; i < n_keys; i++) {
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

static size_t place_of(const struct hl_config_key *key)
{
    size_t n_keys = 0;
    return (size_t)(key - hl_config_keys(&n_keys));
}

static void *field_of(struct hl_config *config, const struct hl_config_key *key)
{
    return (char *)config + key->offset;
}

static const void *value_of(const struct hl_config *config, const struct hl_config_key *key)
{
    return (const char *)config + key->offset;
}

/* Each setter says what is allowed in `why`, or writes the field. */
static bool set_number(void *field, const struct hl_config_key *key, const char *value, char *why,
                       size_t why_size)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 || number < key->min ||
        number > key->max) {
        snprintf(why, why_size, "must be a whole number from %llu to %llu",
                 (unsigned long long)key->min, (unsigned long long)key->max);
        return false;
    }
    if (key->type == HL_CONFIG_U32)
        *(uint32_t *)field = (uint32_t)number;
    else
        *(uint64_t *)field = number;
    return true;
}

static bool set_bool(void *field, const char *value, char *why, size_t why_size)
{
    bool is_true = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    if (!is_true && strcmp(value, "false") != 0 && strcmp(value, "0") != 0) {
        snprintf(why, why_size, "must be true or false");
        return false;
    }
    *(bool *)field = is_true;
    return true;
}

static bool is_printable(const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    }
    return hl_json_is_utf8(hl_bytes_of(value));
}

static bool is_name(const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL)
            return false;
    }
    return true;
}

static bool set_text(char *field, const struct hl_config_key *key, const char *value, char *why,
                     size_t why_size)
{
    size_t size = strlen(value);
    bool is_name_key = key->type == HL_CONFIG_NAME;
    if (size < key->min || size > key->max ||
        !(is_name_key ? is_name(value) : is_printable(value))) {
        snprintf(why, why_size, "must be %llu to %llu %s", (unsigned long long)key->min,
                 (unsigned long long)key->max,
                 is_name_key ? "letters, digits, \".\", \"_\" or \"-\"" : "printable characters");
        return false;
    }
    memcpy(field, value, size + 1);
    return true;
}

static bool set_choice(uint32_t *field, const struct hl_config_key *key, const char *value,
                       char *why, size_t why_size)
{
    size_t size = strlen(value);
    uint32_t number = 0;
    for (const char *choice = key->choices; size > 0; choice++, number++) {
        size_t choice_size = strcspn(choice, "|");
        if (choice_size == size && strncmp(choice, value, size) == 0) {
            *field = number;
            return true;
        }
        choice += choice_size;
        if (*choice == '\0')
            break;
    }
    snprintf(why, why_size, "must be one of %s", key->choices);
    return false;
}

/* RFC 6454: scheme "://" host [":" port], nothing behind it. */
static bool is_origin(const char *origin)
{
    const char *host = NULL;
    if (strcmp(origin, "*") == 0)
        return true;
    if (strncmp(origin, "https://", 8) == 0)
        host = origin + 8;
    else if (strncmp(origin, "http://", 7) == 0)
        host = origin + 7;
    return host != NULL && *host != '\0' && strpbrk(host, "/?#@ \"\\") == NULL &&
           is_printable(host);
}

static bool set_origins(struct hl_config_origins *field, const char *value, char *why,
                        size_t why_size)
{
    field->n_items = 0;
    for (const char *item = value; *item != '\0';) {
        size_t size = strcspn(item, ",");
        if (field->n_items == HL_ORIGINS_MAX || size >= HL_ORIGIN_SIZE) {
            snprintf(why, why_size, "must be at most %d origins of at most %d bytes",
                     HL_ORIGINS_MAX, HL_ORIGIN_SIZE - 1);
            return false;
        }
        char *origin = field->items[field->n_items++];
        memcpy(origin, item, size);
        origin[size] = '\0';
        if (!is_origin(origin)) {
            snprintf(why, why_size,
                     "must be origins such as https://shop.example:8443 (scheme, "
                     "host, port, no path), or \"*\" alone");
            return false;
        }
        item += size;
        item += *item == ',' ? 1 : 0;
    }
    for (size_t i = 0; i < field->n_items && field->n_items > 1; i++) {
        if (strcmp(field->items[i], "*") == 0) {
            snprintf(why, why_size, "must hold \"*\" alone or not at all");
            return false;
        }
    }
    return true;
}

static bool set_field(struct hl_config *config, const struct hl_config_key *key, const char *value,
                      char *why, size_t why_size)
{
    void *field = field_of(config, key);
    switch (key->type) {
    case HL_CONFIG_U32:
    case HL_CONFIG_U64:
        return set_number(field, key, value, why, why_size);
    case HL_CONFIG_BOOL:
        return set_bool(field, value, why, why_size);
    case HL_CONFIG_TEXT:
    case HL_CONFIG_NAME:
        return set_text(field, key, value, why, why_size);
    case HL_CONFIG_CHOICE:
        return set_choice(field, key, value, why, why_size);
    case HL_CONFIG_ORIGINS:
        return set_origins(field, value, why, why_size);
    }
    return false;
}

int hl_config_set(struct hl_config *config, const struct hl_config_key *key, const char *value,
                  enum hl_config_source source, const char *place, struct hl_config_report *report)
{
    char why[256];
    if (!set_field(config, key, value, why, sizeof(why))) {
        hl_config_add_finding(report, place, key->name, "%s", why);
        return HL_CONFIG_INVALID;
    }
    config->sources[place_of(key)] = (uint8_t)source;
    config->lines[place_of(key)] = 0;
    return 0;
}

void hl_config_variable(const struct hl_config_key *key, char out_name[80])
{
    size_t size = (size_t)snprintf(out_name, 80, "%s%s", variable_prefix, key->name);
    HL_CHECK(size < 80);
    for (char *c = out_name; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
}

static const struct hl_config_key *find_variable(const char *name, size_t size)
{
    size_t n_keys = 0;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    for (size_t i = 0; i < n_keys; i++) {
        char variable[80];
        hl_config_variable(&keys[i], variable);
        if (strlen(variable) == size && strncmp(variable, name, size) == 0)
            return &keys[i];
    }
    return NULL;
}

static int read_environment(struct hl_config *config, char *const *environment,
                            struct hl_config_report *report)
{
    int r = 0;
    for (; environment != NULL && *environment != NULL; environment++) {
        const char *name = *environment;
        size_t size = strcspn(name, "=");
        if (strncmp(name, variable_prefix, strlen(variable_prefix)) != 0 || name[size] != '=')
            continue;
        const struct hl_config_key *key = find_variable(name, size);
        char place[128];
        snprintf(place, sizeof(place), "environment %.*s", (int)(size < 80 ? size : 80), name);
        if (key == NULL) {
            report->n_unknown_variables++;
            snprintf(report->unknown_variable, sizeof(report->unknown_variable), "%.*s",
                     (int)(size < 63 ? size : 63), name);
        } else if (hl_config_set(config, key, name + size + 1, HL_CONFIG_FROM_ENVIRONMENT, place,
                                 report) != 0) {
            r = HL_CONFIG_INVALID;
        }
    }
    return r;
}

int hl_config_load(const char *path, char *const *environment, struct hl_config *out_config,
                   struct hl_config_report *report)
{
    size_t n_keys = 0;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    memset(out_config, 0, sizeof(*out_config));
    memset(report, 0, sizeof(*report));
    for (size_t i = 0; i < n_keys; i++) {
        HL_CHECK(hl_config_set(out_config, &keys[i], keys[i].standard, HL_CONFIG_FROM_DEFAULT,
                               "default", report) == 0);
    }
    int r = path != NULL ? hl_config_read_file(out_config, path, report) : 0;
    if (r < 0)
        return r;
    if (read_environment(out_config, environment, report) != 0)
        r = HL_CONFIG_INVALID;
    out_config->wire.message_bytes_max = out_config->hub.message_bytes_max; /* one and the same */
    return r;
}

static void add_rule_finding(const struct hl_config *config, const char *path, const char *name,
                             struct hl_config_report *report, const char *message)
{
    const struct hl_config_key *key = hl_config_find(name);
    HL_CHECK(key != NULL);
    size_t place = place_of(key);
    char text[HL_CONFIG_PATH_SIZE + 16];
    if (config->sources[place] == HL_CONFIG_FROM_FILE && path != NULL)
        snprintf(text, sizeof(text), "%s:%u", path, config->lines[place]);
    else
        snprintf(text, sizeof(text), "%s",
                 hl_config_source_name((enum hl_config_source)config->sources[place]));
    hl_config_add_finding(report, text, name, "%s", message);
}

/* "HOST:PORT" or "[V6]:PORT"; getaddrinfo would take a port above 65535 modulo 65536. */
static bool is_listen_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t host_size = colon != NULL ? (size_t)(colon - text) : 0;
    size_t n_digits = colon != NULL ? strspn(colon + 1, "0123456789") : 0;

    if (colon == NULL || n_digits == 0 || n_digits > 5 || colon[1 + n_digits] != '\0')
        return false;
    if (strtoul(colon + 1, NULL, 10) > UINT16_MAX)
        return false;
    if (text[0] == '[')
        return host_size > 2 && colon[-1] == ']';
    return memchr(text, ':', host_size) == NULL;
}

int hl_config_check(const struct hl_config *config, const char *path,
                    struct hl_config_report *report)
{
    struct hl_networks proxies;
    const struct {
        bool is_broken;
        const char *key;
        const char *message;
    } rules[] = {
        {!is_listen_address(config->listen), "listen",
         "must be HOST:PORT or [V6]:PORT with a port up to 65535"},
        {config->tls_certificate[0] != '\0' && config->tls_key[0] == '\0', "tls_certificate",
         "needs tls_key too"},
        {config->tls_key[0] != '\0' && config->tls_certificate[0] == '\0', "tls_key",
         "needs tls_certificate too"},
        {config->drain_window_ms > config->drain_deadline_ms, "drain_window_ms",
         "must not be longer than drain_deadline_ms"},
        {config->hub.body_bytes_max > config->hub.message_bytes_max, "body_bytes_max",
         "must not be larger than message_bytes_max"},
        {config->hub.message_bytes_max > config->wire.body_bytes_max, "message_bytes_max",
         "must not be larger than request_bytes_max: the same frames travel by long-poll"},
        {config->hub.poll_bytes_max > config->wire.response_bytes_max, "poll_bytes_max",
         "must not be larger than response_bytes_max"},
        {2 * ((uint64_t)config->hub.page_bytes + config->hub.body_bytes_max) >
             config->hub.poll_bytes_max,
         "page_bytes", "and body_bytes_max together must fit twice into poll_bytes_max"},
        {config->hub.pong_ms >= config->hub.ping_ms, "pong_ms", "must be shorter than ping_ms"},
        {config->public_url[0] != '\0' && !is_origin(config->public_url), "public_url",
         "must be scheme, host and port without a path, such as https://chat.example.com"},
        {hl_networks_parse(config->trusted_proxies, &proxies) != 0, "trusted_proxies",
         "must be at most 32 addresses or networks such as 10.0.0.0/8, with commas between them"},
        {config->oidc_issuer[0] != '\0' && !hl_fetch_is_allowed(config->oidc_issuer), "oidc_issuer",
         "must be an https address"},
        {config->oidc_issuer[0] != '\0' && config->oidc_client_id[0] == '\0', "oidc_issuer",
         "needs oidc_client_id too"},
        {config->oidc_issuer[0] != '\0' && config->oidc_redirect_url[0] == '\0' &&
             config->public_url[0] == '\0',
         "oidc_issuer", "needs public_url too: the provider must know where to send browsers back"},
    };
    int r = 0;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (!rules[i].is_broken)
            continue;
        add_rule_finding(config, path, rules[i].key, report, rules[i].message);
        r = HL_CONFIG_INVALID;
    }
    return r;
}

static void append_choice(const struct hl_config_key *key, uint32_t number, struct hl_buffer *out)
{
    const char *choice = key->choices;
    for (; number > 0; number--)
        choice += strcspn(choice, "|") + 1;
    hl_buffer_append(out, choice, strcspn(choice, "|"));
}

void hl_config_append_value(const struct hl_config *config, const struct hl_config_key *key,
                            struct hl_buffer *out)
{
    const void *value = value_of(config, key);
    const struct hl_config_origins *origins = value;
    switch (key->type) {
    case HL_CONFIG_U32:
        hl_buffer_append_u64(out, *(const uint32_t *)value);
        break;
    case HL_CONFIG_U64:
        hl_buffer_append_u64(out, *(const uint64_t *)value);
        break;
    case HL_CONFIG_BOOL:
        hl_buffer_append_text(out, *(const bool *)value ? "true" : "false");
        break;
    case HL_CONFIG_TEXT:
    case HL_CONFIG_NAME:
        hl_buffer_append_text(out, value);
        break;
    case HL_CONFIG_CHOICE:
        append_choice(key, *(const uint32_t *)value, out);
        break;
    case HL_CONFIG_ORIGINS:
        for (size_t i = 0; i < origins->n_items; i++) {
            hl_buffer_append_text(out, i > 0 ? "," : "");
            hl_buffer_append_text(out, origins->items[i]);
        }
        break;
    }
}

bool hl_config_value_equal(const struct hl_config *a, const struct hl_config *b,
                           const struct hl_config_key *key)
{
    enum { VALUE_SIZE_MAX = HL_ORIGINS_MAX * (HL_ORIGIN_SIZE + 1) };
    struct hl_buffer text_a;
    struct hl_buffer text_b;
    hl_buffer_init(&text_a, VALUE_SIZE_MAX);
    hl_buffer_init(&text_b, VALUE_SIZE_MAX);
    hl_config_append_value(a, key, &text_a);
    hl_config_append_value(b, key, &text_b);
    bool is_equal = !hl_buffer_failed(&text_a) && !hl_buffer_failed(&text_b) &&
                    hl_bytes_equal(hl_buffer_bytes(&text_a), hl_buffer_bytes(&text_b));
    hl_buffer_fini(&text_a);
    hl_buffer_fini(&text_b);
    return is_equal;
}

const char *hl_config_source_name(enum hl_config_source source)
{
    static const char *const names[] = {"default", "file", "environment", "option"};
    return names[source];
}
