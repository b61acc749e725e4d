#include "gateway/forwarded.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ELEMENTS_MAX = 32, V4_PREFIX = 96 };

static struct in6_addr map_v4(const void *v4)
{
    struct in6_addr address = {{{0}}};
    address.s6_addr[10] = 0xff;
    address.s6_addr[11] = 0xff;
    memcpy(address.s6_addr + 12, v4, 4);
    return address;
}

struct in6_addr hl_forwarded_peer(const struct sockaddr *address)
{
    struct in6_addr none = {{{0}}};
    if (address->sa_family == AF_INET6)
        return ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (address->sa_family == AF_INET)
        return map_v4(&((const struct sockaddr_in *)(const void *)address)->sin_addr);
    return none;
}

static bool parse_address(struct hl_bytes text, struct in6_addr *out_address)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    if (text.size == 0 || text.size >= sizeof(copy) || memchr(text.data, '\0', text.size) != NULL)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (inet_pton(AF_INET6, copy, out_address) == 1)
        return true;
    if (inet_pton(AF_INET, copy, &v4) != 1)
        return false;
    *out_address = map_v4(&v4);
    return true;
}

/* -- networks -- */

static bool is_v4(const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address);
}

static bool parse_network(struct hl_bytes text, struct hl_network *out_network)
{
    const char *slash = memchr(text.data, '/', text.size);
    struct hl_bytes address = {text.data, slash != NULL ? (size_t)(slash - text.data) : text.size};
    unsigned prefix = 0;
    if (!parse_address(address, &out_network->address))
        return false;
    unsigned offset = is_v4(&out_network->address) ? V4_PREFIX : 0;
    out_network->prefix = 128;
    if (slash == NULL)
        return true;
    size_t n_digits = text.size - address.size - 1;
    for (size_t i = 0; i < n_digits; i++) {
        char digit = slash[1 + i];
        if (digit < '0' || digit > '9')
            return false;
        prefix = prefix * 10 + (unsigned)(digit - '0');
    }
    out_network->prefix = prefix + offset;
    return n_digits >= 1 && n_digits <= 3 && out_network->prefix <= 128;
}

static bool covers(const struct hl_network *network, const struct in6_addr *address)
{
    unsigned n_bytes = network->prefix / 8;
    unsigned n_bits = network->prefix % 8;
    if (memcmp(network->address.s6_addr, address->s6_addr, n_bytes) != 0)
        return false;
    if (n_bits == 0)
        return true;
    unsigned differ = (unsigned)network->address.s6_addr[n_bytes] ^ address->s6_addr[n_bytes];
    return differ >> (8 - n_bits) == 0;
}

int hl_networks_parse(const char *text, struct hl_networks *out_networks)
{
    out_networks->n_items = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        if (out_networks->n_items == HL_NETWORKS_MAX ||
            !parse_network(hl_bytes_trim((struct hl_bytes){text, size}),
                           &out_networks->items[out_networks->n_items]))
            return HL_NETWORKS_INVALID;
        out_networks->n_items++;
        text += size + (text[size] == ',' ? 1 : 0);
    }
    return 0;
}

bool hl_networks_has(const struct hl_networks *networks, const struct in6_addr *address)
{
    for (size_t i = 0; i < networks->n_items; i++) {
        if (covers(&networks->items[i], address))
            return true;
    }
    return false;
}

/* -- headers -- */

/* Cuts the last element off: at the last comma outside of quotes. */
static struct hl_bytes take_last(struct hl_bytes *line)
{
    size_t start = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < line->size; i++) {
        char c = line->data[i];
        if (is_quoted && c == '\\')
            i++;
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (c == ',' && !is_quoted)
            start = i + 1;
    }
    struct hl_bytes last = hl_bytes_trim((struct hl_bytes){line->data + start, line->size - start});
    line->size = start > 0 ? start - 1 : 0;
    return last;
}

/* "1.2.3.4", "1.2.3.4:80", "2001:db8::1", "[2001:db8::1]:80"; names are not addresses. */
static bool parse_node(struct hl_bytes node, struct in6_addr *out_address)
{
    if (node.size > 2 && node.data[0] == '[') {
        const char *end = memchr(node.data, ']', node.size);
        return end != NULL &&
               parse_address((struct hl_bytes){node.data + 1, (size_t)(end - node.data) - 1},
                             out_address);
    }
    const char *colon = node.size > 0 ? memchr(node.data, ':', node.size) : NULL;
    if (colon != NULL && memrchr(node.data, ':', node.size) == colon)
        node.size = (size_t)(colon - node.data);
    return parse_address(node, out_address);
}

/* Value of `for` in "by=…;for=…;proto=…". */
static struct hl_bytes find_for(struct hl_bytes element)
{
    while (element.size > 0) {
        const char *end = memchr(element.data, ';', element.size);
        size_t size = end != NULL ? (size_t)(end - element.data) : element.size;
        struct hl_bytes pair = hl_bytes_trim((struct hl_bytes){element.data, size});
        if (pair.size > 4 && strncasecmp(pair.data, "for=", 4) == 0) {
            pair.data += 4;
            pair.size -= 4;
            bool is_quoted =
                pair.size >= 2 && pair.data[0] == '"' && pair.data[pair.size - 1] == '"';
            return is_quoted ? (struct hl_bytes){pair.data + 1, pair.size - 2} : pair;
        }
        size += end != NULL ? 1 : 0;
        element.data += size;
        element.size -= size;
    }
    return (struct hl_bytes){0};
}

struct in6_addr hl_forwarded_client(const struct hl_networks *trusted, const struct in6_addr *peer,
                                    enum hl_forwarded_header header,
                                    const struct hl_forwarded *forwarded)
{
    struct in6_addr client = *peer;
    unsigned n_elements = 0;
    for (size_t i = forwarded->n_lines; i > 0; i--) {
        struct hl_bytes line = forwarded->lines[i - 1];
        while (line.size > 0) {
            struct hl_bytes element = take_last(&line);
            struct in6_addr found;
            if (header == HL_FORWARDED_FORWARDED)
                element = find_for(element);
            if (++n_elements > ELEMENTS_MAX || !parse_node(element, &found))
                return client;
            client = found;
            if (!hl_networks_has(trusted, &client))
                return client;
        }
    }
    return client;
}
