#include "session/frame_text.h"

#include "base/check.h"

static void append_text(struct hl_buffer *out, const char *text)
{
    hl_buffer_append_text(out, text);
}

static void append_number(struct hl_buffer *out, const char *name, uint64_t number)
{
    hl_buffer_append_text(out, name);
    hl_buffer_append_u64(out, number);
}

static void append_string(struct hl_buffer *out, const char *name, struct hl_bytes text)
{
    hl_buffer_append_text(out, name);
    hl_json_append_string(out, text);
}

static void append_id(struct hl_buffer *out, const char *name, const char *prefix,
                      const struct hl_id *id)
{
    char text[HL_ID_TEXT_SIZE];

    hl_id_format(id, prefix, text);
    hl_buffer_append_text(out, name);
    hl_buffer_append(out, "\"", 1);
    hl_buffer_append(out, text, HL_ID_TEXT_SIZE - 1);
    hl_buffer_append(out, "\"", 1);
}

static void append_conversation(struct hl_buffer *out, const struct hl_id *id)
{
    append_id(out, ",\"c\":", HL_ID_CONVERSATION, id);
}

static void append_epoch(struct hl_buffer *out, uint64_t epoch)
{
    append_number(out, ",\"e\":\"", epoch);
    hl_buffer_append(out, "\"", 1);
}

static const char *prefix_of(uint8_t role)
{
    switch ((enum hl_role)role) {
    case HL_ROLE_VISITOR:
        return HL_ID_VISITOR;
    case HL_ROLE_AGENT:
        return HL_ID_AGENT;
    case HL_ROLE_INTEGRATION:
        return "int_";
    case HL_ROLE_SYSTEM:
        break;
    }
    return "sys_";
}

static void append_from(struct hl_buffer *out, const struct hl_author *from, const char *name)
{
    append_text(out, ",\"from\":{\"role\":\"");
    append_text(out, hl_role_name((enum hl_role)from->role));
    append_id(out, "\",\"id\":", prefix_of(from->role), &from->id);
    if (name[0] != '\0')
        append_string(out, ",\"name\":", hl_bytes_of(name));
    hl_buffer_append(out, "}", 1);
}

static void append_problem(struct hl_buffer *out, const struct hl_problem *problem)
{
    append_text(out, ",\"problem\":");
    hl_problem_append(out, problem);
}

struct day {
    int64_t year;
    unsigned month;
    unsigned day;
};

/* Days since 1970-01-01 to the proleptic Gregorian calendar: years counted from March, so
 * that the leap day is the last of its year, in eras of 400 years (146097 days). */
static struct day find_day(int64_t days)
{
    int64_t shifted = days + 719468; /* since 0000-03-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned of_era = (unsigned)(shifted - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153; /* 0: March */
    struct day day = {.day = of_year - (153 * month + 2) / 5 + 1,
                      .month = month < 10 ? month + 3 : month - 9};

    day.year = era * 400 + (int64_t)year + (day.month <= 2);
    return day;
}

static void put_digits(char *text, unsigned value, int n_digits)
{
    for (int i = n_digits - 1; i >= 0; i--) {
        text[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

void hl_time_append(struct hl_buffer *out, int64_t wall_ms)
{
    enum { DAY_MS = 86400000 };
    char text[] = "\"0000-00-00T00:00:00.000Z\"";
    int64_t days = wall_ms / DAY_MS - (wall_ms % DAY_MS < 0);
    unsigned ms = (unsigned)(wall_ms - days * DAY_MS);
    struct day day = find_day(days);

    put_digits(text + 1, (unsigned)day.year, 4);
    put_digits(text + 6, day.month, 2);
    put_digits(text + 9, day.day, 2);
    put_digits(text + 12, ms / 3600000, 2);
    put_digits(text + 15, ms / 60000 % 60, 2);
    put_digits(text + 18, ms / 1000 % 60, 2);
    put_digits(text + 21, ms % 1000, 3);
    hl_buffer_append(out, text, sizeof(text) - 1);
}

static void append_reference(struct hl_buffer *out, const char *reference)
{
    if (reference[0] != '\0')
        append_string(out, ",\"reference\":", hl_bytes_of(reference));
}

void hl_frame_text_welcome_begin(struct hl_buffer *out, const struct hl_welcome *welcome)
{
    append_id(out, "{\"t\":\"welcome\",\"v\":1,\"sid\":", HL_ID_SESSION, &welcome->session);
    if (welcome->token.size > 0)
        append_string(out, ",\"token\":", welcome->token);
    append_number(out, ",\"gen\":", welcome->generation);
    append_id(out, ",\"participant\":", prefix_of(welcome->participant.role),
              &welcome->participant.id);
    append_string(out, ",\"node\":", hl_bytes_of(welcome->node));
    append_string(out, ",\"dur\":", hl_bytes_of(welcome->durability));
    append_number(out, ",\"credit\":", welcome->credit);
    append_number(out, ",\"ttl_ms\":", welcome->ttl_ms);
    append_number(out, ",\"ping_ms\":", welcome->ping_ms);
    append_number(out, ",\"body_max\":", welcome->body_max);
    append_number(out, ",\"seq\":", welcome->seq);
    append_text(out, ",\"conv\":[");
}

void hl_frame_text_welcome_conversation(struct hl_buffer *out, bool is_first,
                                        const struct hl_welcome_conversation *conversation)
{
    static const char *const verdicts[] = {"resumed", "gap", "reset"};

    append_id(out, is_first ? "{\"c\":" : ",{\"c\":", HL_ID_CONVERSATION, &conversation->id);
    append_text(out, ",\"verdict\":\"");
    append_text(out, verdicts[conversation->verdict]);
    append_text(out, "\"");
    append_epoch(out, conversation->epoch);
    append_number(out, ",\"head\":", conversation->head);
    append_number(out, ",\"floor\":", conversation->floor);
    append_reference(out, conversation->reference);
    append_text(out, "}");
}

void hl_frame_text_welcome_end(struct hl_buffer *out)
{
    append_text(out, "]}");
}

static bool has_subject(const struct hl_entry *entry)
{
    return !hl_id_is_zero(&entry->subject);
}

static const char *subject_prefix_of(const struct hl_entry *entry)
{
    return entry->kind == HL_ENTRY_MOVED ? HL_ID_INBOX : HL_ID_AGENT;
}

void hl_frame_text_msg(struct hl_buffer *out, const struct hl_entry *entry, uint64_t epoch,
                       bool to_visitor, const char *name)
{
    append_text(out, "{\"t\":\"msg\"");
    append_conversation(out, &entry->conversation);
    append_epoch(out, epoch);
    append_number(out, ",\"o\":", entry->offset);
    append_string(out, ",\"mid\":", hl_entry_mid(entry));
    append_from(out, &entry->author, name);
    append_text(out, ",\"ts\":");
    hl_time_append(out, entry->wall_ms);
    append_text(out, ",\"kind\":\"");
    append_text(out, hl_entry_kind_name((enum hl_entry_kind)entry->kind));
    append_text(out, "\"");
    if (has_subject(entry))
        append_id(out, ",\"subject\":", subject_prefix_of(entry), &entry->subject);
    if (entry->is_erased)
        append_text(out, ",\"erased\":true");
    append_text(out, ",\"body\":");
    if (to_visitor && !hl_entry_is_open_to_visitors(entry))
        append_text(out, "{}");
    else
        hl_buffer_append_bytes(out, hl_entry_body(entry));
}

static void append_after(struct hl_buffer *out, int64_t after)
{
    if (after != HL_NO_AFTER)
        append_number(out, ",\"after\":", (uint64_t)after);
}

void hl_frame_text_msg_end(struct hl_buffer *out, int64_t after)
{
    append_after(out, after);
    append_text(out, "}");
}

void hl_frame_text_synced(struct hl_buffer *out, const struct hl_id *conversation, uint64_t offset)
{
    append_text(out, "{\"t\":\"synced\"");
    append_conversation(out, conversation);
    append_number(out, ",\"o\":", offset);
    append_text(out, "}");
}

void hl_frame_text_gap(struct hl_buffer *out, const struct hl_id *conversation, uint64_t epoch,
                       uint64_t from, uint64_t to)
{
    append_text(out, "{\"t\":\"gap\"");
    append_conversation(out, conversation);
    append_epoch(out, epoch);
    append_number(out, ",\"from\":", from);
    append_number(out, ",\"to\":", to);
    append_number(out, ",\"why\":\"trimmed\",\"next\":", to + 1);
    append_text(out, "}");
}

void hl_frame_text_pub_ok(struct hl_buffer *out, const struct hl_pub_ok *ok)
{
    append_string(out, "{\"t\":\"pub_ok\",\"mid\":", ok->mid);
    if (ok->has_seq)
        append_number(out, ",\"seq\":", ok->seq);
    append_conversation(out, &ok->conversation);
    append_epoch(out, ok->epoch);
    append_number(out, ",\"o\":", ok->offset);
    append_after(out, ok->after);
    append_text(out, ",\"ts\":");
    hl_time_append(out, ok->wall_ms);
    append_text(out, ok->is_duplicate ? ",\"dup\":true,\"dur\":\"" : ",\"dup\":false,\"dur\":\"");
    append_text(out, ok->durability);
    append_text(out, "\"");
    append_reference(out, ok->reference);
    append_text(out, "}");
}

void hl_frame_text_pub_no(struct hl_buffer *out, const struct hl_pub_no *no)
{
    append_string(out, "{\"t\":\"pub_no\",\"mid\":", no->mid);
    if (no->has_seq)
        append_number(out, ",\"seq\":", no->seq);
    append_problem(out, &no->problem);
    if (no->want > 0)
        append_number(out, ",\"want\":", no->want);
    if (no->has_head)
        append_number(out, ",\"head\":", no->head);
    append_text(out, "}");
}

void hl_frame_text_receipt(struct hl_buffer *out, const struct hl_id *conversation,
                           const struct hl_author *from, uint64_t delivered, uint64_t read)
{
    append_text(out, "{\"t\":\"receipt\"");
    append_conversation(out, conversation);
    append_from(out, from, "");
    append_number(out, ",\"delivered\":", delivered);
    append_number(out, ",\"read\":", read);
    append_text(out, "}");
}

void hl_frame_text_state(struct hl_buffer *out, const char *name, const struct hl_id *conversation,
                         const struct hl_author *from, bool is_on)
{
    append_text(out, "{\"t\":\"");
    append_text(out, name);
    append_text(out, "\"");
    append_conversation(out, conversation);
    append_from(out, from, "");
    append_text(out, is_on ? ",\"on\":true}" : ",\"on\":false}");
}

void hl_frame_text_ping_begin(struct hl_buffer *out, int64_t wall_ms)
{
    append_text(out, "{\"t\":\"ping\",\"ts\":");
    hl_time_append(out, wall_ms);
    append_text(out, ",\"heads\":[");
}

void hl_frame_text_ping_head(struct hl_buffer *out, bool is_first, const struct hl_id *conversation,
                             uint64_t offset)
{
    append_id(out, is_first ? "{\"c\":" : ",{\"c\":", HL_ID_CONVERSATION, conversation);
    append_number(out, ",\"o\":", offset);
    append_text(out, "}");
}

void hl_frame_text_ping_end(struct hl_buffer *out)
{
    append_text(out, "]}");
}

void hl_frame_text_pong(struct hl_buffer *out, const json_t *ts)
{
    append_text(out, "{\"t\":\"pong\"");
    if (ts != NULL) {
        append_text(out, ",\"ts\":");
        hl_json_append_canonical(out, ts);
    }
    append_text(out, "}");
}

void hl_frame_text_auth_ok(struct hl_buffer *out, struct hl_bytes token, int64_t expires_ms)
{
    append_text(out, "{\"t\":\"auth_ok\"");
    if (token.size > 0)
        append_string(out, ",\"token\":", token);
    append_text(out, ",\"expires\":");
    hl_time_append(out, expires_ms);
    append_text(out, "}");
}

void hl_frame_text_drain(struct hl_buffer *out, uint32_t window_ms, uint32_t deadline_ms)
{
    append_number(out, "{\"t\":\"drain\",\"window_ms\":", window_ms);
    append_number(out, ",\"deadline_ms\":", deadline_ms);
    append_text(out, "}");
}

void hl_frame_text_bye(struct hl_buffer *out, const struct hl_problem *problem)
{
    const struct hl_problem_kind *kind = hl_problem_kind(problem->code);

    HL_CHECK(kind->close != 0);
    append_number(out, "{\"t\":\"bye\",\"code\":", (uint64_t)kind->close);
    append_string(out, ",\"name\":", hl_bytes_of(kind->code));
    append_string(out, ",\"class\":", hl_bytes_of(hl_retry_name(kind->retry)));
    if (problem->retry_ms > 0)
        append_number(out, ",\"retry_ms\":", problem->retry_ms);
    append_problem(out, problem);
    append_text(out, "}");
}

void hl_frame_text_error(struct hl_buffer *out, const struct hl_problem *problem,
                         struct hl_bytes frame, struct hl_bytes mid)
{
    append_text(out, "{\"t\":\"error\"");
    append_problem(out, problem);
    if (frame.size > 0) {
        append_string(out, ",\"ref\":{\"t\":", frame);
        if (mid.size > 0)
            append_string(out, ",\"mid\":", mid);
        append_text(out, "}");
    }
    append_text(out, "}");
}
