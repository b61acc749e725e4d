/* The tags of all mids used in one conversation, by offset: answers "was this mid used?"
 * without touching the disk. A tag is a keyed hash of author and mid; whoever finds one must
 * compare the real author and mid. Thread: its owner's. */
#ifndef HL_STORE_MID_SET_H
#define HL_STORE_MID_SET_H

#include "base/hash.h"
#include "store/entry.h"

struct hl_mid_set {  /* zeroed: empty */
    uint64_t *tags;  /* [offset - 1] */
    uint32_t *slots; /* open addressing: offset, 0 is free; twice the capacity of tags */
    uint32_t n_tags;
    uint32_t capacity; /* of tags; a power of two, or 0 */
};

uint64_t hl_mid_tag(const uint8_t key[HL_HASH_KEY_SIZE], const struct hl_author *author,
                    struct hl_bytes mid);

void hl_mid_set_fini(struct hl_mid_set *set);
/* Makes room for n tags in all. 0, -ENOMEM. */
int hl_mid_set_reserve(struct hl_mid_set *set, uint64_t n_tags);
/* The tag of the next offset; room must have been reserved. */
void hl_mid_set_add(struct hl_mid_set *set, uint64_t tag);
/* The next offset with this tag: pass *cursor 0 first. 0: there is no further one. */
uint64_t hl_mid_set_find(const struct hl_mid_set *set, uint64_t tag, uint32_t *cursor);
/* Tags are kept on disk in blocks: block n holds those of the offsets after n * 64. */
enum { HL_MID_BLOCK_TAGS = 64, HL_MID_BLOCK_SIZE = HL_MID_BLOCK_TAGS * 8 };
/* All of block n must be there. Little-endian. */
void hl_mid_set_pack_block(const struct hl_mid_set *set, uint32_t n,
                           uint8_t out_block[HL_MID_BLOCK_SIZE]);
/* Adds the 64 tags of a block; room must have been reserved. */
void hl_mid_set_add_block(struct hl_mid_set *set, const uint8_t block[HL_MID_BLOCK_SIZE]);

size_t hl_mid_set_memory(const struct hl_mid_set *set); /* bytes */

#endif
