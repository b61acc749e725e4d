#include "store/seal.h"

#include <string.h>

#include <sodium.h>

#include "base/check.h"
#include "base/result.h"

_Static_assert(HL_SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(HL_SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(HL_SEAL_OVERHEAD == HL_SEAL_NONCE_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "overhead");

const uint8_t hl_seal_destroyed[HL_SEAL_WRAPPED_SIZE] = {0};
const uint8_t hl_seal_elsewhere[HL_SEAL_WRAPPED_SIZE] = {1};

/* The first byte of what is bound tells the uses apart. */
enum { BIND_KEY = 1, BIND_BODY = 2, BIND_IDENTITY = 3, BIND_SIZE_MAX = 128 };

/* Where something is sealed, in fixed widths and in a form that never changes. */
struct binding {
    uint8_t bytes[BIND_SIZE_MAX];
    size_t size;
};

static void put_bytes(struct binding *binding, const void *data, size_t size)
{
    HL_CHECK(size <= sizeof(binding->bytes) - binding->size);
    memcpy(binding->bytes + binding->size, data, size);
    binding->size += size;
}

static struct binding begin_binding(uint8_t use, const struct hl_id *conversation)
{
    struct binding binding = {.size = 0};

    put_bytes(&binding, &use, 1);
    put_bytes(&binding, conversation->b, sizeof(conversation->b));
    return binding;
}

static struct binding binding_of(const struct hl_entry *entry)
{
    struct binding binding = begin_binding(BIND_BODY, &entry->conversation);
    uint8_t offset[8];

    for (size_t i = 0; i < sizeof(offset); i++)
        offset[i] = (uint8_t)(entry->offset >> (8 * i));
    put_bytes(&binding, offset, sizeof(offset));
    put_bytes(&binding, &entry->kind, 1);
    put_bytes(&binding, &entry->author.role, 1);
    put_bytes(&binding, entry->author.id.b, sizeof(entry->author.id.b));
    put_bytes(&binding, entry->mid, entry->mid_size);
    return binding;
}

static void close_up(const uint8_t *key, const uint8_t *nonce, const struct binding *binding,
                     struct hl_bytes plain, uint8_t *out)
{
    unsigned long long size = 0;

    memcpy(out, nonce, HL_SEAL_NONCE_SIZE);
    HL_CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(
                 out + HL_SEAL_NONCE_SIZE, &size, (const uint8_t *)plain.data, plain.size,
                 binding->bytes, binding->size, NULL, nonce, key) == 0);
    HL_CHECK(size + HL_SEAL_NONCE_SIZE == plain.size + HL_SEAL_OVERHEAD);
}

static int open_up(const uint8_t *key, const struct binding *binding, struct hl_bytes sealed,
                   void *out)
{
    const uint8_t *bytes = (const uint8_t *)sealed.data;
    unsigned long long size = 0;

    if (sealed.size < HL_SEAL_OVERHEAD)
        return -EBADMSG;
    int r = crypto_aead_xchacha20poly1305_ietf_decrypt(out, &size, NULL, bytes + HL_SEAL_NONCE_SIZE,
                                                       sealed.size - HL_SEAL_NONCE_SIZE,
                                                       binding->bytes, binding->size, bytes, key);
    return r == 0 ? 0 : -EBADMSG;
}

void hl_seal_nonces_init(struct hl_seal_nonces *nonces)
{
    randombytes_buf(nonces->next, sizeof(nonces->next));
}

static const uint8_t *next_nonce(struct hl_seal_nonces *nonces)
{
    sodium_increment(nonces->next, sizeof(nonces->next));
    return nonces->next;
}

void hl_seal_draw(struct hl_seal *out_seal)
{
    out_seal->state = HL_SEAL_OPEN;
    randombytes_buf(out_seal->key, sizeof(out_seal->key));
}

void hl_seal_wrap(const uint8_t region_key[HL_SEAL_KEY_SIZE], const struct hl_id *conversation,
                  const struct hl_seal *seal, uint8_t out_wrapped[HL_SEAL_WRAPPED_SIZE])
{
    struct binding binding = begin_binding(BIND_KEY, conversation);
    uint8_t nonce[HL_SEAL_NONCE_SIZE];

    HL_CHECK(seal->state == HL_SEAL_OPEN);
    randombytes_buf(nonce, sizeof(nonce));
    close_up(region_key, nonce, &binding,
             (struct hl_bytes){(const char *)seal->key, sizeof(seal->key)}, out_wrapped);
}

enum hl_seal_state hl_seal_look(struct hl_bytes wrapped)
{
    if (wrapped.size == 0)
        return HL_SEAL_NONE;
    if (wrapped.size != HL_SEAL_WRAPPED_SIZE)
        return HL_SEAL_OPEN;
    if (memcmp(wrapped.data, hl_seal_destroyed, HL_SEAL_WRAPPED_SIZE) == 0)
        return HL_SEAL_DESTROYED;
    if (memcmp(wrapped.data, hl_seal_elsewhere, HL_SEAL_WRAPPED_SIZE) == 0)
        return HL_SEAL_ELSEWHERE;
    return HL_SEAL_OPEN;
}

int hl_seal_unwrap(const uint8_t region_key[HL_SEAL_KEY_SIZE], const struct hl_id *conversation,
                   struct hl_bytes wrapped, struct hl_seal *out_seal)
{
    struct binding binding = begin_binding(BIND_KEY, conversation);

    *out_seal = (struct hl_seal){.state = (uint8_t)hl_seal_look(wrapped)};
    if (out_seal->state != HL_SEAL_OPEN)
        return 0;
    if (wrapped.size != HL_SEAL_WRAPPED_SIZE)
        return -EBADMSG;
    return open_up(region_key, &binding, wrapped, out_seal->key);
}

void hl_seal_body(const struct hl_seal *seal, struct hl_seal_nonces *nonces,
                  const struct hl_entry *entry, uint8_t *out)
{
    struct binding binding = binding_of(entry);

    HL_CHECK(seal->state == HL_SEAL_OPEN && entry->offset > 0);
    close_up(seal->key, next_nonce(nonces), &binding, hl_entry_body(entry), out);
}

int hl_seal_open_body(const struct hl_seal *seal, struct hl_bytes sealed, struct hl_entry *entry)
{
    struct binding binding = binding_of(entry);

    HL_CHECK(seal->state == HL_SEAL_OPEN);
    if (sealed.size != (size_t)entry->body_size + HL_SEAL_OVERHEAD)
        return -EBADMSG;
    return open_up(seal->key, &binding, sealed, entry->body);
}

void hl_seal_identity(const struct hl_seal *seal, struct hl_seal_nonces *nonces,
                      const struct hl_id *conversation, struct hl_bytes identity, uint8_t *out)
{
    struct binding binding = begin_binding(BIND_IDENTITY, conversation);

    HL_CHECK(seal->state == HL_SEAL_OPEN);
    close_up(seal->key, next_nonce(nonces), &binding, identity, out);
}

int hl_seal_open_identity(const struct hl_seal *seal, const struct hl_id *conversation,
                          struct hl_bytes sealed, char *out)
{
    struct binding binding = begin_binding(BIND_IDENTITY, conversation);

    return seal->state == HL_SEAL_OPEN ? open_up(seal->key, &binding, sealed, out) : -EBADMSG;
}

void hl_seal_fingerprint(const uint8_t region_key[HL_SEAL_KEY_SIZE],
                         uint8_t out_fingerprint[HL_SEAL_FINGERPRINT_SIZE])
{
    static const char use[] = "holdline region key";

    HL_CHECK(crypto_generichash(out_fingerprint, HL_SEAL_FINGERPRINT_SIZE, (const uint8_t *)use,
                                sizeof(use), region_key, HL_SEAL_KEY_SIZE) == 0);
}

void hl_seal_digest(struct hl_bytes what, uint8_t out_digest[HL_SEAL_DIGEST_SIZE])
{
    HL_CHECK(crypto_generichash(out_digest, HL_SEAL_DIGEST_SIZE, (const uint8_t *)what.data,
                                what.size, NULL, 0) == 0);
}

void hl_seal_forget(void *secret, size_t size)
{
    sodium_memzero(secret, size);
}
