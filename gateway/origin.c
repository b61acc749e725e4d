#include "gateway/origin.h"

#include <string.h>
#include <strings.h>

static bool is_caseless(struct hl_bytes a, struct hl_bytes b)
{
    return a.size == b.size && strncasecmp(a.data, b.data, a.size) == 0;
}

static bool is_same_host(struct hl_bytes origin, struct hl_bytes host)
{
    static const char *const schemes[] = {"https://", "http://"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t size = strlen(schemes[i]);

        if (origin.size > size && strncasecmp(origin.data, schemes[i], size) == 0)
            return is_caseless((struct hl_bytes){origin.data + size, origin.size - size}, host);
    }
    return false;
}

bool hl_origin_is_allowed(const char *const *origins, size_t n_origins, struct hl_bytes origin,
                          struct hl_bytes host)
{
    if (n_origins == 1 && strcmp(origins[0], "*") == 0)
        return true;
    for (size_t i = 0; i < n_origins; i++) {
        if (is_caseless(origin, hl_bytes_of(origins[i])))
            return true;
    }
    return host.size > 0 && is_same_host(origin, host);
}
