#include "agent-api/exchange.h"

#include <stdio.h>
#include <string.h>

#include "agent-api/percent.h"
#include "base/check.h"
#include "base/event.h"
#include "base/json.h"

enum { DETAIL_MAX = 512, PROBLEM_BYTES_MAX = 1024 * 1024 };

const char *hl_method_name(enum hl_method method)
{
    static const char *const names[HL_METHOD_END] = {
        [HL_GET] = "GET",     [HL_HEAD] = "HEAD",     [HL_POST] = "POST",       [HL_PUT] = "PUT",
        [HL_PATCH] = "PATCH", [HL_DELETE] = "DELETE", [HL_OPTIONS] = "OPTIONS",
    };

    HL_CHECK(method < HL_METHOD_END);
    return names[method];
}

static bool is_retry_told(const struct hl_problem *problem)
{
    return problem->retry_ms > 0 || hl_problem_kind(problem->code)->retry == HL_RETRY_LATER;
}

void hl_exchange_problem_with(struct hl_exchange *exchange, const struct hl_problem *problem)
{
    struct hl_problem told = *problem;
    struct hl_buffer body;
    char seconds[16];

    if (told.request_id.size == 0)
        told.request_id = hl_bytes_of(exchange->request_id);
    hl_event(HL_EVENT_DEBUG, "request.refused", HL_BYTES("request_id", told.request_id),
             HL_TEXT("code", hl_problem_kind(told.code)->code));
    if (exchange->is_socket) {
        exchange->ops->problem(exchange, &told);
        return;
    }
    if (is_retry_told(&told)) {
        uint32_t retry_s = told.retry_ms / 1000 + (told.retry_ms % 1000 != 0 ? 1 : 0);

        (void)snprintf(seconds, sizeof(seconds), "%u", retry_s > 0 ? retry_s : 1);
        exchange->ops->header(exchange, "retry-after", hl_bytes_of(seconds));
    }
    hl_buffer_init(&body, PROBLEM_BYTES_MAX);
    hl_problem_append(&body, &told);
    if (hl_buffer_failed(&body))
        hl_buffer_clear(&body); /* the status still says what is wrong */
    exchange->ops->answer(exchange, hl_problem_kind(told.code)->status, "application/problem+json",
                          hl_buffer_bytes(&body));
    hl_buffer_fini(&body);
}

void hl_exchange_problem(struct hl_exchange *exchange, enum hl_problem_code code,
                         const char *format, ...)
{
    struct hl_problem problem = {.code = code};
    char detail[DETAIL_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    problem.detail = hl_bytes_of(detail);
    hl_exchange_problem_with(exchange, &problem);
}

static int decode_value(struct hl_bytes raw, char *out, size_t out_size)
{
    if (hl_percent_decode(raw, HL_PERCENT_FORM, out, out_size) != 0)
        return HL_QUERY_INVALID;
    return hl_json_is_utf8(hl_bytes_of(out)) ? 0 : HL_QUERY_INVALID;
}

int hl_exchange_query_nth(const struct hl_exchange *exchange, const char *name, size_t nth,
                          char *out, size_t out_size)
{
    struct hl_bytes rest = exchange->query;

    while (rest.size > 0) {
        const char *end = memchr(rest.data, '&', rest.size);
        size_t size = end != NULL ? (size_t)(end - rest.data) : rest.size;
        const char *equals = memchr(rest.data, '=', size);
        size_t name_size = equals != NULL ? (size_t)(equals - rest.data) : size;
        struct hl_bytes value = {rest.data + size, 0};

        if (equals != NULL)
            value = (struct hl_bytes){equals + 1, size - name_size - 1};
        if (hl_bytes_is((struct hl_bytes){rest.data, name_size}, name) && nth-- == 0)
            return decode_value(value, out, out_size);
        rest.data += end != NULL ? size + 1 : size;
        rest.size -= end != NULL ? size + 1 : size;
    }
    return HL_QUERY_ABSENT;
}

int hl_exchange_query(const struct hl_exchange *exchange, const char *name, char *out,
                      size_t out_size)
{
    int r = hl_exchange_query_nth(exchange, name, 1, out, out_size);

    return r != HL_QUERY_ABSENT ? HL_QUERY_INVALID
                                : hl_exchange_query_nth(exchange, name, 0, out, out_size);
}
