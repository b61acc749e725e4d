#include "store/directory_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"

static const char no_site[] = "*"; /* what belongs to no one site */

/* Not a secret; who could choose names of sites aims at themselves. */
const char *hl_audit_place(const char *site, struct hl_id *out_conversation,
                           char out_reference[HL_REFERENCE_SIZE_MAX + 1])
{
    static const uint8_t first[HL_HASH_KEY_SIZE] = {1};
    static const uint8_t second[HL_HASH_KEY_SIZE] = {2};
    const char *name = site[0] != '\0' ? site : no_site;
    uint64_t halves[2] = {hl_hash(first, name, strlen(name)), hl_hash(second, name, strlen(name))};
    memcpy(out_conversation->b, halves, sizeof(out_conversation->b));
    snprintf(out_reference, HL_REFERENCE_SIZE_MAX + 1, "AUDIT-%016" PRIx64, halves[0]);
    return name;
}

void hl_directory_audit_init(struct hl_directory_audit *audit, const struct hl_random *random,
                             const struct hl_author *author, const char *site)
{
    uint64_t bits[2];
    size_t size = strlen(site);
    HL_CHECK(size <= HL_SITE_SIZE_MAX);
    memset(audit, 0, sizeof(*audit));
    hl_random_fill(random, bits, sizeof(bits));
    snprintf(audit->mid, sizeof(audit->mid), "%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
    audit->author = *author;
    memcpy(audit->site, site, size + 1);
}
