/* Where people come in: the sites and inboxes of the directory, as the public side asks for
 * them, and which pages and identities belong there.
 * Thread: the loop's. */
#ifndef HL_GATEWAY_VISIT_DOOR_H
#define HL_GATEWAY_VISIT_DOOR_H

#include "agent-api/exchange.h"
#include "session/hub.h"
#include "store/directory.h"

struct hl_doors { /* its owner keeps it up to date */
    struct hl_directory *directory;
    const char *site;           /* where those go who name none */
    const char *const *origins; /* of pages that may go to any site; "*" alone: any page */
    size_t n_origins;
};

struct hl_door { /* one inbox of one site, as of one moment */
    struct hl_directory_snapshot *snapshot;
    const struct hl_site *site;
    const struct hl_inbox *inbox; /* NULL: the site has none left */
};

/* Finds site (empty: the default one) and inbox (id or name; empty: the site's default).
 * 0: hl_door_leave later; HL_VISIT_NO_SITE, HL_VISIT_NO_INBOX. */
int hl_door_enter(const struct hl_doors *doors, struct hl_bytes site, struct hl_bytes inbox,
                  struct hl_door *out_door);
void hl_door_leave(struct hl_door *door);

/* Whether a page of that origin may talk to the site. No origin: it is no page. */
bool hl_door_allows(const struct hl_doors *doors, const struct hl_door *door,
                    struct hl_bytes origin, bool is_same_host);
/* The same for a request. */
bool hl_door_allows_request(const struct hl_doors *doors, const struct hl_door *door,
                            const struct hl_exchange *exchange);
/* Whether `hash` is HMAC-SHA256 of `identity` under the site's secret, in hex. */
bool hl_door_proves(const struct hl_door *door, struct hl_bytes identity, struct hl_bytes hash);

/* Whether a page of that origin may talk to any site. */
bool hl_doors_know_origin(void *doors, struct hl_bytes origin);

/* hl_sites.admit with struct hl_doors as argument. */
int hl_doors_admit(void *doors, const struct hl_visit *visit, struct hl_id *out_inbox);

#endif
