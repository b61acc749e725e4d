/* A disk that can fail: a SQLite VFS over the real one that remembers which writes were synced.
 * At a chosen operation the power is cut: what was synced stays; of everything else each
 * sector of 512 bytes keeps its old content or gets that of any write since, in no order. From
 * then on every operation fails, so that nothing can be acknowledged after the cut.
 *
 * Operations are writes, truncations, syncs and deletions of data file, write-ahead log and
 * journal, counted from 1. Thread: any; one disk at a time. */
#ifndef HL_TESTS_SUPPORT_CRASH_VFS_H
#define HL_TESTS_SUPPORT_CRASH_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define HL_CRASH_VFS_NAME "holdline-crash"

enum hl_crash_event {
    HL_CRASH_NEVER,
    HL_CRASH_POWER_CUT,   /* after that operation */
    HL_CRASH_SYNC_ERROR,  /* the first sync from then on fails, and forgets what it was to keep */
    HL_CRASH_WRITE_ERROR, /* that operation fails if it is a write */
    HL_CRASH_NO_SPACE     /* from then on nothing can be written, until hl_crash_vfs_heal */
};

struct hl_crash_plan {
    enum hl_crash_event event;
    uint64_t at; /* operation */
    uint64_t seed;
    bool syncs_lie; /* planted bug: a sync keeps nothing */
};

/* Registers the VFS on first use and forgets the disk before. */
void hl_crash_vfs_begin(const struct hl_crash_plan *plan);
uint64_t hl_crash_vfs_operations(void);
bool hl_crash_vfs_happened(void); /* the planned event */
void hl_crash_vfs_heal(void);
/* Cuts the power now if that has not happened, then makes the folder what the disk holds.
 * All connections must be closed. */
void hl_crash_vfs_power_on(const char *folder);

#endif
