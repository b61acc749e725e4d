/* agent-api/exchange.h: problems, query parameters, routes; on an exchange that records. */
#include "agent-api/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"

struct recorded {
    struct hl_exchange exchange;
    int status;
    char headers[512];
    char body[2048];
};

static void record_answer(struct hl_exchange *exchange, int status, const char *content_type,
                          struct hl_bytes body)
{
    struct recorded *recorded = HL_CONTAINER_OF(exchange, struct recorded, exchange);

    assert_int_equal(recorded->status, 0);
    assert_true(content_type != NULL || body.size == 0);
    assert_true(body.size < sizeof(recorded->body));
    recorded->status = status;
    if (body.size > 0)
        memcpy(recorded->body, body.data, body.size);
}

static void record_header(struct hl_exchange *exchange, const char *name, struct hl_bytes value)
{
    struct recorded *recorded = HL_CONTAINER_OF(exchange, struct recorded, exchange);
    size_t used = strlen(recorded->headers);

    (void)snprintf(recorded->headers + used, sizeof(recorded->headers) - used, "%s=%.*s;", name,
                   (int)value.size, value.data);
}

static const struct hl_exchange_ops record_ops = {.answer = record_answer, .header = record_header};

static struct recorded begin(enum hl_method method, const char *path, const char *query)
{
    struct recorded recorded = {.exchange = {.ops = &record_ops,
                                             .method = method,
                                             .path = hl_bytes_of(path),
                                             .query = hl_bytes_of(query),
                                             .request_id = "req_test"}};

    return recorded;
}

static void problems_carry_id_and_advice(void **state)
{
    struct recorded recorded = begin(HL_GET, "/", "");
    struct recorded again = begin(HL_GET, "/", "");
    struct hl_problem busy = {.code = HL_PROBLEM_BUSY, .retry_ms = 2001};

    (void)state;
    hl_exchange_problem(&recorded.exchange, HL_PROBLEM_NOT_FOUND, "no %s", "such");
    assert_int_equal(recorded.status, 404);
    assert_non_null(strstr(recorded.body, "\"code\":\"not_found\""));
    assert_non_null(strstr(recorded.body, "\"detail\":\"no such\""));
    assert_non_null(strstr(recorded.body, "\"request_id\":\"req_test\""));
    assert_string_equal(recorded.headers, "");
    hl_exchange_problem_with(&again.exchange, &busy);
    assert_int_equal(again.status, 503);
    assert_string_equal(again.headers, "retry-after=3;");
}

static void check_query(const char *query, const char *name, int result, const char *value)
{
    struct recorded recorded = begin(HL_GET, "/", query);
    char text[16] = "";

    assert_int_equal(hl_exchange_query(&recorded.exchange, name, text, sizeof(text)), result);
    if (result == 0)
        assert_string_equal(text, value);
}

static void query_values_are_decoded_strictly(void **state)
{
    (void)state;
    check_query("a=1&b=2", "a", 0, "1");
    check_query("a=1&b=2", "b", 0, "2");
    check_query("ab=1&b=2&c", "c", 0, "");
    check_query("a=x%20y+z%2B", "a", 0, "x y z+");
    check_query("a=%c3%BC", "a", 0, "\xc3\xbc");
    check_query("", "a", HL_QUERY_ABSENT, NULL);
    check_query("aa=1", "a", HL_QUERY_ABSENT, NULL);
    check_query("&&a=1", "a", 0, "1");
    check_query("a=1&a=1", "a", HL_QUERY_INVALID, NULL);
    check_query("a=%2", "a", HL_QUERY_INVALID, NULL);
    check_query("a=%zz", "a", HL_QUERY_INVALID, NULL);
    check_query("a=%00", "a", HL_QUERY_INVALID, NULL);
    check_query("a=%c3", "a", HL_QUERY_INVALID, NULL);
    check_query("a=123456789012345", "a", 0, "123456789012345");
    check_query("a=1234567890123456", "a", HL_QUERY_INVALID, NULL);
}

static void answer_params(void *arg, struct hl_exchange *exchange,
                          const struct hl_route_params *params)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%s:%.*s:%.*s", (const char *)arg,
                   (int)params->values[0].size, params->values[0].data, (int)params->values[1].size,
                   params->values[1].data);
    exchange->ops->answer(exchange, 200, "text/plain", hl_bytes_of(text));
}

static const struct hl_route routes[] = {
    {HL_GET, "/v1/things", answer_params},
    {HL_GET, "/v1/things/{id}", answer_params},
    {HL_PUT, "/v1/things/{id}/parts/{part}", answer_params},
    {HL_DELETE, "/v1/things/{id}/parts/{part}", answer_params},
};

static void check_route(enum hl_method method, const char *path, int status, const char *body)
{
    struct recorded recorded = begin(method, path, "");

    hl_routes_run(routes, sizeof(routes) / sizeof(routes[0]), (void *)(uintptr_t) "arg",
                  &recorded.exchange);
    assert_int_equal(recorded.status, status);
    if (status == 200)
        assert_string_equal(recorded.body, body);
    if (status == 405)
        assert_string_equal(recorded.headers, body);
}

static void routes_match_whole_paths(void **state)
{
    (void)state;
    check_route(HL_GET, "/v1/things", 200, "arg::");
    check_route(HL_HEAD, "/v1/things/7", 200, "arg:7:");
    check_route(HL_PUT, "/v1/things/7/parts/%20", 200, "arg:7:%20");
    check_route(HL_GET, "/v1/things/", 404, NULL);
    check_route(HL_GET, "/v1/things/7/", 404, NULL);
    check_route(HL_GET, "/v1", 404, NULL);
    check_route(HL_GET, "/v1/thingsx", 404, NULL);
    check_route(HL_GET, "//v1/things", 404, NULL);
    check_route(HL_POST, "/v1/things", 405, "allow=GET, HEAD;");
    check_route(HL_GET, "/v1/things/7/parts/8", 405, "allow=PUT, DELETE;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(problems_carry_id_and_advice),
        cmocka_unit_test(query_values_are_decoded_strictly),
        cmocka_unit_test(routes_match_whole_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
