#include "base/event.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"

enum { LINE_SIZE_MAX = 4096, VALUE_SIZE_MAX = 1024 };

static _Atomic int level_max = HL_EVENT_INFO;
static _Atomic int line_format = HL_EVENT_FORMAT_TEXT;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void hl_event_setup(enum hl_event_level level, enum hl_event_format format)
{
    atomic_store(&level_max, (int)level);
    atomic_store(&line_format, (int)format);
}

bool hl_event_enabled(enum hl_event_level level)
{
    return (int)level <= atomic_load_explicit(&level_max, memory_order_relaxed);
}

static void append_time(struct hl_buffer *line)
{
    int64_t now_ms = hl_clock_wall_ms(hl_clock_system());
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm parts;
    char text[32];

    HL_CHECK(gmtime_r(&seconds, &parts) != NULL);
    HL_CHECK(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) > 0);
    hl_buffer_printf(line, "%s.%03dZ", text, (int)(now_ms % 1000));
}

/* UTF-8 without the control characters U+0080 to U+009F, which some terminals obey; the ASCII
 * ones are escaped anyway. */
static bool is_showable(struct hl_bytes value)
{
    for (size_t i = 0; i + 1 < value.size; i++) {
        if ((unsigned char)value.data[i] == 0xc2 && (unsigned char)value.data[i + 1] < 0xa0)
            return false;
    }
    return hl_json_is_utf8(value);
}

/* Cut, if it is too long, between two characters. */
static struct hl_bytes cut_value(struct hl_bytes value)
{
    if (value.size <= VALUE_SIZE_MAX)
        return value;
    value.size = VALUE_SIZE_MAX;
    while (((unsigned char)value.data[value.size] & 0xc0) == 0x80 &&
           value.size > VALUE_SIZE_MAX - 4)
        value.size--;
    return value;
}

/* Values come from anywhere: what is not fit to be shown becomes ASCII. */
static void append_quoted(struct hl_buffer *line, struct hl_bytes whole)
{
    struct hl_bytes value = cut_value(whole);

    if (is_showable(value)) {
        hl_json_append_string(line, value);
        return;
    }
    hl_buffer_append(line, "\"", 1);
    for (size_t i = 0; i < value.size; i++) {
        bool plain = value.data[i] > 0x20 && value.data[i] < 0x7f && value.data[i] != '"' &&
                     value.data[i] != '\\';
        hl_buffer_append(line, plain ? &value.data[i] : "?", 1);
    }
    hl_buffer_append(line, "\"", 1);
}

static bool is_bare(struct hl_bytes value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c <= 0x20 || c >= 0x7f || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return value.size > 0 && value.size <= VALUE_SIZE_MAX;
}

static void append_value(struct hl_buffer *line, const struct hl_event_field *field, bool json)
{
    struct hl_bytes value = field->bytes;

    switch (field->type) {
    case HL_FIELD_U64:
        hl_buffer_append_u64(line, field->u64);
        return;
    case HL_FIELD_I64:
        hl_buffer_append_i64(line, field->i64);
        return;
    case HL_FIELD_TEXT:
        value = hl_bytes_of(field->text == NULL ? "" : field->text);
        break;
    case HL_FIELD_BYTES:
        break;
    }
    if (!json && is_bare(value))
        hl_buffer_append_bytes(line, value);
    else
        append_quoted(line, value);
}

static void append_json(struct hl_buffer *line, enum hl_event_level level, const char *event)
{
    hl_buffer_append_text(line, "{\"time\":\"");
    append_time(line);
    hl_buffer_printf(line, "\",\"level\":\"%s\",\"event\":\"%s\"", level_names[level], event);
}

static void append_text(struct hl_buffer *line, enum hl_event_level level, const char *event)
{
    append_time(line);
    hl_buffer_printf(line, " level=%s event=%s", level_names[level], event);
}

/* One line is one write(), so that lines of several threads never mix. */
static void write_line(const struct hl_buffer *line)
{
    struct hl_bytes bytes = hl_buffer_bytes(line);
    ssize_t written = write(STDERR_FILENO, bytes.data, bytes.size);

    (void)written; /* nobody is left to be told */
}

void hl_event_write(enum hl_event_level level, const char *event,
                    const struct hl_event_field *fields, size_t n_fields)
{
    bool json = atomic_load(&line_format) == HL_EVENT_FORMAT_JSON;
    struct hl_buffer line;

    if (!hl_event_enabled(level))
        return;
    hl_buffer_init(&line, LINE_SIZE_MAX);
    if (json)
        append_json(&line, level, event);
    else
        append_text(&line, level, event);
    for (size_t i = 0; i < n_fields; i++) {
        size_t mark = line.size;
        hl_buffer_printf(&line, json ? ",\"%s\":" : " %s=", fields[i].key);
        append_value(&line, &fields[i], json);
        if (hl_buffer_failed(&line) || line.size > LINE_SIZE_MAX - 2) {
            line.failed = false; /* a field that does not fit is left out whole */
            line.size = mark;
        }
    }
    hl_buffer_append_text(&line, json ? "}\n" : "\n");
    write_line(&line);
    hl_buffer_fini(&line);
}
