#include "gateway/web/asset.h"

#include <stdio.h>
#include <string.h>

#include "agent-api/reply.h"
#include "base/bytes.h"
#include "gateway/web/accept.h"

/* The console loads nothing but its own files, talks to nobody but its gateway's nodes, and stands
 * in nobody's frame. */
static const char console_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'";

enum { POLICY_BYTES_MAX = 8192 };

static const char console_page[] = "/console/index.html";

static bool starts_with(struct hl_bytes path, const char *start)
{
    size_t size = strlen(start);
    return path.size >= size && memcmp(path.data, start, size) == 0;
}

bool hl_assets_own(struct hl_bytes path)
{
    return starts_with(path, "/sdk/v1/") || starts_with(path, "/console/") ||
           hl_bytes_is(path, "/console");
}

static int compare_paths(struct hl_bytes a, const char *b)
{
    size_t b_size = strlen(b);
    int order = memcmp(a.data, b, a.size < b_size ? a.size : b_size);
    if (order != 0 || a.size == b_size)
        return order;
    return a.size < b_size ? -1 : 1;
}

static const struct hl_asset *find_asset(const struct hl_asset_set *set, struct hl_bytes path)
{
    size_t low = 0;
    size_t high = set->n_items;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_paths(path, set->items[middle].path);
        if (order == 0)
            return &set->items[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* A name with a dot is a file; what is none is a place inside the console. */
static bool is_console_place(struct hl_bytes path)
{
    const char *slash = memrchr(path.data, '/', path.size);
    size_t size = slash != NULL ? path.size - (size_t)(slash - path.data) : 0;
    return starts_with(path, "/console/") && memchr(slash, '.', size) == NULL;
}

static const char *lifetime_of(enum hl_asset_kind kind)
{
    switch (kind) {
    case HL_ASSET_SDK:
        return "public, max-age=300, stale-while-revalidate=86400";
    case HL_ASSET_SDK_PINNED:
    case HL_ASSET_CONSOLE_HASHED:
        return "public, max-age=31536000, immutable";
    case HL_ASSET_CONSOLE_PAGE:
    case HL_ASSET_CONSOLE_FILE:
        return "no-cache";
    }
    return "no-store";
}

/* Other nodes the console may go on with are origins this one lists, as they list this one. */
static void add_console_policy(struct hl_exchange *exchange, const char *const *origins,
                               size_t n_origins)
{
    struct hl_buffer policy;
    hl_buffer_init(&policy, POLICY_BYTES_MAX);
    hl_buffer_append_text(&policy, console_policy);
    for (size_t i = 0; i < n_origins; i++) {
        if (strncmp(origins[i], "http", 4) == 0)
            hl_buffer_printf(&policy, " %s ws%s", origins[i], origins[i] + strlen("http"));
    }
    if (hl_buffer_failed(&policy))
        hl_reply_add_text(exchange, "content-security-policy", console_policy);
    else
        exchange->ops->header(exchange, "content-security-policy", hl_buffer_bytes(&policy));
    hl_buffer_fini(&policy);
}

static void add_policy(struct hl_exchange *exchange, const struct hl_asset *asset,
                       const char *const *origins, size_t n_origins)
{
    hl_reply_add_text(exchange, "cache-control", lifetime_of(asset->kind));
    if (asset->kind == HL_ASSET_SDK || asset->kind == HL_ASSET_SDK_PINNED) {
        hl_reply_add_text(exchange, "access-control-allow-origin", "*");
        hl_reply_add_text(exchange, "cross-origin-resource-policy", "cross-origin");
        return;
    }
    hl_reply_add_text(exchange, "cross-origin-resource-policy", "same-origin");
    hl_reply_add_text(exchange, "referrer-policy", "same-origin");
    if (asset->kind == HL_ASSET_CONSOLE_PAGE) {
        add_console_policy(exchange, origins, n_origins);
        hl_reply_add_text(exchange, "cross-origin-opener-policy", "same-origin");
        hl_reply_add_text(exchange, "x-frame-options", "DENY");
    }
}

/* Two forms of one file are two things with a version each (RFC 9110 section 8.8.3). */
static void answer_asset(const struct hl_asset *asset, const char *const *origins, size_t n_origins,
                         struct hl_exchange *exchange)
{
    char etag[48];
    bool is_packed =
        asset->gzip != NULL && hl_accept_has(exchange->headers[HL_HEADER_ACCEPT_ENCODING], "gzip");
    struct hl_bytes body = {(const char *)(is_packed ? asset->gzip : asset->data),
                            is_packed ? asset->gzip_size : asset->size};
    (void)snprintf(etag, sizeof(etag), "\"%s%s\"", asset->etag, is_packed ? "-gz" : "");
    add_policy(exchange, asset, origins, n_origins);
    hl_reply_add_text(exchange, "etag", etag);
    hl_reply_add_text(exchange, "vary", "accept-encoding");
    if (hl_accept_etag(exchange->headers[HL_HEADER_IF_NONE_MATCH], etag)) {
        exchange->ops->answer(exchange, 304, NULL, (struct hl_bytes){0});
        return;
    }
    if (is_packed)
        hl_reply_add_text(exchange, "content-encoding", "gzip");
    exchange->ops->answer(exchange, 200, asset->type, body);
}

void hl_assets_answer(const struct hl_asset_set *set, const char *const *origins, size_t n_origins,
                      struct hl_exchange *exchange)
{
    const struct hl_asset *asset = find_asset(set, exchange->path);
    if (asset == NULL && is_console_place(exchange->path))
        asset = find_asset(set, hl_bytes_of(console_page));
    if (exchange->method != HL_GET && exchange->method != HL_HEAD) {
        hl_reply_add_text(exchange, "allow", "GET, HEAD");
        hl_exchange_problem(exchange, HL_PROBLEM_METHOD_NOT_ALLOWED, "Use GET.");
    } else if (hl_bytes_is(exchange->path, "/console")) {
        hl_reply_add_text(exchange, "location", "/console/");
        exchange->ops->answer(exchange, 308, NULL, (struct hl_bytes){0});
    } else if (asset != NULL) {
        answer_asset(asset, origins, n_origins, exchange);
    } else {
        hl_exchange_problem(exchange, HL_PROBLEM_NOT_FOUND,
                            set->n_items == 0 ? "This gateway was built without its web files."
                                              : "There is no such file in this release.");
    }
}
