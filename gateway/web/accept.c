#include "gateway/web/accept.h"

#include <string.h>
#include <strings.h>

/* Cuts the first part off; false at the end. */
static bool next_part(struct hl_bytes *rest, char separator, struct hl_bytes *out_part)
{
    if (rest->size == 0)
        return false;
    const char *end = memchr(rest->data, separator, rest->size);
    size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
    *out_part = hl_bytes_trim((struct hl_bytes){rest->data, size});
    size += end != NULL ? 1 : 0;
    rest->data += size;
    rest->size -= size;
    return true;
}

static bool is_caseless(struct hl_bytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

/* "q=0", "q=0.0", "q=0.00", "q=0.000" */
static bool is_refusal(struct hl_bytes parameter)
{
    if (parameter.size < 3 || strncasecmp(parameter.data, "q=", 2) != 0)
        return false;
    for (size_t i = 2; i < parameter.size; i++) {
        if (parameter.data[i] != '0' && parameter.data[i] != '.')
            return false;
    }
    return true;
}

bool hl_accept_has(struct hl_bytes accept_encoding, const char *coding)
{
    struct hl_bytes member;
    struct hl_bytes part;
    while (next_part(&accept_encoding, ',', &member)) {
        bool is_first = true;
        bool is_named = false;
        bool is_refused = false;
        while (next_part(&member, ';', &part)) {
            is_named |= is_first && is_caseless(part, coding);
            is_refused |= !is_first && is_refusal(part);
            is_first = false;
        }
        if (is_named)
            return !is_refused;
    }
    return false;
}

bool hl_accept_etag(struct hl_bytes if_none_match, const char *etag)
{
    struct hl_bytes member;
    if (hl_bytes_is(hl_bytes_trim(if_none_match), "*"))
        return true;
    while (next_part(&if_none_match, ',', &member)) {
        if (member.size > 2 && memcmp(member.data, "W/", 2) == 0) {
            member.data += 2;
            member.size -= 2;
        }
        if (hl_bytes_is(member, etag))
            return true;
    }
    return false;
}
