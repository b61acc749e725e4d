/* That somebody is left who can administer: the rule behind HL_DIRECTORY_LAST_ADMIN.
 * Thread: as struct hl_directory_file. */
#ifndef HL_STORE_DIRECTORY_ADMINS_H
#define HL_STORE_DIRECTORY_ADMINS_H

#include "store/directory/file.h"

/* Within the transaction, before the change: whether there is an active admin of the site that the
 * agent is of (or whose key it is), or of all sites, who can sign in. 0, -errno. */
int hl_admins_find(struct hl_directory_file *file, const struct hl_directory_change *change,
                   bool *out_found);
/* After it, if there was one: 0, HL_DIRECTORY_LAST_ADMIN, -errno. */
int hl_admins_check(struct hl_directory_file *file, const struct hl_directory_change *change);

#endif
