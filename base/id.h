/* 128-bit identifiers: UUID version 7 (RFC 9562 section 5.7) or derived by a keyed hash.
 * Outside they are opaque lower-case text: a prefix that names the kind, "_" and 32 hex
 * digits, as in cnv_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b. */
#ifndef HL_BASE_ID_H
#define HL_BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct hl_id {
    uint8_t b[16];
};

enum { HL_ID_PREFIX_SIZE = 4, HL_ID_TEXT_SIZE = HL_ID_PREFIX_SIZE + 32 + 1 };
enum { HL_ID_INVALID = 1 };

#define HL_ID_CONVERSATION "cnv_"
#define HL_ID_VISITOR "vis_"
#define HL_ID_AGENT "agt_"
#define HL_ID_INBOX "inb_"
#define HL_ID_SESSION "ses_"
#define HL_ID_REQUEST "req_"

/* Time-ordered id out of a wall clock and 10 random bytes. */
struct hl_id hl_id_v7(int64_t wall_ms, const uint8_t random[10]);
bool hl_id_equal(const struct hl_id *a, const struct hl_id *b);
bool hl_id_is_zero(const struct hl_id *id);
void hl_id_format(const struct hl_id *id, const char *prefix, char out_text[HL_ID_TEXT_SIZE]);
/* 0, HL_ID_INVALID (wrong prefix, length or digit). */
int hl_id_parse(struct hl_bytes text, const char *prefix, struct hl_id *out_id);

#endif
