#include "store/index/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { PIECE_SIZE = 16 * 1024, ALIGNMENT = 16 };

struct piece {
    struct piece *next;
    size_t used;
    size_t size;
    _Alignas(ALIGNMENT) char data[];
};

struct hl_index_memory {
    struct piece *pieces; /* the one being filled first */
};

struct hl_index_memory *hl_index_memory_create(void)
{
    return calloc(1, sizeof(struct hl_index_memory));
}

void hl_index_memory_free(struct hl_index_memory *memory)
{
    if (memory == NULL)
        return;
    for (struct piece *piece = memory->pieces, *next; piece != NULL; piece = next) {
        next = piece->next;
        free(piece);
    }
    free(memory);
}

void *hl_index_memory_take(struct hl_index_memory *memory, size_t size)
{
    struct piece *piece = memory->pieces;

    HL_CHECK(size < SIZE_MAX / 2);
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (piece == NULL || piece->size - piece->used < size) {
        size_t room = size > PIECE_SIZE ? size : PIECE_SIZE;
        piece = calloc(1, sizeof(*piece) + room);
        if (piece == NULL)
            return NULL;
        piece->size = room;
        piece->next = memory->pieces;
        memory->pieces = piece;
    }
    void *taken = piece->data + piece->used;
    piece->used += size;
    return taken;
}

bool hl_index_memory_copy(struct hl_index_memory *memory, struct hl_bytes bytes,
                          struct hl_bytes *out_copy)
{
    *out_copy = (struct hl_bytes){0};
    if (bytes.size == 0)
        return true;
    char *data = hl_index_memory_take(memory, bytes.size);
    if (data == NULL)
        return false;
    memcpy(data, bytes.data, bytes.size);
    *out_copy = (struct hl_bytes){data, bytes.size};
    return true;
}
