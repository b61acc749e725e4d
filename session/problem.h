/* Every error a client can meet: one table (problem_table.h) gives code, HTTP status, retry
 * class, WebSocket close code and title to the HTTP answers, the error frames, the documents
 * and the SDK constants. Shape: RFC 9457 problem details plus code, retryable, request_id. */
#ifndef HL_SESSION_PROBLEM_H
#define HL_SESSION_PROBLEM_H

#include "base/bytes.h"

/* What a client should do next: never come back so, come back later with backoff, come back
 * now. Close codes: 4000-4099 never, 4100-4199 later, 4200-4299 now. */
enum hl_retry { HL_RETRY_NEVER, HL_RETRY_LATER, HL_RETRY_NOW };

enum hl_problem_code {
#define HL_PROBLEM(NAME, code, status, retry, close, title) HL_PROBLEM_##NAME,
#include "session/problem_table.h"
#undef HL_PROBLEM
    HL_PROBLEM_END
};

struct hl_problem_kind {
    const char *code; /* stable, snake_case */
    int status;       /* HTTP */
    enum hl_retry retry;
    int close; /* WebSocket close code when it ends a connection; 0: it never does */
    const char *title;
};
const struct hl_problem_kind *hl_problem_kind(enum hl_problem_code code);
const char *hl_retry_name(enum hl_retry retry); /* "never", "later", "now" */

/* One occurrence. Views are lent for the call that takes it. */
struct hl_problem {
    enum hl_problem_code code;
    struct hl_bytes detail;     /* what is wrong and what to do next, English */
    struct hl_bytes pointer;    /* JSON pointer of the offending member, or empty */
    struct hl_bytes request_id; /* or empty */
    uint32_t retry_ms;          /* 0: no advice beyond the class */
    struct hl_bytes extra;      /* more members as JSON text without braces, or empty */
};

/* Appends the JSON object: type, title, status, detail, code, retryable, request_id?,
 * retry_ms?, errors? and the extra members. */
void hl_problem_append(struct hl_buffer *out, const struct hl_problem *problem);

#endif
