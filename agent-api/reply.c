#include "agent-api/reply.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent-api/media.h"
void hl_reply_json(struct hl_exchange *exchange, int status, const struct hl_buffer *body)
{
    if (hl_buffer_failed(body))
        hl_exchange_problem(exchange, HL_PROBLEM_INTERNAL, "The answer does not fit in memory.");
    else
        exchange->ops->answer(exchange, status, "application/json", hl_buffer_bytes(body));
}

void hl_reply_invalid(struct hl_exchange *exchange, const char *pointer, const char *format, ...)
{
    char detail[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    struct hl_problem problem = {.code = HL_PROBLEM_INVALID_FIELD,
                                 .detail = hl_bytes_of(detail),
                                 .pointer = hl_bytes_of(pointer)};
    hl_exchange_problem_with(exchange, &problem);
}

void hl_reply_log_problem(struct hl_exchange *exchange, int r)
{
    switch (r) {
    case HL_LOG_BUSY:
        hl_exchange_problem(exchange, HL_PROBLEM_BUSY, "Too much is waiting; repeat it later.");
        break;
    case HL_LOG_MID_CONFLICT:
        hl_exchange_problem(exchange, HL_PROBLEM_MID_CONFLICT,
                            "Use a new id for new content, or repeat the first content.");
        break;
    case HL_LOG_UNKNOWN:
        hl_exchange_problem(exchange, HL_PROBLEM_UNKNOWN_CONVERSATION, "Check the id.");
        break;
    case HL_LOG_ERASED:
        hl_exchange_problem(exchange, HL_PROBLEM_CONVERSATION_ERASED, "It takes nothing more.");
        break;
    case HL_LOG_FULL:
        hl_exchange_problem(exchange, HL_PROBLEM_STORAGE_FULL,
                            "Nothing was stored; repeat it later.");
        break;
    case HL_LOG_CLOSED:
        hl_exchange_problem(exchange, HL_PROBLEM_DRAINING, "Nothing was stored; repeat it.");
        break;
    default:
        hl_exchange_problem(exchange, HL_PROBLEM_UNAVAILABLE,
                            "It may or may not be stored; repeat it with the same id.");
        break;
    }
}

void hl_reply_pending_problem(struct hl_pending *pending, int r)
{
    hl_reply_log_problem(hl_pending_take(pending), r);
    hl_pending_end(pending);
}

void hl_reply_log_problem_with(struct hl_exchange *exchange, enum hl_problem_code code,
                               const char *detail, const struct hl_buffer *extra)
{
    struct hl_problem problem = {.code = code,
                                 .detail = hl_bytes_of(detail),
                                 .extra = hl_buffer_failed(extra) ? (struct hl_bytes){0}
                                                                  : hl_buffer_bytes(extra)};
    hl_exchange_problem_with(exchange, &problem);
}

bool hl_reply_read_object(struct hl_exchange *exchange, json_t **out_object)
{
    char why[160];
    if (!hl_media_is(exchange->headers[HL_HEADER_CONTENT_TYPE], "application/json")) {
        hl_exchange_problem(exchange, HL_PROBLEM_UNSUPPORTED_TYPE,
                            "Send Content-Type: application/json.");
        return false;
    }
    if (!hl_json_is_utf8(exchange->body)) {
        hl_exchange_problem(exchange, HL_PROBLEM_INVALID_UTF8, "The body must be UTF-8.");
        return false;
    }
    int r = hl_json_parse(exchange->body, why, sizeof(why), out_object);
    if (r < 0) {
        hl_exchange_problem(exchange, HL_PROBLEM_BUSY, "Out of memory; repeat it later.");
        return false;
    }
    if (r != 0) {
        hl_exchange_problem(exchange, HL_PROBLEM_NOT_JSON, "%s", why);
        return false;
    }
    if (!json_is_object(*out_object)) {
        json_decref(*out_object);
        hl_reply_invalid(exchange, "", "The body must be a JSON object.");
        return false;
    }
    return true;
}

static bool parse_number(const char *text, uint64_t *out_number)
{
    uint64_t number = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (!isdigit((unsigned char)*c) || number > (UINT64_C(1) << 53))
            return false;
        number = number * 10 + (uint64_t)(*c - '0');
    }
    *out_number = number;
    return text[0] != '\0';
}

bool hl_reply_read_number(struct hl_exchange *exchange, const char *name, uint64_t min,
                          uint64_t max, uint64_t missing, uint64_t *out_number)
{
    char text[24];
    char pointer[64];
    int r = hl_exchange_query(exchange, name, text, sizeof(text));
    *out_number = missing;
    if (r == HL_QUERY_ABSENT)
        return true;
    if (r == 0 && parse_number(text, out_number) && *out_number >= min && *out_number <= max)
        return true;
    snprintf(pointer, sizeof(pointer), "/%s", name);
    hl_reply_invalid(exchange, pointer,
                     "%s must be a whole number from %" PRIu64 " to %" PRIu64 ".", name, min, max);
    return false;
}

bool hl_reply_read_conversation(struct hl_exchange *exchange, struct hl_bytes text,
                                struct hl_id *out_id)
{
    if (hl_id_parse(text, HL_ID_CONVERSATION, out_id) == 0)
        return true;
    hl_reply_log_problem(exchange, HL_LOG_UNKNOWN);
    return false;
}

void hl_reply_add_etag(struct hl_exchange *exchange, uint64_t revision)
{
    char text[32];
    snprintf(text, sizeof(text), "\"r%" PRIu64 "\"", revision);
    hl_reply_add_text(exchange, "etag", text);
}

void hl_reply_add_position(struct hl_exchange *exchange, struct hl_log *log, uint64_t position)
{
    char text[48];
    struct hl_log_info info;
    hl_log_info(log, &info);
    snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64, info.epoch, position);
    hl_reply_add_text(exchange, "holdline-position", text);
}

void hl_reply_add_text(struct hl_exchange *exchange, const char *name, const char *value)
{
    exchange->ops->header(exchange, name, hl_bytes_of(value));
}
