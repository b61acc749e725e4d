#include "agent-api/media.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { QUALITY_MAX = 1000 };

/* The part up to the next separator, trimmed; `text` is what follows. */
static struct hl_bytes next_part(struct hl_bytes *text, char separator)
{
    const char *end = text->size > 0 ? memchr(text->data, separator, text->size) : NULL;
    struct hl_bytes part = {text->data, end != NULL ? (size_t)(end - text->data) : text->size};
    size_t used = part.size + (end != NULL ? 1 : 0);
    text->data += used;
    text->size -= used;
    return hl_bytes_trim(part);
}

static bool is_same(struct hl_bytes text, const char *type)
{
    return text.size == strlen(type) && strncasecmp(text.data, type, text.size) == 0;
}

bool hl_media_is(struct hl_bytes content_type, const char *type)
{
    return is_same(next_part(&content_type, ';'), type);
}

/* How well a range of Accept fits a type: 3 the type, 2 its group, 1 any, 0 not at all. */
static int fit_of(struct hl_bytes range, const char *type)
{
    size_t group = strcspn(type, "/") + 1;
    if (is_same(range, type))
        return 3;
    if (range.size == group + 1 && range.data[group] == '*' &&
        strncasecmp(range.data, type, group) == 0)
        return 2;
    return hl_bytes_is(range, "*/*") ? 1 : 0;
}

/* The weight among a range's parameters in thousandths; one that is no number is 0. */
static int quality_of(struct hl_bytes parameters)
{
    while (parameters.size > 0) {
        struct hl_bytes part = next_part(&parameters, ';');
        if (part.size < 3 || strncasecmp(part.data, "q=", 2) != 0)
            continue;
        int quality = part.data[2] == '1' ? QUALITY_MAX : 0;
        int unit = QUALITY_MAX / 10;
        for (size_t i = 4; i < part.size && quality < QUALITY_MAX && unit > 0; i++, unit /= 10)
            quality += isdigit((unsigned char)part.data[i]) ? (part.data[i] - '0') * unit : 0;
        return quality;
    }
    return QUALITY_MAX;
}

/* The most exact range that fits decides; `out_fit` says how exact it was. */
static int weigh(struct hl_bytes accept, const char *type, int *out_fit)
{
    int quality = 0;
    *out_fit = 0;
    while (accept.size > 0) {
        struct hl_bytes part = next_part(&accept, ',');
        int fit = fit_of(next_part(&part, ';'), type);
        if (fit <= *out_fit)
            continue;
        *out_fit = fit;
        quality = quality_of(part);
    }
    return quality;
}

int hl_media_choose(struct hl_bytes accept, const char *const *types, size_t n_types)
{
    int best = -1;
    int best_quality = 0;
    if (hl_bytes_trim(accept).size == 0)
        return n_types > 0 ? 0 : -1;
    for (size_t i = 0; i < n_types; i++) {
        int fit = 0;
        int quality = weigh(accept, types[i], &fit);
        if (quality <= best_quality)
            continue;
        best = (int)i;
        best_quality = quality;
    }
    return best;
}

bool hl_media_names(struct hl_bytes accept, const char *type)
{
    int fit = 0;
    return weigh(accept, type, &fit) > 0 && fit == 3;
}
