#include "session/paseto.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/check.h"
#include "base/result.h"

static const char local_header[] = "v4.local.";
static const char public_header[] = "v4.public.";

enum {
    TAG_SIZE = 32,
    STREAM_KEY_SIZE = crypto_stream_xchacha20_KEYBYTES,
    STREAM_NONCE_SIZE = crypto_stream_xchacha20_NONCEBYTES,
    SIGNATURE_SIZE = crypto_sign_BYTES,
    TEXT_SIZE_MAX = 1 << 20
};

struct keys {
    uint8_t stream[STREAM_KEY_SIZE + STREAM_NONCE_SIZE];
    uint8_t tag[TAG_SIZE];
};

static void derive_key(const uint8_t key[HL_PASETO_KEY_SIZE], const char *purpose,
                       const uint8_t *nonce, uint8_t *out_key, size_t out_size)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, key, HL_PASETO_KEY_SIZE, out_size);
    crypto_generichash_update(&state, (const uint8_t *)purpose, strlen(purpose));
    crypto_generichash_update(&state, nonce, HL_PASETO_NONCE_SIZE);
    crypto_generichash_final(&state, out_key, out_size);
}

static void derive_keys(const uint8_t key[HL_PASETO_KEY_SIZE], const uint8_t *nonce,
                        struct keys *out_keys)
{
    derive_key(key, "paseto-encryption-key", nonce, out_keys->stream, sizeof(out_keys->stream));
    derive_key(key, "paseto-auth-key-for-aead", nonce, out_keys->tag, sizeof(out_keys->tag));
}

/* A size as pre-authentication encoding has it: 64 bits, little-endian, top bit clear. */
static void encode_size(uint64_t size, uint8_t out_bytes[8])
{
    for (int i = 0; i < 8; i++)
        out_bytes[i] = (uint8_t)(size >> (8 * i));
    out_bytes[7] &= 0x7f;
}

static void hash_piece(crypto_generichash_state *state, const void *data, size_t size)
{
    uint8_t encoded[8];

    encode_size(size, encoded);
    crypto_generichash_update(state, encoded, sizeof(encoded));
    if (size > 0)
        crypto_generichash_update(state, data, size);
}

/* Tag over the pre-authentication encoding of header, nonce, ciphertext, footer, implicit. */
static void compute_tag(const struct keys *keys, const uint8_t *nonce, struct hl_bytes ciphertext,
                        const struct hl_paseto_context *context, uint8_t out_tag[TAG_SIZE])
{
    crypto_generichash_state state;
    uint8_t count[8];

    encode_size(5, count);
    crypto_generichash_init(&state, keys->tag, sizeof(keys->tag), TAG_SIZE);
    crypto_generichash_update(&state, count, sizeof(count));
    hash_piece(&state, local_header, strlen(local_header));
    hash_piece(&state, nonce, HL_PASETO_NONCE_SIZE);
    hash_piece(&state, ciphertext.data, ciphertext.size);
    hash_piece(&state, context->footer.data, context->footer.size);
    hash_piece(&state, context->implicit.data, context->implicit.size);
    crypto_generichash_final(&state, out_tag, TAG_SIZE);
}

static int append_base64(struct hl_buffer *out, const uint8_t *data, size_t size)
{
    size_t text_size = sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = malloc(text_size);

    if (text == NULL)
        return -ENOMEM;
    sodium_bin2base64(text, text_size, data, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    hl_buffer_append(out, text, text_size - 1);
    free(text);
    return 0;
}

static bool is_ascii(struct hl_bytes text)
{
    unsigned all = 0;

    for (size_t i = 0; i < text.size; i++)
        all |= (unsigned char)text.data[i];
    return all < 0x80;
}

/* libsodium refuses padding, foreign characters and set bits behind the last byte, but its
 * 1.0.18 takes every byte above 0x7f for a digit. */
static int decode_base64(struct hl_bytes text, uint8_t **out_data, size_t *out_size)
{
    if (!is_ascii(text))
        return HL_PASETO_INVALID;
    uint8_t *data = malloc(text.size + 1);
    if (data == NULL)
        return -ENOMEM;
    if (text.size > 0 && sodium_base642bin(data, text.size, text.data, text.size, NULL, out_size,
                                           NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0) {
        free(data);
        return HL_PASETO_INVALID;
    }
    if (text.size == 0)
        *out_size = 0;
    *out_data = data;
    return 0;
}

static int append_token(struct hl_buffer *out, const char *header, const uint8_t *payload,
                        size_t size, struct hl_bytes footer)
{
    hl_buffer_append_text(out, header);
    int r = append_base64(out, payload, size);
    if (r == 0 && footer.size > 0) {
        hl_buffer_append(out, ".", 1);
        r = append_base64(out, (const uint8_t *)footer.data, footer.size);
    }
    if (r == 0 && hl_buffer_failed(out))
        r = -ENOMEM;
    return r;
}

struct parts { /* views into the token's text */
    struct hl_bytes payload;
    struct hl_bytes footer;
};

static int split_token(struct hl_bytes token, const char *header, struct parts *out_parts)
{
    size_t header_size = strlen(header);

    if (token.size > TEXT_SIZE_MAX || token.size < header_size ||
        memcmp(token.data, header, header_size) != 0)
        return HL_PASETO_INVALID;
    struct hl_bytes rest = {token.data + header_size, token.size - header_size};
    const char *dot = rest.size == 0 ? NULL : memchr(rest.data, '.', rest.size);
    if (dot == NULL) {
        *out_parts = (struct parts){.payload = rest};
        return 0;
    }
    size_t payload_size = (size_t)(dot - rest.data);
    *out_parts = (struct parts){.payload = {rest.data, payload_size},
                                .footer = {dot + 1, rest.size - payload_size - 1}};
    return out_parts->footer.size == 0 ? HL_PASETO_INVALID : 0; /* one text per token */
}

/* Whether the token's footer is the one asked for. */
static int compare_footer(struct hl_bytes text, struct hl_bytes footer)
{
    uint8_t *data;
    size_t size;
    int r = decode_base64(text, &data, &size);

    if (r != 0)
        return r;
    if (size != footer.size || (size > 0 && sodium_memcmp(data, footer.data, size) != 0))
        r = HL_PASETO_INVALID;
    free(data);
    return r;
}

int hl_paseto_encrypt(const uint8_t key[HL_PASETO_KEY_SIZE],
                      const uint8_t nonce[HL_PASETO_NONCE_SIZE], struct hl_bytes message,
                      const struct hl_paseto_context *context, struct hl_buffer *out_token)
{
    size_t size = HL_PASETO_NONCE_SIZE + message.size + TAG_SIZE;
    uint8_t *payload = malloc(size);
    struct keys keys;

    if (payload == NULL)
        return -ENOMEM;
    uint8_t *ciphertext = payload + HL_PASETO_NONCE_SIZE;
    derive_keys(key, nonce, &keys);
    memcpy(payload, nonce, HL_PASETO_NONCE_SIZE);
    crypto_stream_xchacha20_xor(ciphertext, (const uint8_t *)message.data, message.size,
                                keys.stream + STREAM_KEY_SIZE, keys.stream);
    compute_tag(&keys, nonce, (struct hl_bytes){(const char *)ciphertext, message.size}, context,
                ciphertext + message.size);
    int r = append_token(out_token, local_header, payload, size, context->footer);
    sodium_memzero(&keys, sizeof(keys));
    free(payload);
    return r;
}

/* The payload is decrypted in place. */
static int open_payload(const uint8_t key[HL_PASETO_KEY_SIZE], uint8_t *payload, size_t size,
                        const struct hl_paseto_context *context, struct hl_buffer *out_message)
{
    struct keys keys;
    uint8_t tag[TAG_SIZE];
    int r = 0;

    if (size < HL_PASETO_NONCE_SIZE + TAG_SIZE)
        return HL_PASETO_INVALID;
    uint8_t *ciphertext = payload + HL_PASETO_NONCE_SIZE;
    size_t message_size = size - HL_PASETO_NONCE_SIZE - TAG_SIZE;
    derive_keys(key, payload, &keys);
    compute_tag(&keys, payload, (struct hl_bytes){(const char *)ciphertext, message_size}, context,
                tag);
    if (sodium_memcmp(tag, ciphertext + message_size, TAG_SIZE) != 0) {
        r = HL_PASETO_INVALID;
    } else {
        crypto_stream_xchacha20_xor(ciphertext, ciphertext, message_size,
                                    keys.stream + STREAM_KEY_SIZE, keys.stream);
        hl_buffer_append(out_message, ciphertext, message_size);
        sodium_memzero(ciphertext, message_size);
        r = hl_buffer_failed(out_message) ? -ENOMEM : 0;
    }
    sodium_memzero(&keys, sizeof(keys));
    return r;
}

/* The payload of a token with this header and the context's footer; free() it. */
static int take_payload(struct hl_bytes token, const char *header,
                        const struct hl_paseto_context *context, uint8_t **out_payload,
                        size_t *out_size)
{
    struct parts parts;
    int r = split_token(token, header, &parts);

    if (r == 0)
        r = compare_footer(parts.footer, context->footer);
    return r == 0 ? decode_base64(parts.payload, out_payload, out_size) : r;
}

int hl_paseto_decrypt(const uint8_t key[HL_PASETO_KEY_SIZE], struct hl_bytes token,
                      const struct hl_paseto_context *context, struct hl_buffer *out_message)
{
    uint8_t *payload;
    size_t size;
    int r = take_payload(token, local_header, context, &payload, &size);

    if (r != 0)
        return r;
    r = open_payload(key, payload, size, context, out_message);
    free(payload);
    return r;
}

static void append_piece(struct hl_buffer *out, struct hl_bytes piece)
{
    uint8_t encoded[8];

    encode_size(piece.size, encoded);
    hl_buffer_append(out, encoded, sizeof(encoded));
    hl_buffer_append_bytes(out, piece);
}

/* What a signature covers: pre-authentication encoding of header, message, footer, implicit. */
static void append_signed_text(struct hl_buffer *out, struct hl_bytes message,
                               const struct hl_paseto_context *context)
{
    uint8_t count[8];

    encode_size(4, count);
    hl_buffer_append(out, count, sizeof(count));
    append_piece(out, hl_bytes_of(public_header));
    append_piece(out, message);
    append_piece(out, context->footer);
    append_piece(out, context->implicit);
}

int hl_paseto_sign(const uint8_t secret_key[HL_PASETO_SECRET_KEY_SIZE], struct hl_bytes message,
                   const struct hl_paseto_context *context, struct hl_buffer *out_token)
{
    uint8_t signature[SIGNATURE_SIZE];
    struct hl_buffer text, payload;
    int r = -ENOMEM;

    hl_buffer_init(&text, TEXT_SIZE_MAX);
    hl_buffer_init(&payload, TEXT_SIZE_MAX);
    append_signed_text(&text, message, context);
    if (!hl_buffer_failed(&text)) {
        crypto_sign_detached(signature, NULL, (const uint8_t *)text.data, text.size, secret_key);
        hl_buffer_append_bytes(&payload, message);
        hl_buffer_append(&payload, signature, sizeof(signature));
    }
    if (!hl_buffer_failed(&text) && !hl_buffer_failed(&payload))
        r = append_token(out_token, public_header, (const uint8_t *)payload.data, payload.size,
                         context->footer);
    hl_buffer_fini(&payload);
    hl_buffer_fini(&text);
    return r;
}

static int verify_payload(const uint8_t public_key[HL_PASETO_KEY_SIZE], const uint8_t *payload,
                          size_t size, const struct hl_paseto_context *context,
                          struct hl_buffer *out_message)
{
    struct hl_buffer text;
    int r = 0;

    if (size < SIGNATURE_SIZE)
        return HL_PASETO_INVALID;
    struct hl_bytes message = {(const char *)payload, size - SIGNATURE_SIZE};
    hl_buffer_init(&text, TEXT_SIZE_MAX);
    append_signed_text(&text, message, context);
    if (hl_buffer_failed(&text))
        r = -ENOMEM;
    else if (crypto_sign_verify_detached(payload + message.size, (const uint8_t *)text.data,
                                         text.size, public_key) != 0)
        r = HL_PASETO_INVALID;
    hl_buffer_fini(&text);
    if (r == 0) {
        hl_buffer_append_bytes(out_message, message);
        r = hl_buffer_failed(out_message) ? -ENOMEM : 0;
    }
    return r;
}

int hl_paseto_verify(const uint8_t public_key[HL_PASETO_KEY_SIZE], struct hl_bytes token,
                     const struct hl_paseto_context *context, struct hl_buffer *out_message)
{
    uint8_t *payload;
    size_t size;
    int r = take_payload(token, public_header, context, &payload, &size);

    if (r != 0)
        return r;
    r = verify_payload(public_key, payload, size, context, out_message);
    free(payload);
    return r;
}

int hl_paseto_footer(struct hl_bytes token, struct hl_buffer *out_footer)
{
    struct parts parts;
    uint8_t *data;
    size_t size;
    int r = split_token(token, local_header, &parts);

    if (r == HL_PASETO_INVALID)
        r = split_token(token, public_header, &parts);
    if (r == 0)
        r = decode_base64(parts.footer, &data, &size);
    if (r != 0)
        return r;
    hl_buffer_append(out_footer, data, size);
    free(data);
    return hl_buffer_failed(out_footer) ? -ENOMEM : 0;
}
