/* A SQLite VFS over another one that gathers the many small writes of a commit to the
 * write-ahead log (two for each page) and hands them on as few large ones, at the latest when
 * the log is synced. Nothing else changes: whatever else is asked of the file, the writes come
 * first. Only for a connection that syncs with each commit (synchronous=FULL), since others
 * read what it committed.
 * Thread: register from any; a file belongs to its connection's. */
#ifndef HL_STORE_SQLITE_WAL_VFS_H
#define HL_STORE_SQLITE_WAL_VFS_H

/* The name of the VFS over the one named (NULL: SQLite's default), registered once.
 * 0, -ENOENT (there is none of that name), -ENOMEM. */
int hl_sqlite_wal_vfs_register(const char *over, const char **out_name);

#endif
