#include "store/chain.h"

#include <string.h>

#include <sodium.h>

_Static_assert(HL_CHAIN_KEY_SIZE == crypto_generichash_KEYBYTES, "one key size");

/* The first byte of what is hashed tells the uses apart. */
enum { CHAIN_BEGIN = 1, CHAIN_ENTRY = 2, CHAIN_FINGERPRINT = 3, CHAIN_SEAL = 4, CHAIN_SEALED = 5 };

/* Fixed-width fields of a link, each integer little-endian, in a form that never changes. */
enum { HEAD_SIZE_MAX = 256 };
struct head {
    uint8_t bytes[HEAD_SIZE_MAX];
    size_t size;
};

static void put_bytes(struct head *head, const void *data, size_t size)
{
    memcpy(head->bytes + head->size, data, size);
    head->size += size;
}

static void put_integer(struct head *head, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        head->bytes[head->size++] = (uint8_t)(value >> (8 * i));
}

static void hash_two(const uint8_t *key, const struct head *head, const void *tail,
                     size_t tail_size, struct hl_chain *out_chain)
{
    crypto_generichash_state state;

    /* none of these fails with sizes in range */
    (void)crypto_generichash_init(&state, key, HL_CHAIN_KEY_SIZE, HL_CHAIN_SIZE);
    (void)crypto_generichash_update(&state, head->bytes, head->size);
    (void)crypto_generichash_update(&state, tail, tail_size);
    (void)crypto_generichash_final(&state, out_chain->b, HL_CHAIN_SIZE);
}

void hl_chain_begin(const uint8_t key[HL_CHAIN_KEY_SIZE], const struct hl_conversation *opened,
                    struct hl_bytes identity, struct hl_chain *out_chain)
{
    struct head head = {.size = 0};
    size_t site_size = strlen(opened->site);
    size_t reference_size = strlen(opened->reference);

    put_integer(&head, CHAIN_BEGIN, 1);
    put_bytes(&head, opened->id.b, sizeof(opened->id.b));
    put_integer(&head, site_size, 1);
    put_bytes(&head, opened->site, site_size);
    put_integer(&head, reference_size, 1);
    put_bytes(&head, opened->reference, reference_size);
    /* conversations from before there were inboxes have a beginning without them */
    if (!hl_id_is_zero(&opened->inbox) || identity.size > 0)
        put_bytes(&head, opened->inbox.b, sizeof(opened->inbox.b));
    hash_two(key, &head, identity.data, identity.size, out_chain);
}

void hl_chain_next(const uint8_t key[HL_CHAIN_KEY_SIZE], const struct hl_chain *previous,
                   const struct hl_entry *entry, struct hl_bytes stored, bool is_sealed,
                   struct hl_chain *out_chain)
{
    struct head head = {.size = 0};

    put_integer(&head, is_sealed ? CHAIN_SEALED : CHAIN_ENTRY, 1);
    put_bytes(&head, previous->b, sizeof(previous->b));
    put_bytes(&head, entry->conversation.b, sizeof(entry->conversation.b));
    put_integer(&head, entry->offset, 8);
    put_integer(&head, entry->position, 8);
    put_integer(&head, (uint64_t)entry->wall_ms, 8);
    put_integer(&head, entry->kind, 1);
    put_integer(&head, entry->author.role, 1);
    put_bytes(&head, entry->author.id.b, sizeof(entry->author.id.b));
    put_bytes(&head, entry->subject.b, sizeof(entry->subject.b));
    put_integer(&head, entry->mid_size, 1);
    put_bytes(&head, entry->mid, entry->mid_size);
    put_integer(&head, stored.size, 4);
    hash_two(key, &head, stored.data, stored.size, out_chain);
}

void hl_chain_seal(const uint8_t key[HL_CHAIN_KEY_SIZE], uint64_t position,
                   const struct hl_chain *last, struct hl_chain *out_seal)
{
    struct head head = {.size = 0};

    put_integer(&head, CHAIN_SEAL, 1);
    put_integer(&head, position, 8);
    hash_two(key, &head, last->b, sizeof(last->b), out_seal);
}

void hl_chain_fingerprint(const uint8_t key[HL_CHAIN_KEY_SIZE], struct hl_chain *out_chain)
{
    struct head head = {.size = 0};

    put_integer(&head, CHAIN_FINGERPRINT, 1);
    hash_two(key, &head, NULL, 0, out_chain);
}

bool hl_chain_equal(const struct hl_chain *a, const struct hl_chain *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
