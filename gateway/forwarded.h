/* Who is behind a proxy: the client's address out of X-Forwarded-For or Forwarded (RFC 7239), as
 * far as proxies that the operator trusts have written it. What stands further left may be the
 * client's own invention and is never believed. Pure. */
#ifndef HL_GATEWAY_FORWARDED_H
#define HL_GATEWAY_FORWARDED_H

#include <netinet/in.h>

#include "base/bytes.h"

enum { HL_NETWORKS_MAX = 32, HL_FORWARDED_LINES_MAX = 4 };

struct hl_network { /* IPv4 as IPv4-mapped IPv6 */
    struct in6_addr address;
    unsigned prefix; /* bits that count, of 128 */
};
struct hl_networks {
    size_t n_items;
    struct hl_network items[HL_NETWORKS_MAX];
};

/* Addresses and networks with commas between them: "127.0.0.1,10.0.0.0/8,2001:db8::/32". Empty:
 * none. 0, HL_NETWORKS_INVALID. */
enum { HL_NETWORKS_INVALID = 1 };
int hl_networks_parse(const char *text, struct hl_networks *out_networks);
bool hl_networks_has(const struct hl_networks *networks, const struct in6_addr *address);

/* The address of a peer, IPv4 as IPv4-mapped IPv6. Other families: zeros. */
struct in6_addr hl_forwarded_peer(const struct sockaddr *address);

enum hl_forwarded_header { HL_FORWARDED_X_FORWARDED_FOR, HL_FORWARDED_FORWARDED };
struct hl_forwarded { /* the lines of one of the two headers, in order */
    size_t n_lines;
    struct hl_bytes lines[HL_FORWARDED_LINES_MAX];
};
/* From the peer on, which is trusted, to the left: the first address that is not trusted. What
 * cannot be read ends the search at the proxy that wrote it. */
struct in6_addr hl_forwarded_client(const struct hl_networks *trusted, const struct in6_addr *peer,
                                    enum hl_forwarded_header header,
                                    const struct hl_forwarded *forwarded);

#endif
