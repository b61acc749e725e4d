/* Percent-encoding (RFC 3986 section 2.1), as paths, queries and HTML forms use it. Pure. */
#ifndef HL_AGENT_API_PERCENT_H
#define HL_AGENT_API_PERCENT_H

#include "base/bytes.h"

/* HL_PERCENT_FORM: "+" is a space too (WHATWG URL Standard section 5.1). */
enum hl_percent_kind { HL_PERCENT_PATH, HL_PERCENT_FORM };
enum { HL_PERCENT_INVALID = 1 };

/* Decodes into NUL-terminated text, which is never longer than the input. 0,
 * HL_PERCENT_INVALID (bad escape, a NUL byte, longer than the buffer). Whether it is UTF-8
 * is the caller's to ask. */
int hl_percent_decode(struct hl_bytes text, enum hl_percent_kind kind, char *out, size_t out_size);

#endif
