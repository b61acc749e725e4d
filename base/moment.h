/* Moments as text: RFC 3339 in UTC with milliseconds, as in 2026-11-23T13:37:05.012Z. */
#ifndef HL_BASE_MOMENT_H
#define HL_BASE_MOMENT_H

#include <stdint.h>

#include "base/bytes.h"

enum { HL_MOMENT_TEXT_SIZE = 24 + 1 };

/* `wall_ms` since 1970; outside of the years 1970 to 9999 the nearest moment within is given. */
void hl_moment_format(int64_t wall_ms, char out_text[HL_MOMENT_TEXT_SIZE]);
void hl_moment_append(struct hl_buffer *out, int64_t wall_ms);

enum { HL_MOMENT_INVALID = 1 };
/* RFC 3339 with any offset and any fraction of a second. 0, HL_MOMENT_INVALID. */
int hl_moment_parse(struct hl_bytes text, int64_t *out_wall_ms);

#endif
