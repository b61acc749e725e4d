#include "session/problem.h"

#include "base/check.h"
#include "base/json.h"

static const struct hl_problem_kind kinds[] = {
#define HL_PROBLEM(NAME, code, status, retry, close, title) {code, status, retry, close, title},
#include "session/problem_table.h"
#undef HL_PROBLEM
};

const struct hl_problem_kind *hl_problem_kind(enum hl_problem_code code)
{
    HL_CHECK((unsigned)code < HL_PROBLEM_END);
    return &kinds[code];
}

const char *hl_retry_name(enum hl_retry retry)
{
    static const char *const names[] = {"never", "later", "now"};

    HL_CHECK((unsigned)retry < sizeof(names) / sizeof(names[0]));
    return names[retry];
}

static void append_errors(struct hl_buffer *out, const struct hl_problem *problem)
{
    hl_buffer_append_text(out, ",\"errors\":[{\"pointer\":");
    hl_json_append_string(out, problem->pointer);
    hl_buffer_append_text(out, ",\"detail\":");
    hl_json_append_string(out, problem->detail);
    hl_buffer_append_text(out, "}]");
}

void hl_problem_append(struct hl_buffer *out, const struct hl_problem *problem)
{
    const struct hl_problem_kind *kind = hl_problem_kind(problem->code);
    struct hl_bytes detail = problem->detail.size > 0 ? problem->detail : hl_bytes_of(kind->title);

    hl_buffer_append_text(out, "{\"type\":\"about:blank\",\"title\":");
    hl_json_append_string(out, hl_bytes_of(kind->title));
    hl_buffer_append_text(out, ",\"status\":");
    hl_buffer_append_i64(out, kind->status);
    hl_buffer_append_text(out, ",\"detail\":");
    hl_json_append_string(out, detail);
    hl_buffer_append_text(out, ",\"code\":\"");
    hl_buffer_append_text(out, kind->code);
    hl_buffer_append_text(out, "\",\"retryable\":");
    hl_buffer_append_text(out, kind->retry == HL_RETRY_NEVER ? "false" : "true");
    if (problem->request_id.size > 0) {
        hl_buffer_append_text(out, ",\"request_id\":");
        hl_json_append_string(out, problem->request_id);
    }
    if (problem->retry_ms > 0) {
        hl_buffer_append_text(out, ",\"retry_ms\":");
        hl_buffer_append_u64(out, problem->retry_ms);
    }
    if (problem->pointer.size > 0)
        append_errors(out, problem);
    if (problem->extra.size > 0) {
        hl_buffer_append(out, ",", 1);
        hl_buffer_append_bytes(out, problem->extra);
    }
    hl_buffer_append(out, "}", 1);
}
