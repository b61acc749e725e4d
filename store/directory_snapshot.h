/* The directory as it is at one moment: sites, inboxes, agents, keys, canned replies, typed and
 * sorted. Built once, never changed, shared by counted references; all pointers in it live as
 * long as it does. store/directory.h gives it out.
 * Thread: any. */
#ifndef HL_STORE_DIRECTORY_SNAPSHOT_H
#define HL_STORE_DIRECTORY_SNAPSHOT_H

#include <stdatomic.h>

#include "base/id.h"
#include "base/json.h"
#include "store/conversation.h"

#define HL_ID_INBOX "inb_"
#define HL_ID_KEY "key_"
#define HL_ID_CANNED "cnr_"

/* Stored as numbers: never renumber, only add. */
enum hl_record_kind {
    HL_RECORD_SITE = 1, /* id: the site's name */
    HL_RECORD_INBOX,    /* "inb_…" */
    HL_RECORD_AGENT,    /* "agt_…"; integrations too */
    HL_RECORD_KEY,      /* "key_…" */
    HL_RECORD_CANNED,   /* "cnr_…" */
    HL_RECORD_JOB,      /* "exp_…", "era_…": not in snapshots, see hl_directory_query */
    HL_RECORD_KIND_END
};

/* Stored as numbers: never renumber, only add. */
enum hl_key_role {
    HL_KEY_AGENT = 1,
    HL_KEY_INTEGRATION,
    HL_KEY_ADMIN,
    HL_KEY_SUPERVISOR,
    HL_KEY_AUDITOR,
    HL_KEY_ROLE_END
};
const char *hl_key_role_name(enum hl_key_role role); /* "agent", "integration", "admin", … */
/* HL_KEY_ROLE_END if there is none of that name. */
enum hl_key_role hl_key_role_find(const char *name);

enum {
    HL_RECORD_ID_SIZE_MAX = 64,
    HL_AGENT_NAME_SIZE_MAX = 64,
    HL_EMAIL_SIZE_MAX = 254,
    HL_SITES_MAX = 256,
    HL_INBOXES_MAX = 1024,
    HL_AGENTS_MAX = 4096, /* active ones */
    HL_KEYS_MAX = 4096,   /* that are not revoked */
    HL_CANNED_MAX = 5000,
    HL_SITE_ORIGINS_MAX = 32,
    HL_AGENT_INBOXES_MAX = 64,
    HL_OPEN_RANGES_MAX = 28,
    HL_HOLIDAYS_MAX = 64,
    HL_IDENTITY_SECRET_SIZE = 32,
    HL_KEY_HASH_SIZE = 32,
};

struct hl_record { /* what all have; first member of the others */
    char id[HL_RECORD_ID_SIZE_MAX + 1];
    char site[HL_SITE_SIZE_MAX + 1]; /* empty: of no site */
    uint64_t revision;               /* 1, 2, 3 …; ETag "r3" */
    int64_t created_ms;
    int64_t updated_ms;
    json_t *document; /* an object; lent, read only */
};

struct hl_site {
    struct hl_record record;
    const char *name;     /* for people */
    const char *home_url; /* NULL: none */
    const char *locale;   /* BCP 47; "en" unless set */
    const char *origins[HL_SITE_ORIGINS_MAX];
    size_t n_origins;
    bool search_text;        /* conversations may be searched by their text */
    uint32_t retention_days; /* 0: kept for ever */
    bool has_identity_secret;
    uint8_t identity_secret[HL_IDENTITY_SECRET_SIZE];
};

struct hl_open_range {   /* of a week's day; local time of the inbox */
    uint8_t day;         /* 0: Monday … 6: Sunday */
    uint16_t open_min;   /* minutes since midnight */
    uint16_t closed_min; /* above open_min, at most 1440 */
};

struct hl_inbox {
    struct hl_record record;
    struct hl_id id;
    const char *name; /* unique in the site */
    const char *locale;
    bool is_default;                 /* of its site; every site has exactly one */
    uint32_t first_response_minutes; /* 0: no goal */
    uint32_t response_minutes;       /* 0: no goal */
    bool has_hours;                  /* false: always open */
    const char *time_zone;           /* IANA name */
    struct hl_open_range week[HL_OPEN_RANGES_MAX];
    size_t n_week;
    uint32_t holidays[HL_HOLIDAYS_MAX]; /* 20261225 */
    size_t n_holidays;
    const json_t *widget; /* object as in openapi.yaml, or NULL */
};

struct hl_agent {
    struct hl_record record; /* record.site: bound to it; empty: all sites */
    struct hl_id id;
    const char *name;
    const char *email; /* lower case; NULL: none */
    uint8_t role;      /* enum hl_key_role */
    bool is_active;
    bool is_away; /* availability "away" */
    struct hl_id inboxes[HL_AGENT_INBOXES_MAX];
    size_t n_inboxes; /* 0: all of its sites */
};

struct hl_key {
    struct hl_record record;
    struct hl_id id;
    struct hl_id agent;
    const char *name;
    int64_t revoked_ms; /* 0: active */
    uint8_t hash[HL_KEY_HASH_SIZE];
};

struct hl_canned {
    struct hl_record record;
    struct hl_id id;
    const char *shortcut; /* unique in the site */
    const char *text;
    const char *locale; /* NULL: any */
};

/* Arrays sorted by record.id, which for prefixed ids is the order of creation. */
struct hl_directory_snapshot {
    atomic_uint refs;
    uint64_t version; /* rises with every change */
    struct hl_site *sites;
    struct hl_inbox *inboxes;
    struct hl_agent *agents;
    struct hl_key *keys;
    struct hl_canned *canned;
    size_t n_sites, n_inboxes, n_agents, n_keys, n_canned;
    const struct hl_key **by_hash; /* active keys of active agents, by hash */
    size_t n_by_hash;
};

struct hl_directory_snapshot *hl_directory_snapshot_ref(struct hl_directory_snapshot *snapshot);
void hl_directory_snapshot_unref(struct hl_directory_snapshot *snapshot); /* accepts NULL */

/* NULL: there is none. */
const struct hl_site *hl_snapshot_site(const struct hl_directory_snapshot *snapshot,
                                       const char *id);
const struct hl_inbox *hl_snapshot_inbox(const struct hl_directory_snapshot *snapshot,
                                         const struct hl_id *id);
const struct hl_inbox *hl_snapshot_default_inbox(const struct hl_directory_snapshot *snapshot,
                                                 const char *site);
/* By name within the site, exactly as written. */
const struct hl_inbox *hl_snapshot_inbox_named(const struct hl_directory_snapshot *snapshot,
                                               const char *site, const char *name);
/* Inactive agents are found too: they are the authors of what they wrote. */
const struct hl_agent *hl_snapshot_agent(const struct hl_directory_snapshot *snapshot,
                                         const struct hl_id *id);
/* The active agent of that address; any case. */
const struct hl_agent *hl_snapshot_agent_of_email(const struct hl_directory_snapshot *snapshot,
                                                  const char *email);
const struct hl_key *hl_snapshot_key(const struct hl_directory_snapshot *snapshot,
                                     const struct hl_id *id);
const struct hl_canned *hl_snapshot_canned(const struct hl_directory_snapshot *snapshot,
                                           const struct hl_id *id);

#endif
