/* PASETO version 4, local and public purpose (paseto-standard/paseto-spec, Version4.md) on
 * libsodium's primitives. Text is read strictly: canonical base64url without padding.
 * Thread: any; no state. Who means what by a payload is told elsewhere (token.h). */
#ifndef HL_SESSION_PASETO_H
#define HL_SESSION_PASETO_H

#include "base/bytes.h"

enum {
    HL_PASETO_KEY_SIZE = 32,        /* local; also the public key */
    HL_PASETO_NONCE_SIZE = 32,      /* fresh random bytes for every local token */
    HL_PASETO_SECRET_KEY_SIZE = 64, /* public purpose: seed and public key, as libsodium has it */
};
enum { HL_PASETO_INVALID = 1 };

/* What is authenticated besides the payload. Both may be empty. */
struct hl_paseto_context {
    struct hl_bytes footer;   /* part of the token, readable by all */
    struct hl_bytes implicit; /* not part of the token; both sides know it */
};

/* Append the token. 0, -ENOMEM (also if the buffer's bound is met). */
int hl_paseto_encrypt(const uint8_t key[HL_PASETO_KEY_SIZE],
                      const uint8_t nonce[HL_PASETO_NONCE_SIZE], struct hl_bytes message,
                      const struct hl_paseto_context *context, struct hl_buffer *out_token);
int hl_paseto_sign(const uint8_t secret_key[HL_PASETO_SECRET_KEY_SIZE], struct hl_bytes message,
                   const struct hl_paseto_context *context, struct hl_buffer *out_token);

/* Append the message if the token is genuine and bears exactly context->footer. The check of
 * a local token takes the same time whichever byte is wrong.
 * 0, HL_PASETO_INVALID, -ENOMEM. */
int hl_paseto_decrypt(const uint8_t key[HL_PASETO_KEY_SIZE], struct hl_bytes token,
                      const struct hl_paseto_context *context, struct hl_buffer *out_message);
int hl_paseto_verify(const uint8_t public_key[HL_PASETO_KEY_SIZE], struct hl_bytes token,
                     const struct hl_paseto_context *context, struct hl_buffer *out_message);

/* Appends the footer of a token of either purpose, unchecked: for choosing the key.
 * 0, HL_PASETO_INVALID, -ENOMEM. */
int hl_paseto_footer(struct hl_bytes token, struct hl_buffer *out_footer);

#endif
