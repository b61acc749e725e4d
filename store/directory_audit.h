/* What the audit log will say of changes of the directory. It is stored in directory.db with the
 * change, in one transaction, by whichever process makes it (the outbox); the gateway carries it
 * over into the audit log, in order and each once, since the log knows a mid it has seen.
 * directory.db also keeps a mark: how far the audit log had come, by which `holdline verify`
 * sees that it is missing or was put back.
 * Thread: as said. */
#ifndef HL_STORE_DIRECTORY_AUDIT_H
#define HL_STORE_DIRECTORY_AUDIT_H

#include "base/clock.h"
#include "store/entry.h"
#include "store/log.h"

struct hl_directory;

enum { HL_AUDIT_MID_SIZE = 32 };

struct hl_directory_audit { /* lent until done() of the change */
    char mid[HL_AUDIT_MID_SIZE + 1];
    struct hl_author author;
    char site[HL_SITE_SIZE_MAX + 1]; /* empty: of no one site */
    struct hl_bytes body;            /* canonical JSON object */
};
/* Fills mid, author and site. */
void hl_directory_audit_init(struct hl_directory_audit *audit, const struct hl_random *random,
                             const struct hl_author *author, const char *site);

/* The conversation of the audit log that entries of a site are in, and its reference. Both follow
 * from the name. `site` empty: that of what belongs to no one site. Returns the site's name there.
 */
const char *hl_audit_place(const char *site, struct hl_id *out_conversation,
                           char out_reference[HL_REFERENCE_SIZE_MAX + 1]);

/* From here on what is in the outbox is carried over: what is there at once, then after each
 * change, by whichever process. After the start; `audit` is lent until hl_directory_audit_end.
 * Any thread, once. 0, -errno. */
int hl_directory_audit_begin(struct hl_directory *directory, struct hl_log *audit);
/* Waits for what is under way, and saves the mark. Before the log is closed, when nobody submits
 * changes any more; not on the directory's own thread. */
void hl_directory_audit_end(struct hl_directory *directory);

struct hl_audit_mark {
    uint64_t epoch, position; /* the audit log had come at least so far; 0: nothing is known */
    bool is_lost;             /* the gateway found it behind that once */
};
/* Of a file that may be in use. 0 (also for a file of an older holdline: zeros), -errno. */
int hl_audit_mark_read(const char *path, struct hl_audit_mark *out_mark);
/* For `holdline restore`: the audit log has a new epoch. 0, -errno. */
int hl_audit_mark_renew(const char *path, uint64_t epoch, uint64_t position);
/* Whether a log that is there now can be the one the mark was made of. */
bool hl_audit_mark_fits(const struct hl_audit_mark *mark, uint64_t epoch, uint64_t position);

#endif
