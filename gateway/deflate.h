/* Message compression of permessage-deflate (RFC 7692) without context takeover: every message
 * stands alone, so one compressor and one expander serve all connections of a loop and an idle
 * connection holds nothing. Pure, bounded. Thread: its owner's. */
#ifndef HL_GATEWAY_DEFLATE_H
#define HL_GATEWAY_DEFLATE_H

#include "base/bytes.h"

struct hl_deflate;

int hl_deflate_create(struct hl_deflate **out_codec); /* 0, -ENOMEM */
void hl_deflate_destroy(struct hl_deflate *codec);    /* accepts NULL */

/* Appends the compressed message, without the four bytes 00 00 ff ff at its end. If it does
 * not fit, out has failed. */
void hl_deflate_compress(struct hl_deflate *codec, struct hl_bytes message, struct hl_buffer *out);

/* Appends the expanded message. 0; HL_DEFLATE_INVALID: not a deflate stream;
 * HL_DEFLATE_TOO_LARGE: it expands to more than out takes. */
enum { HL_DEFLATE_INVALID = 1, HL_DEFLATE_TOO_LARGE };
int hl_deflate_expand(struct hl_deflate *codec, struct hl_bytes compressed, struct hl_buffer *out);

#endif
