/* What a person types into a search box, as a query that FTS5 always understands. Pure. */
#ifndef HL_STORE_INDEX_SEARCH_H
#define HL_STORE_INDEX_SEARCH_H

#include "base/bytes.h"

enum { HL_INDEX_WORDS_MAX = 16, HL_INDEX_BEGINNING_SIZE_MIN = 3 };

/* Words (what stands between white space) become quoted phrases that must all be there; the
 * last one may go on, if it has HL_INDEX_BEGINNING_SIZE_MIN bytes (shorter ones begin too many
 * words to be looked up quickly). Words behind the HL_INDEX_WORDS_MAX-th are left out.
 * NUL-terminated in `out`, and the empty text if there is no word. */
void hl_index_search_write(struct hl_bytes typed, struct hl_buffer *out);

/* The longest beginning of at most `size_max` bytes that does not cut a character. */
struct hl_bytes hl_index_cut(struct hl_bytes text, size_t size_max);

#endif
