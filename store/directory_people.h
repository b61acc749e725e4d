/* Agents and their keys by hand: what `holdline key` does to the directory. Each call is one
 * change, carried out here (hl_directory_apply), so not on a gateway loop.
 * Thread: any. */
#ifndef HL_STORE_DIRECTORY_PEOPLE_H
#define HL_STORE_DIRECTORY_PEOPLE_H

#include "store/directory.h"

struct hl_person_wish {
    const char *name;  /* 1 to HL_AGENT_NAME_SIZE_MAX bytes of UTF-8 without control bytes */
    const char *email; /* lower case; NULL: none */
    const char *site;  /* NULL: all */
    enum hl_key_role role;
};

/* An agent with a first key. The secret is given out this once. 0, HL_DIRECTORY_TAKEN (the
 * e-mail address), HL_DIRECTORY_LIMIT, -errno. */
int hl_directory_add_person(struct hl_directory *directory, const struct hl_person_wish *wish,
                            char out_secret[HL_KEY_SECRET_SIZE], struct hl_id *out_agent);
/* Another key of an active agent. 0, HL_DIRECTORY_UNKNOWN, HL_DIRECTORY_LIMIT, -errno. */
int hl_directory_add_key(struct hl_directory *directory, const struct hl_id *agent,
                         const char *name, char out_secret[HL_KEY_SECRET_SIZE],
                         struct hl_id *out_key);
/* Deactivates an agent, which ends all its keys. 0, HL_DIRECTORY_UNKNOWN (no such, or not
 * active), HL_DIRECTORY_REVISION (somebody changed it meanwhile), -errno. */
int hl_directory_let_go(struct hl_directory *directory, const struct hl_id *agent);
/* Ends one key. As hl_directory_let_go. */
int hl_directory_revoke_key(struct hl_directory *directory, const struct hl_id *key);

#endif
