/* What the handlers share: reading parameters and bodies, refusing, and writing answers.
 * Functions that return bool have answered the exchange with a problem when they say false.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_REPLY_H
#define HL_AGENT_API_REPLY_H

#include "agent-api/exchange.h"
#include "agent-api/pending.h"
#include "base/id.h"
#include "base/json.h"
#include "store/log.h"

enum { HL_REPLY_BYTES_MAX = 4 * 1024 * 1024 };

/* Answers with JSON; a body that did not fit becomes the problem "internal". */
void hl_reply_json(struct hl_exchange *exchange, int status, const struct hl_buffer *body);
/* 422 with errors[].pointer. */
void hl_reply_invalid(struct hl_exchange *exchange, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The problem of an outcome of the log, or of a negative result. */
void hl_reply_log_problem(struct hl_exchange *exchange, int r);
/* The same for a request whose call was not taken; ends it. */
void hl_reply_pending_problem(struct hl_pending *pending, int r);
void hl_reply_log_problem_with(struct hl_exchange *exchange, enum hl_problem_code code,
                               const char *detail, const struct hl_buffer *extra);

/* The JSON object in the body. */
bool hl_reply_read_object(struct hl_exchange *exchange, json_t **out_object);
/* An optional number of the query: `missing` if absent. */
bool hl_reply_read_number(struct hl_exchange *exchange, const char *name, uint64_t min,
                          uint64_t max, uint64_t missing, uint64_t *out_number);
/* "cnv_…" of a path; anything else is 404 unknown_conversation. */
bool hl_reply_read_conversation(struct hl_exchange *exchange, struct hl_bytes text,
                                struct hl_id *out_id);

/* Headers of an answer, before it. */
void hl_reply_add_etag(struct hl_exchange *exchange, uint64_t revision);
void hl_reply_add_position(struct hl_exchange *exchange, struct hl_log *log, uint64_t position);
void hl_reply_add_text(struct hl_exchange *exchange, const char *name, const char *value);

#endif
