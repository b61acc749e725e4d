/* Media types in Content-Type and Accept. Pure. */
#ifndef HL_AGENT_API_MEDIA_H
#define HL_AGENT_API_MEDIA_H

#include "base/bytes.h"

/* Whether a Content-Type is this type, whatever its parameters. */
bool hl_media_is(struct hl_bytes content_type, const char *type);

/* Which of our types an Accept header (RFC 9110 section 12.5.1) likes best; of equals the
 * first. An empty header accepts all. -1: none of them. */
int hl_media_choose(struct hl_bytes accept, const char *const *types, size_t n_types);

/* Whether it names this very type; a range like any/any does not. */
bool hl_media_names(struct hl_bytes accept, const char *type);

#endif
