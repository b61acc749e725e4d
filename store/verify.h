/* Offline and online checks and copies of a data file, for `holdline verify|backup|restore`. */
#ifndef HL_STORE_VERIFY_H
#define HL_STORE_VERIFY_H

#include <stdint.h>

#include "base/bytes.h"

enum {
    HL_VERIFY_BROKEN = 1,
    HL_VERIFY_SCHEMA_NEWER,
    HL_VERIFY_NOT_A_LOG,
    HL_VERIFY_KEYS_MISSING, /* restore: the backup was made without its keys */
    HL_VERIFY_KEYS_TOO_OLD, /* restore: conversations have no key in the file */
    HL_VERIFY_KEYS_FOREIGN, /* restore: it is no file of keys, or damaged */
};

struct hl_verify_report {
    uint64_t epoch, position, n_conversations, n_entries;
    uint64_t n_erased;                              /* conversations whose key is destroyed */
    uint64_t n_integrity, n_gaps, n_chain, n_index; /* findings by class */
    struct hl_buffer findings;                      /* one line each, bounded; caller fini */
};

/* Reads only. SQLite integrity_check and foreign keys; positions and offsets dense; the hash
 * chain of each conversation recomputed, which needs no keys; conversation index equal to the
 * fold of its entries; no key and no plain body left of what is erased.
 * 0, HL_VERIFY_BROKEN (report says what), HL_VERIFY_SCHEMA_NEWER, HL_VERIFY_NOT_A_LOG, -errno. */
int hl_verify(const char *path, const uint8_t chain_key[32], struct hl_verify_report *report);

/* Consistent copy of a data file that may be in use by a running gateway. The target must not
 * exist; it appears under its name only when complete and fsynced. 0, -EEXIST, -errno. */
int hl_backup(const char *path, const char *target);

/* The same, but the keys of the conversations go to a file of their own: without that one nobody
 * can read the copy, and with a later one nobody can read what was erased in between. Neither
 * target may exist. 0, -EEXIST, -errno (then neither is there). */
int hl_backup_apart(const char *path, const char *target, const char *keys_target);

/* Copies a backup into place as a new log: verified first, then given a new epoch and its keys
 * (NULL: it has them). The target must not exist. 0, HL_VERIFY_*, -EEXIST, -errno. */
int hl_restore(const char *backup, const char *keys, const char *target,
               const uint8_t chain_key[32], struct hl_verify_report *report);

#endif
