/* gateway/web/asset.h: which file, in which form, for whom. */
#include "gateway/web/asset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_exchange.h"

static const unsigned char plain[] = {'p', 'l', 'a', 'i', 'n'};
static const unsigned char packed[] = {'p', 'a', 'c'};

static const struct hl_asset items[] = {
    {"/console/assets/app-1a2b.js", "text/javascript", HL_ASSET_CONSOLE_HASHED, "e1", plain, 5,
     packed, 3},
    {"/console/index.html", "text/html; charset=utf-8", HL_ASSET_CONSOLE_PAGE, "e2", plain, 5,
     packed, 3},
    {"/console/logo.png", "image/png", HL_ASSET_CONSOLE_FILE, "e3", plain, 5, NULL, 0},
    {"/sdk/v1/0123456789ab/loader.js", "text/javascript", HL_ASSET_SDK_PINNED, "e4", plain, 5,
     packed, 3},
    {"/sdk/v1/loader.js", "text/javascript", HL_ASSET_SDK, "e4", plain, 5, packed, 3},
};
static const struct hl_asset_set set = {.n_items = sizeof(items) / sizeof(items[0]),
                                        .items = items};
static const struct hl_asset_set nothing = {0};
static const char *const nodes[] = {"*", "https://chat-2.example"};

static struct hl_fake_exchange exchange;

static void ask(const struct hl_asset_set *of, enum hl_method method, const char *path,
                const char *encoding, const char *etag)
{
    hl_fake_exchange_fini(&exchange);
    hl_fake_exchange_init(&exchange, method, path);
    if (encoding != NULL)
        hl_fake_exchange_set(&exchange, HL_HEADER_ACCEPT_ENCODING, encoding);
    if (etag != NULL)
        hl_fake_exchange_set(&exchange, HL_HEADER_IF_NONE_MATCH, etag);
    assert_true(hl_assets_own(exchange.exchange.path));
    hl_assets_answer(of, nodes, sizeof(nodes) / sizeof(nodes[0]), &exchange.exchange);
}

static const char *header(const char *name)
{
    return hl_fake_exchange_header(&exchange, name);
}

static void test_sdk_is_for_any_page(void **state)
{
    (void)state;
    ask(&set, HL_GET, "/sdk/v1/loader.js", NULL, NULL);
    assert_int_equal(exchange.status, 200);
    assert_string_equal(hl_fake_exchange_text(&exchange), "plain");
    assert_string_equal(header("access-control-allow-origin"), "*");
    assert_string_equal(header("cross-origin-resource-policy"), "cross-origin");
    assert_string_equal(header("vary"), "accept-encoding");
    assert_non_null(strstr(header("cache-control"), "max-age=300"));

    ask(&set, HL_GET, "/sdk/v1/0123456789ab/loader.js", "gzip", NULL);
    assert_string_equal(hl_fake_exchange_text(&exchange), "pac");
    assert_string_equal(header("content-encoding"), "gzip");
    assert_string_equal(header("etag"), "\"e4-gz\"");
    assert_non_null(strstr(header("cache-control"), "immutable"));
}

static void test_versions_per_form(void **state)
{
    (void)state;
    ask(&set, HL_GET, "/sdk/v1/loader.js", "gzip", "\"e4-gz\"");
    assert_int_equal(exchange.status, 304);
    assert_string_equal(header("content-encoding"), "");
    ask(&set, HL_GET, "/sdk/v1/loader.js", NULL, "\"e4-gz\"");
    assert_int_equal(exchange.status, 200);
    ask(&set, HL_GET, "/sdk/v1/loader.js", NULL, "W/\"x\", \"e4\"");
    assert_int_equal(exchange.status, 304);
}

static void test_console(void **state)
{
    (void)state;
    ask(&set, HL_GET, "/console/", NULL, NULL);
    assert_int_equal(exchange.status, 200);
    assert_non_null(strstr(header("content-security-policy"), "default-src 'none'"));
    assert_non_null(strstr(header("content-security-policy"), "frame-ancestors 'none'"));
    assert_null(strstr(header("content-security-policy"), "unsafe"));
    assert_null(strchr(header("content-security-policy"), '*'));
    assert_non_null(strstr(header("content-security-policy"),
                           "connect-src 'self' https://chat-2.example wss://chat-2.example"));
    assert_string_equal(header("cache-control"), "no-cache");
    assert_string_equal(header("access-control-allow-origin"), "");
    ask(&set, HL_GET, "/console/queue/cnv_1", NULL, NULL);
    assert_int_equal(exchange.status, 200);
    ask(&set, HL_GET, "/console/assets/app-1a2b.js", NULL, NULL);
    assert_non_null(strstr(header("cache-control"), "immutable"));
    ask(&set, HL_GET, "/console/logo.png", "gzip", NULL);
    assert_string_equal(header("content-encoding"), "");
    ask(&set, HL_GET, "/console", NULL, NULL);
    assert_int_equal(exchange.status, 308);
    assert_string_equal(header("location"), "/console/");
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    ask(&set, HL_GET, "/console/assets/app-old.js", NULL, NULL);
    assert_int_equal(exchange.status, 404);
    ask(&set, HL_GET, "/sdk/v1/loader", NULL, NULL);
    assert_int_equal(exchange.status, 404);
    ask(&set, HL_GET, "/sdk/v1/loader.js.map", NULL, NULL);
    assert_int_equal(exchange.status, 404);
    ask(&nothing, HL_GET, "/console/", NULL, NULL);
    assert_int_equal(exchange.status, 404);
    ask(&set, HL_POST, "/sdk/v1/loader.js", NULL, NULL);
    assert_int_equal(exchange.status, 405);
    assert_false(hl_assets_own(hl_bytes_of("/sdk/v2/loader.js")));
    assert_false(hl_assets_own(hl_bytes_of("/consoles")));
    hl_fake_exchange_fini(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sdk_is_for_any_page),
        cmocka_unit_test(test_versions_per_form),
        cmocka_unit_test(test_console),
        cmocka_unit_test(test_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
