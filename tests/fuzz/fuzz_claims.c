/* What a client or a proxy claims in headers: cookies and forwarded addresses. A cookie that is
 * found lies within the header; without a header the client is the peer. */
#include <string.h>

#include "base/check.h"
#include "gateway/forwarded.h"
#include "gateway/signin/cookie.h"
#include "tests/fuzz/fuzz.h"

static void check_cookie(struct hl_bytes header)
{
    struct hl_bytes value = hl_cookie_find(header, "holdline_session");

    if (value.size == 0)
        return;
    HL_CHECK(value.data >= header.data);
    HL_CHECK(value.data + value.size <= header.data + header.size);
    HL_CHECK(memchr(value.data, ';', value.size) == NULL);
}

static void check_client(struct hl_bytes header, enum hl_forwarded_header kind)
{
    struct hl_networks trusted;
    struct in6_addr peer = {{{0}}};
    struct hl_forwarded forwarded = {.n_lines = 2, .lines = {header, header}};

    HL_CHECK(hl_networks_parse("::/8,10.0.0.0/8", &trusted) == 0);
    (void)hl_forwarded_client(&trusted, &peer, kind, &forwarded);
    forwarded.n_lines = 0;
    struct in6_addr nobody = hl_forwarded_client(&trusted, &peer, kind, &forwarded);
    HL_CHECK(memcmp(&nobody, &peer, sizeof(peer)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hl_bytes header = fuzz_text(data, size);
    struct hl_networks networks;
    char text[256];

    check_cookie(header);
    check_client(header, HL_FORWARDED_X_FORWARDED_FOR);
    check_client(header, HL_FORWARDED_FORWARDED);
    if (size < sizeof(text)) {
        memcpy(text, data, size);
        text[size] = '\0';
        if (hl_networks_parse(text, &networks) == 0)
            HL_CHECK(networks.n_items <= HL_NETWORKS_MAX);
    }
    return 0;
}
