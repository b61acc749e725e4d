#include "tests/support/fake_exchange.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

enum { ANSWER_MAX = 64 * 1024 * 1024 };

static struct hl_fake_exchange *fake_of(struct hl_exchange *exchange)
{
    return (struct hl_fake_exchange *)exchange;
}

static void take_answer(struct hl_exchange *exchange, int status, const char *content_type,
                        struct hl_bytes body)
{
    struct hl_fake_exchange *fake = fake_of(exchange);
    HL_CHECK(!fake->is_answered && !fake->is_streaming);
    fake->is_answered = true;
    fake->status = status;
    snprintf(fake->type, sizeof(fake->type), "%s", content_type != NULL ? content_type : "");
    hl_buffer_append_bytes(&fake->body, body);
}

static void take_header(struct hl_exchange *exchange, const char *name, struct hl_bytes value)
{
    struct hl_fake_exchange *fake = fake_of(exchange);
    HL_CHECK(!fake->is_answered && (!fake->is_streaming || exchange->is_socket));
    hl_buffer_printf(&fake->headers, "%s: %.*s\n", name, (int)value.size, value.data);
}

static void begin_stream(struct hl_exchange *exchange, int status, const char *content_type)
{
    struct hl_fake_exchange *fake = fake_of(exchange);
    HL_CHECK(!fake->is_answered && !fake->is_streaming);
    fake->is_streaming = true;
    fake->status = status;
    snprintf(fake->type, sizeof(fake->type), "%s", content_type != NULL ? content_type : "");
}

static bool is_ready(struct hl_exchange *exchange)
{
    return fake_of(exchange)->is_ready;
}

static void take_data(struct hl_exchange *exchange, struct hl_bytes data)
{
    struct hl_fake_exchange *fake = fake_of(exchange);
    HL_CHECK(fake->is_streaming && !fake->is_answered);
    hl_buffer_append_bytes(&fake->body, data);
}

static void end_stream(struct hl_exchange *exchange)
{
    struct hl_fake_exchange *fake = fake_of(exchange);
    HL_CHECK(fake->is_streaming && !fake->is_answered);
    fake->is_answered = true;
}

static void cut_stream(struct hl_exchange *exchange)
{
    end_stream(exchange);
    fake_of(exchange)->is_cut = true;
}

static void take_problem(struct hl_exchange *exchange, const struct hl_problem *problem)
{
    struct hl_fake_exchange *fake = fake_of(exchange);
    HL_CHECK(exchange->is_socket && !fake->is_answered);
    fake->is_answered = true;
    fake->status = hl_problem_kind(problem->code)->close;
    snprintf(fake->type, sizeof(fake->type), "%s", hl_problem_kind(problem->code)->code);
    hl_buffer_append_bytes(&fake->body, problem->extra);
}

static const struct hl_exchange_ops ops = {
    .answer = take_answer,
    .header = take_header,
    .stream = begin_stream,
    .is_ready = is_ready,
    .write = take_data,
    .end = end_stream,
    .cut = cut_stream,
    .problem = take_problem,
};

void hl_fake_exchange_init(struct hl_fake_exchange *fake, enum hl_method method, const char *target)
{
    memset(fake, 0, sizeof(*fake));
    snprintf(fake->target, sizeof(fake->target), "%s", target);
    fake->exchange.ops = &ops;
    fake->exchange.method = method;
    size_t path_size = strcspn(fake->target, "?");
    fake->exchange.path = (struct hl_bytes){fake->target, path_size};
    if (fake->target[path_size] == '?')
        fake->exchange.query = hl_bytes_of(fake->target + path_size + 1);
    fake->exchange.address = hl_bytes_of("127.0.0.1");
    snprintf(fake->exchange.request_id, sizeof(fake->exchange.request_id), "req_test");
    hl_buffer_init(&fake->headers, ANSWER_MAX);
    hl_buffer_init(&fake->body, ANSWER_MAX);
    fake->is_ready = true;
}

void hl_fake_exchange_fini(struct hl_fake_exchange *fake)
{
    hl_buffer_fini(&fake->headers);
    hl_buffer_fini(&fake->body);
}

void hl_fake_exchange_set(struct hl_fake_exchange *fake, enum hl_header header, const char *value)
{
    fake->exchange.headers[header] = hl_bytes_of(value);
}

void hl_fake_exchange_set_body(struct hl_fake_exchange *fake, const char *type, const char *body)
{
    hl_fake_exchange_set(fake, HL_HEADER_CONTENT_TYPE, type);
    fake->exchange.body = hl_bytes_of(body);
}

void hl_fake_exchange_say(struct hl_fake_exchange *fake, const char *text)
{
    HL_CHECK(fake->exchange.on_message != NULL);
    fake->exchange.on_message(&fake->exchange, hl_bytes_of(text));
}

void hl_fake_exchange_drop(struct hl_fake_exchange *fake)
{
    HL_CHECK(fake->exchange.on_gone != NULL);
    fake->is_answered = true;
    fake->exchange.on_gone(&fake->exchange);
}

const char *hl_fake_exchange_header(const struct hl_fake_exchange *fake, const char *name)
{
    static char value[512];
    size_t name_size = strlen(name);
    const char *line = fake->headers.data;
    const char *end = line != NULL ? line + fake->headers.size : NULL;
    value[0] = '\0';
    while (line < end) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        HL_CHECK(line_end != NULL);
        size_t size = (size_t)(line_end - line);
        if (size > name_size + 2 && memcmp(line, name, name_size) == 0 && line[name_size] == ':')
            snprintf(value, sizeof(value), "%.*s", (int)(size - name_size - 2),
                     line + name_size + 2);
        line = line_end + 1;
    }
    return value;
}

const char *hl_fake_exchange_text(struct hl_fake_exchange *fake)
{
    hl_buffer_append(&fake->body, "", 1);
    HL_CHECK(!hl_buffer_failed(&fake->body));
    fake->body.size--;
    return fake->body.data;
}

json_t *hl_fake_exchange_json(struct hl_fake_exchange *fake)
{
    char why[160];
    json_t *value = NULL;
    if (hl_json_parse(hl_buffer_bytes(&fake->body), why, sizeof(why), &value) != 0)
        hl_check_failed(why, __FILE__, __LINE__);
    return value;
}
