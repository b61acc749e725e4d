/* JSON policy in one place, on jansson: how strictly text from outside is read, and how
 * values are written into a bounded buffer. RFC 8259, I-JSON (RFC 7493). */
#ifndef HL_BASE_JSON_H
#define HL_BASE_JSON_H

#include <jansson.h>

#include "base/bytes.h"

enum { HL_JSON_INVALID = 1 };
enum { HL_JSON_DEPTH_MAX = 32 };

/* Reads one whole JSON value: valid UTF-8, no duplicate keys, no NUL bytes after the value,
 * nesting at most HL_JSON_DEPTH_MAX. out_value is the caller's (json_decref). On
 * HL_JSON_INVALID `why` (may be NULL) receives a short English reason with a byte position.
 * 0, HL_JSON_INVALID, -ENOMEM. */
int hl_json_parse(struct hl_bytes text, char *why, size_t why_size, json_t **out_value);

/* Appends the canonical form: keys sorted, no white space. Two values are "the same body"
 * exactly if their canonical forms are equal bytes. */
void hl_json_append_canonical(struct hl_buffer *buffer, const json_t *value);

/* Appends a JSON string with quotes and escapes; `text` must be valid UTF-8. */
void hl_json_append_string(struct hl_buffer *buffer, struct hl_bytes text);

bool hl_json_is_utf8(struct hl_bytes text);

#endif
