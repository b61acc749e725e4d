/* What the directory's settings mean for the index: whose text may be searched, and when
 * answers are owed.
 * Thread: made by the main thread; asked by the index's own thread. */
#ifndef HL_GATEWAY_SERVER_POLICY_H
#define HL_GATEWAY_SERVER_POLICY_H

#include "store/directory.h"
#include "store/index.h"

struct hl_policy {
    struct hl_directory *directory; /* lent */
    uint64_t directory_version;     /* looked at last */
    uint64_t version;               /* of what matters here, as of then */
};

/* `policy` outlives the index. */
struct hl_index_policy hl_policy_of(struct hl_policy *policy, struct hl_directory *directory);

#endif
