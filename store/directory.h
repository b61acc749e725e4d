/* The directory: who and what the gateway serves. Sites, inboxes, agents, API keys, canned
 * replies and jobs, as records in DATA/directory.db (mode 0600), and a snapshot of them in
 * memory that every loop reads. docs/internals/directory.md explains it.
 *
 * Changes are requests, carried out in order on the directory's own thread, each one
 * transaction; a creating one may carry an idempotency name that is stored with its effect.
 * Other processes (`holdline key`) change the file too: hl_directory_refresh sees it.
 *
 * An API key's secret is "hlk_" and 43 base64url characters: 256 random bits. Only its BLAKE2b
 * hash is stored. A fast hash is right here: slow hashes exist to make guessing of weak secrets
 * expensive, and 256 random bits cannot be guessed at any speed.
 *
 * Thread: one thread opens, starts and closes; all else from any thread, unless said. */
#ifndef HL_STORE_DIRECTORY_H
#define HL_STORE_DIRECTORY_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/loop.h"
#include "store/directory_audit.h"
#include "store/directory_snapshot.h"

/* Outcomes. */
enum {
    HL_DIRECTORY_UNKNOWN = 1,  /* no such record */
    HL_DIRECTORY_REVISION,     /* if_revision: it was changed since */
    HL_DIRECTORY_TAKEN,        /* the id or the label is another record's */
    HL_DIRECTORY_LIMIT,        /* n_max records of the kind are there */
    HL_DIRECTORY_IN_PROGRESS,  /* a change with this idempotency name is under way */
    HL_DIRECTORY_MISMATCH,     /* the idempotency name was used for another request */
    HL_DIRECTORY_CLOSED,       /* it is closing: nothing was taken */
    HL_DIRECTORY_NEWER,        /* the file was written by a newer holdline */
    HL_DIRECTORY_NO_DIRECTORY, /* the file is something else, or damaged */
    HL_DIRECTORY_CHANGED,      /* hl_directory_refresh: the snapshot is new */
    HL_DIRECTORY_LAST_ADMIN,   /* keeps_admin: nobody could administer what the last one does */
    HL_DIRECTORY_UNRECORDED,   /* it is changed, but the audit log does not take its entry now */
};

enum {
    HL_KEY_SECRET_SIZE = 4 + 43 + 1,
    HL_ONCE_KEPT_MS = 7 * 24 * 3600 * 1000,
    HL_RECORD_LABEL_SIZE = 320
};

struct hl_directory;

struct hl_directory_config {
    const char *path;      /* DATA/directory.db: made if it is missing */
    const char *keys_path; /* DATA/keys.db of an older holdline: taken over, then renamed to
                            * keys.db.taken-over; NULL: none */
    const struct hl_clock *clock;
    const struct hl_random *random;
};
/* 0, HL_DIRECTORY_NEWER, HL_DIRECTORY_NO_DIRECTORY (also for a bad keys.db), -errno. */
int hl_directory_open(const struct hl_directory_config *config,
                      struct hl_directory **out_directory);
/* Starts the thread; before it only the calls that say "here" work. 0, -errno. */
int hl_directory_start(struct hl_directory *directory);
/* The same on a loop of the caller's, for tests: it is closed after that loop ran empty. */
void hl_directory_start_on(struct hl_directory *directory, struct hl_loop *loop);
/* Completes what was taken (their done() are posted), frees. Accepts NULL. */
void hl_directory_close(struct hl_directory *directory);

/* Makes the site with its default inbox, if it is not there. Here, before the start. 0, -errno. */
int hl_directory_ensure_site(struct hl_directory *directory, const char *site);

/* One reference is the caller's. Never NULL. A short lock. */
struct hl_directory_snapshot *hl_directory_snapshot(struct hl_directory *directory);
/* Rises with every change of the snapshot. */
uint64_t hl_directory_version(struct hl_directory *directory);
/* Reads the file again if another process changed it. 0, HL_DIRECTORY_CHANGED, -errno (the
 * snapshot stays as it was). */
int hl_directory_refresh(struct hl_directory *directory);

/* Stored with the effect, in the same transaction, for HL_ONCE_KEPT_MS. All lent until done(). */
struct hl_directory_once {
    uint8_t name[32];       /* hash of who, where and the Idempotency-Key */
    uint8_t request[32];    /* hash of the body: another body is HL_DIRECTORY_MISMATCH */
    uint8_t secret[32];     /* the answer is stored sealed with it, since it may hold a secret */
    struct hl_bytes answer; /* what a repeat gets; at most 256 KiB */
};

enum hl_directory_operation { HL_DIRECTORY_CREATE = 1, HL_DIRECTORY_REPLACE, HL_DIRECTORY_DELETE };

struct hl_directory_change {
    struct hl_task task; /* the directory's while under way, like the next five */
    struct hl_list under_way, recorded;
    struct hl_directory *directory;
    int result;
    uint64_t audit_number;
    struct hl_loop *loop;
    void (*done)(struct hl_directory_change *change, int r);
    /* in; views and pointers are lent until done() */
    enum hl_directory_operation operation;
    enum hl_record_kind kind;
    char id[HL_RECORD_ID_SIZE_MAX + 1];
    char site[HL_SITE_SIZE_MAX + 1];  /* create */
    char label[HL_RECORD_LABEL_SIZE]; /* create, replace: unique within the kind; empty: none */
    struct hl_bytes document;         /* create, replace: canonical JSON object */
    struct hl_bytes secret;           /* never given out again; replace: empty keeps it */
    bool has_if_revision;             /* replace, delete */
    uint64_t if_revision;
    uint32_t n_max;  /* create: records of the kind, retired ones not counted; 0: no limit */
    bool is_retired; /* replace: no longer counted and frees its label (revoked, deactivated) */
    /* Of agents and keys: refused if it takes the last active admin of its site, or of all sites,
     * who has an active key or is linked to an identity provider. */
    bool keeps_admin;
    int64_t now_ms;
    const struct hl_directory_audit *audit; /* NULL: the audit log says nothing of it */
    const struct hl_directory_once *once;   /* create; NULL: none */
    /* A second record created in the same transaction, or deleted with it: the default inbox of
     * a site. NULL: none. Only kind, id, site, label, document, secret
     * and audit of it are used. */
    const struct hl_directory_change *with;
    /* out, when r is 0 */
    uint64_t revision;
    struct hl_buffer answer; /* when replayed: of the first; the caller's, hl_buffer_fini */
    bool replayed;
};
/* The label of what is unique within a site. Both together fit. */
void hl_record_label(char out_label[HL_RECORD_LABEL_SIZE], const char *site, const char *name);
/* r of done(): 0 once it is durable, and its entry in the audit log too if that was begun;
 * HL_DIRECTORY_UNRECORDED (changed, its entry follows when that is possible);
 * HL_DIRECTORY_UNKNOWN, _REVISION, _TAKEN, _LIMIT, _MISMATCH, _LAST_ADMIN, -errno (nothing was
 * changed). The snapshot has the change before done() runs. Deleting a site deletes its inboxes and
 * canned replies; deactivating an agent (is_retired) ends its keys. Returns 0 if done() will run;
 * HL_DIRECTORY_IN_PROGRESS or _CLOSED if it will not. */
int hl_directory_submit(struct hl_directory *directory, struct hl_directory_change *change);
/* The same, here, without waiting for the audit log: for programs that did not start the thread.
 * What done() would get. */
int hl_directory_apply(struct hl_directory *directory, struct hl_directory_change *change);

/* Records that are not in the snapshot (jobs): one by id, or a page in the order of ids. */
struct hl_directory_query {
    struct hl_task task;
    struct hl_directory *directory;
    int result;
    struct hl_loop *loop;
    void (*done)(struct hl_directory_query *query, int r);
    /* in */
    enum hl_record_kind kind;
    char id[HL_RECORD_ID_SIZE_MAX + 1];    /* empty: a page */
    char after[HL_RECORD_ID_SIZE_MAX + 1]; /* empty: from the first */
    char label[HL_RECORD_LABEL_SIZE];      /* empty: any; else only this one */
    bool skip_retired;
    uint32_t limit; /* 1 … 200 */
    /* out, when r is 0; the caller's, hl_directory_query_fini */
    struct hl_record *items;
    size_t n_items;
    bool has_more;
};
/* r of done(): 0, HL_DIRECTORY_UNKNOWN (by id only), -errno. Returns as hl_directory_submit. */
int hl_directory_ask(struct hl_directory *directory, struct hl_directory_query *query);
int hl_directory_look(struct hl_directory *directory, struct hl_directory_query *query); /* here */
void hl_directory_query_fini(struct hl_directory_query *query);

/* Who asks: an agent (or integration), as of one moment. */
struct hl_principal {
    struct hl_id id;  /* the agent's: also the author of what is written */
    struct hl_id key; /* zero: signed in otherwise */
    uint8_t role;     /* enum hl_key_role */
    char name[HL_AGENT_NAME_SIZE_MAX + 1];
    char site[HL_SITE_SIZE_MAX + 1]; /* empty: all */
    size_t n_inboxes;                /* 0: all of its sites */
    struct hl_id inboxes[HL_AGENT_INBOXES_MAX];
    int64_t created_ms;
};
/* By the secret of an active key of an active agent. One that is not known makes it look at the
 * file again: a key is good from the moment it was added. 0, HL_DIRECTORY_UNKNOWN. */
int hl_directory_find_secret(struct hl_directory *directory, struct hl_bytes secret,
                             struct hl_principal *out_principal);
/* An active agent. 0, HL_DIRECTORY_UNKNOWN. */
int hl_directory_find_agent(struct hl_directory *directory, const struct hl_id *agent,
                            struct hl_principal *out_principal);
/* Brings a principal up to date, for what stays open. 0; HL_DIRECTORY_UNKNOWN: the agent is not
 * active any more, or the key is revoked. */
int hl_directory_renew(struct hl_directory *directory, struct hl_principal *principal);
/* Whether conversations of this site and inbox exist for the principal; those of no inbox (zero)
 * do for all of the site. */
bool hl_principal_sees(const struct hl_principal *principal, const char *site,
                       const struct hl_id *inbox);
bool hl_principal_sees_site(const struct hl_principal *principal, const char *site);

/* A new key's secret and the hash that is stored of it. */
void hl_key_secret_make(const struct hl_random *random, char out_secret[HL_KEY_SECRET_SIZE],
                        uint8_t out_hash[HL_KEY_HASH_SIZE]);

/* When keys were last used, to about a minute; 0: never. Kept over a restart. */
int64_t hl_directory_key_used_ms(struct hl_directory *directory, const struct hl_id *key);

/* Copies the file at `path`, which may be in use, to a new file. 0, -EEXIST, -errno. */
int hl_directory_backup(const char *path, const char *target);

#endif
