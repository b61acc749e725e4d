/* The operator's log: one line per event on standard error, key=value or JSON.
 * Never message bodies, never secrets. Safe from any thread; a line is one write(). */
#ifndef HL_BASE_EVENT_H
#define HL_BASE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum hl_event_level { HL_EVENT_ERROR, HL_EVENT_WARN, HL_EVENT_INFO, HL_EVENT_DEBUG };
enum hl_event_format { HL_EVENT_FORMAT_TEXT, HL_EVENT_FORMAT_JSON };

void hl_event_setup(enum hl_event_level level, enum hl_event_format format);
bool hl_event_enabled(enum hl_event_level level);

/* An event is a dotted name and pairs: hl_event(HL_EVENT_INFO, "gateway.listening",
 * HL_TEXT("address", text), HL_U64("loops", n)). Values are escaped; control bytes never
 * reach the terminal. */
struct hl_event_field {
    const char *key;
    enum { HL_FIELD_TEXT, HL_FIELD_BYTES, HL_FIELD_U64, HL_FIELD_I64 } type;
    const char *text;
    struct hl_bytes bytes;
    uint64_t u64;
    int64_t i64;
};
#define HL_TEXT(k, v) ((struct hl_event_field){.key = (k), .type = HL_FIELD_TEXT, .text = (v)})
#define HL_BYTES(k, v) ((struct hl_event_field){.key = (k), .type = HL_FIELD_BYTES, .bytes = (v)})
#define HL_U64(k, v) ((struct hl_event_field){.key = (k), .type = HL_FIELD_U64, .u64 = (v)})
#define HL_I64(k, v) ((struct hl_event_field){.key = (k), .type = HL_FIELD_I64, .i64 = (v)})

void hl_event_write(enum hl_event_level level, const char *event,
                    const struct hl_event_field *fields, size_t n_fields);
#define hl_event(level, event, ...)                                                                \
    hl_event_write((level), (event), (const struct hl_event_field[]){__VA_ARGS__},                 \
                   sizeof((const struct hl_event_field[]){__VA_ARGS__}) /                          \
                       sizeof(struct hl_event_field))

#endif
