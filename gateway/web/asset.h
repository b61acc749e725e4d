/* The web files that come with the program: the SDK and the widget for other people's pages,
 * the console for agents. scripts/embed.py puts them into the binary with their compressed form,
 * so that one file is all an installation needs.
 * Thread: any; nothing changes. */
#ifndef HL_GATEWAY_WEB_ASSET_H
#define HL_GATEWAY_WEB_ASSET_H

#include "agent-api/exchange.h"

/* Decides who may use it, how long it may be kept, and what it may do in a browser. */
enum hl_asset_kind {
    HL_ASSET_SDK,            /* /sdk/v1/NAME: any page; asked for again */
    HL_ASSET_SDK_PINNED,     /* /sdk/v1/RELEASE/NAME: any page; never changes */
    HL_ASSET_CONSOLE_PAGE,   /* /console/….html */
    HL_ASSET_CONSOLE_FILE,   /* /console/NAME */
    HL_ASSET_CONSOLE_HASHED, /* /console/assets/NAME: the name holds its hash */
};

struct hl_asset {
    const char *path;
    const char *type;
    enum hl_asset_kind kind;
    const char *etag; /* without quotes */
    const unsigned char *data;
    size_t size;
    const unsigned char *gzip; /* NULL: it does not get smaller */
    size_t gzip_size;
};

struct hl_asset_set {
    size_t n_items;
    const struct hl_asset *items; /* in order of path */
};

extern const struct hl_asset_set hl_assets_embedded;

/* Whether requests of this path belong here. */
bool hl_assets_own(struct hl_bytes path);
/* Answers a request whose path is owned. Paths below /console/ that name no file get the
 * console's page: it finds its own way. The console's page may talk to these origins too. */
void hl_assets_answer(const struct hl_asset_set *set, const char *const *origins, size_t n_origins,
                      struct hl_exchange *exchange);

#endif
