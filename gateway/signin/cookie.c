#include "gateway/signin/cookie.h"

#include <string.h>

enum { COOKIE_BYTES_MAX = 4096 };

static struct hl_bytes unquote(struct hl_bytes value)
{
    if (value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"')
        return (struct hl_bytes){value.data + 1, value.size - 2};
    return value;
}

/* "name=value": whether it is this one. Names are told apart by case. */
static bool is_pair_of(struct hl_bytes pair, const char *name, struct hl_bytes *out_value)
{
    const char *equals = pair.size > 0 ? memchr(pair.data, '=', pair.size) : NULL;
    if (equals == NULL)
        return false;
    size_t size = (size_t)(equals - pair.data);
    if (!hl_bytes_is(hl_bytes_trim((struct hl_bytes){pair.data, size}), name))
        return false;
    *out_value = unquote(hl_bytes_trim((struct hl_bytes){equals + 1, pair.size - size - 1}));
    return true;
}

struct hl_bytes hl_cookie_find(struct hl_bytes header, const char *name)
{
    struct hl_bytes found = {0};
    size_t n_found = 0;
    while (header.size > 0) {
        const char *end = memchr(header.data, ';', header.size);
        size_t size = end != NULL ? (size_t)(end - header.data) : header.size;
        struct hl_bytes pair = hl_bytes_trim((struct hl_bytes){header.data, size});
        n_found += is_pair_of(pair, name, &found) ? 1 : 0;
        size += end != NULL ? 1 : 0;
        header.data += size;
        header.size -= size;
    }
    return n_found == 1 ? found : (struct hl_bytes){0};
}

void hl_cookie_set(struct hl_exchange *exchange, const struct hl_cookie *cookie)
{
    struct hl_buffer text;
    hl_buffer_init(&text, COOKIE_BYTES_MAX);
    hl_buffer_append_text(&text, cookie->name);
    hl_buffer_append_text(&text, "=");
    hl_buffer_append_bytes(&text, cookie->value);
    hl_buffer_printf(&text, "; Path=/; Max-Age=%u; HttpOnly; SameSite=%s%s",
                     cookie->value.size > 0 ? cookie->life_s : 0,
                     cookie->comes_from_links ? "Lax" : "Strict",
                     cookie->is_secure ? "; Secure" : "");
    if (!hl_buffer_failed(&text))
        exchange->ops->header(exchange, "set-cookie", hl_buffer_bytes(&text));
    hl_buffer_fini(&text);
}
