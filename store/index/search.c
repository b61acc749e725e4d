#include "store/index/search.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct hl_bytes next_word(struct hl_bytes *rest)
{
    size_t begin = 0;

    while (begin < rest->size && is_space(rest->data[begin]))
        begin++;
    size_t end = begin;
    while (end < rest->size && !is_space(rest->data[end]))
        end++;
    struct hl_bytes word = {rest->data + begin, end - begin};
    *rest = (struct hl_bytes){rest->data + end, rest->size - end};
    return word;
}

/* In a quoted phrase only the quote itself means anything to FTS5. */
static void append_phrase(struct hl_buffer *out, struct hl_bytes word)
{
    hl_buffer_append_text(out, "\"");
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] == '"')
            hl_buffer_append_text(out, "\"");
        hl_buffer_append(out, &word.data[i], 1);
    }
    hl_buffer_append_text(out, "\"");
}

void hl_index_search_write(struct hl_bytes typed, struct hl_buffer *out)
{
    struct hl_bytes word = {0};
    size_t last_size = 0;

    for (size_t i = 0; i < HL_INDEX_WORDS_MAX && (word = next_word(&typed)).size > 0; i++) {
        hl_buffer_append_text(out, i > 0 ? " " : "");
        append_phrase(out, word);
        last_size = word.size;
    }
    hl_buffer_append_text(out, last_size >= HL_INDEX_BEGINNING_SIZE_MIN ? "*" : "");
    hl_buffer_append(out, "", 1);
}

struct hl_bytes hl_index_cut(struct hl_bytes text, size_t size_max)
{
    size_t size = text.size;

    if (size <= size_max)
        return text;
    size = size_max;
    while (size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return (struct hl_bytes){text.data, size};
}
