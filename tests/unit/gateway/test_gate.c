/* gateway/gate.h: what passes, what it is read as, and that no way of cutting the input into
 * pieces changes either. The refusals themselves are told over sockets by
 * tests/wire/raw-gate.test.mjs. */
#include "gateway/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOST "Host: a.test\r\n"

static int read_text(const char *text, struct hl_gate_head *head)
{
    struct hl_gate_refusal refusal = {.detail = NULL};
    int r = hl_gate_read(hl_bytes_of(text), 8192, head, &refusal);

    if (r == HL_GATE_REFUSED)
        assert_non_null(refusal.detail);
    return r;
}

static enum hl_problem_code code_of(const char *text)
{
    struct hl_gate_refusal refusal = {.code = HL_PROBLEM_END};
    struct hl_gate_head head;

    assert_int_equal(hl_gate_read(hl_bytes_of(text), 8192, &head, &refusal), HL_GATE_REFUSED);
    return refusal.code;
}

static void reads_every_part(void **state)
{
    static const char text[] = "POST /v1/poll?a=b%20c&d HTTP/1.1\r\n"
                               "hOST: [2001:db8::1]:443\r\n"
                               "Content-Length: 17\r\n"
                               "Content-Type:\t application/json \t\r\n"
                               "Authorization: Bearer x\r\n"
                               "Origin: https://a.test\r\n"
                               "X-Other: anything\r\n"
                               "\r\nbody";
    struct hl_gate_head head;

    (void)state;
    assert_int_equal(read_text(text, &head), 0);
    assert_int_equal(head.method, HL_POST);
    assert_true(hl_bytes_is(head.path, "/v1/poll"));
    assert_true(hl_bytes_is(head.query, "a=b%20c&d"));
    assert_true(hl_bytes_is(head.headers[HL_HEADER_HOST], "[2001:db8::1]:443"));
    assert_true(hl_bytes_is(head.headers[HL_HEADER_CONTENT_TYPE], "application/json"));
    assert_true(hl_bytes_is(head.headers[HL_HEADER_AUTHORIZATION], "Bearer x"));
    assert_true(hl_bytes_is(head.headers[HL_HEADER_ORIGIN], "https://a.test"));
    assert_int_equal(head.headers[HL_HEADER_ACCEPT].size, 0);
    assert_int_equal(head.content_length, 17);
    assert_int_equal(head.size, sizeof(text) - 1 - 4);
    assert_true(head.is_keep_alive);
    assert_false(head.upgrade.is_wanted);
}

static void waits_for_the_whole_head(void **state)
{
    static const char text[] = "\r\nGET /a HTTP/1.1\r\n" HOST "X: y\r\n\r\n";
    struct hl_gate_head head;
    struct hl_gate_refusal refusal;

    (void)state;
    for (size_t size = 0; size < sizeof(text) - 1; size++)
        assert_int_equal(
            hl_gate_read((struct hl_bytes){.data = text, .size = size}, 8192, &head, &refusal),
            HL_GATE_MORE);
    assert_int_equal(read_text(text, &head), 0);
}

static void refuses_a_bad_line_before_the_head_is_whole(void **state)
{
    (void)state;
    assert_int_equal(code_of("GET /a HTTP/9.9\r\n"), HL_PROBLEM_BAD_REQUEST);
    assert_int_equal(code_of("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"),
                     HL_PROBLEM_BAD_REQUEST);
    assert_int_equal(code_of("\x16\x03\x01"), HL_PROBLEM_BAD_REQUEST);
    assert_int_equal(code_of("BREW /a HTTP/1.1\r\n"), HL_PROBLEM_METHOD_NOT_ALLOWED);
    assert_int_equal(code_of("GET /a HTTP/1.1\r\nExpect: 100-continue\r\n"),
                     HL_PROBLEM_EXPECTATION_FAILED);
}

static void keeps_alive_only_where_both_agree(void **state)
{
    struct hl_gate_head head;

    (void)state;
    assert_int_equal(read_text("GET /a HTTP/1.1\r\n" HOST "Connection: a, CLOSE\r\n\r\n", &head),
                     0);
    assert_false(head.is_keep_alive);
    assert_int_equal(read_text("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &head), 0);
    assert_true(head.is_http_1_0);
    assert_false(head.is_keep_alive);
}

#define UPGRADE                                                                                    \
    "GET /v1/ws HTTP/1.1\r\n" HOST "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"     \
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"

static void reads_an_upgrade(void **state)
{
    struct hl_gate_head head;

    (void)state;
    assert_int_equal(read_text(UPGRADE "Sec-WebSocket-Protocol: other, holdline.v1\r\n\r\n", &head),
                     0);
    assert_true(head.upgrade.is_wanted);
    assert_true(head.upgrade.offers_v1);
    assert_false(head.upgrade.offers_echo);
    assert_false(head.upgrade.offers_deflate);
    assert_int_equal(head.upgrade.key.size, 24);
    assert_true(hl_bytes_is(head.upgrade.version, "13"));
}

static void takes_only_compression_that_leaves_the_window(void **state)
{
    static const struct {
        const char *offer;
        bool is_good;
    } cases[] = {
        {"permessage-deflate", true},
        {"permessage-deflate; client_max_window_bits", true},
        {"permessage-deflate; client_max_window_bits=10; server_no_context_takeover", true},
        {"permessage-deflate; server_max_window_bits=10", false},
        {"permessage-deflate; server_max_window_bits=10, permessage-deflate", true},
        {"permessage-deflate; something_new", false},
        {"x-webkit-deflate-frame", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024];
        struct hl_gate_head head;

        (void)snprintf(text, sizeof(text), UPGRADE "Sec-WebSocket-Extensions: %s\r\n\r\n",
                       cases[i].offer);
        assert_int_equal(read_text(text, &head), 0);
        assert_int_equal(head.upgrade.offers_deflate, cases[i].is_good);
    }
}

static void bounds_the_head(void **state)
{
    static const char text[] = "GET /a HTTP/1.1\r\n" HOST "\r\n";
    struct hl_gate_head head;
    struct hl_gate_refusal refusal;
    size_t size = sizeof(text) - 1;

    (void)state;
    assert_int_equal(hl_gate_read(hl_bytes_of(text), size, &head, &refusal), 0);
    assert_int_equal(hl_gate_read(hl_bytes_of(text), size - 1, &head, &refusal), HL_GATE_REFUSED);
    assert_int_equal(refusal.code, HL_PROBLEM_HEADERS_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_part),
        cmocka_unit_test(waits_for_the_whole_head),
        cmocka_unit_test(refuses_a_bad_line_before_the_head_is_whole),
        cmocka_unit_test(keeps_alive_only_where_both_agree),
        cmocka_unit_test(reads_an_upgrade),
        cmocka_unit_test(takes_only_compression_that_leaves_the_window),
        cmocka_unit_test(bounds_the_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
