#include "store/mid_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"

enum { CAPACITY_MIN = 16 };
static const uint32_t capacity_max = UINT32_C(1) << 30;

uint64_t hl_mid_tag(const uint8_t key[HL_HASH_KEY_SIZE], const struct hl_author *author,
                    struct hl_bytes mid)
{
    uint8_t bytes[1 + sizeof(author->id.b) + HL_MID_SIZE_MAX];

    HL_CHECK(mid.size <= HL_MID_SIZE_MAX);
    bytes[0] = author->role;
    memcpy(bytes + 1, author->id.b, sizeof(author->id.b));
    memcpy(bytes + 1 + sizeof(author->id.b), mid.data, mid.size);
    return hl_hash(key, bytes, 1 + sizeof(author->id.b) + mid.size);
}

void hl_mid_set_fini(struct hl_mid_set *set)
{
    free(set->tags);
    free(set->slots);
    *set = (struct hl_mid_set){.tags = NULL};
}

static uint32_t slot_mask(const struct hl_mid_set *set)
{
    return set->capacity * 2 - 1;
}

static void fill_slot(struct hl_mid_set *set, uint32_t offset)
{
    uint32_t at = (uint32_t)set->tags[offset - 1] & slot_mask(set);

    while (set->slots[at] != 0)
        at = (at + 1) & slot_mask(set);
    set->slots[at] = offset;
}

int hl_mid_set_reserve(struct hl_mid_set *set, uint64_t n_tags)
{
    uint32_t capacity = set->capacity > 0 ? set->capacity : CAPACITY_MIN;

    if (n_tags <= set->capacity)
        return 0;
    while (capacity < n_tags && capacity < capacity_max)
        capacity *= 2;
    if (capacity < n_tags)
        return -ENOMEM;
    uint32_t *slots = calloc((size_t)capacity * 2, sizeof(*slots));
    uint64_t *tags = slots == NULL ? NULL : realloc(set->tags, capacity * sizeof(*tags));
    if (tags == NULL) {
        free(slots);
        return -ENOMEM;
    }
    free(set->slots);
    set->slots = slots;
    set->tags = tags;
    set->capacity = capacity;
    for (uint32_t offset = 1; offset <= set->n_tags; offset++)
        fill_slot(set, offset);
    return 0;
}

void hl_mid_set_add(struct hl_mid_set *set, uint64_t tag)
{
    HL_CHECK(set->n_tags < set->capacity);
    set->tags[set->n_tags++] = tag;
    fill_slot(set, set->n_tags);
}

uint64_t hl_mid_set_find(const struct hl_mid_set *set, uint64_t tag, uint32_t *cursor)
{
    if (set->capacity == 0)
        return 0;
    for (;; ++*cursor) {
        uint32_t offset = set->slots[((uint32_t)tag + *cursor) & slot_mask(set)];
        if (offset == 0)
            return 0;
        if (set->tags[offset - 1] != tag)
            continue;
        ++*cursor;
        return offset;
    }
}

void hl_mid_set_pack_block(const struct hl_mid_set *set, uint32_t n,
                           uint8_t out_block[HL_MID_BLOCK_SIZE])
{
    HL_CHECK(n < set->n_tags / HL_MID_BLOCK_TAGS);
    const uint64_t *tags = set->tags + (size_t)n * HL_MID_BLOCK_TAGS;
    for (size_t i = 0; i < HL_MID_BLOCK_SIZE; i++)
        out_block[i] = (uint8_t)(tags[i / 8] >> (8 * (i % 8)));
}

void hl_mid_set_add_block(struct hl_mid_set *set, const uint8_t block[HL_MID_BLOCK_SIZE])
{
    for (size_t i = 0; i < HL_MID_BLOCK_SIZE; i += 8) {
        uint64_t tag = 0;
        for (size_t j = 8; j > 0; j--)
            tag = tag << 8 | block[i + j - 1];
        hl_mid_set_add(set, tag);
    }
}

size_t hl_mid_set_memory(const struct hl_mid_set *set)
{
    return set->capacity * (sizeof(set->tags[0]) + 2 * sizeof(set->slots[0]));
}
