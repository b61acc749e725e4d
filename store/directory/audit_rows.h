/* The outbox and the mark of the audit log as rows of directory.db.
 * Thread: as struct hl_directory_file. */
#ifndef HL_STORE_DIRECTORY_AUDIT_ROWS_H
#define HL_STORE_DIRECTORY_AUDIT_ROWS_H

#include "store/directory/file.h"

/* Within the transaction of the change. 0, -errno. */
int hl_audit_rows_insert(struct hl_directory_file *file, const struct hl_directory_audit *audit,
                         uint64_t *out_number);
/* The number of the newest row there ever was. 0, -errno. */
int hl_audit_rows_newest(struct hl_directory_file *file, uint64_t *out_number);

struct hl_audit_row {
    uint64_t number;
    char site[HL_SITE_SIZE_MAX + 1];
    struct hl_entry *entry; /* one reference is the caller's */
};
/* The first after a number. 0, HL_SQLITE_NO_ROW, -errno. */
int hl_audit_rows_next(struct hl_directory_file *file, uint64_t after,
                       struct hl_audit_row *out_row);
/* Drops the rows up to a number and moves the mark on, in one transaction. 0, -errno. */
int hl_audit_rows_settle(struct hl_directory_file *file, uint64_t number,
                         const struct hl_audit_mark *mark);
int hl_audit_rows_read_mark(struct hl_directory_file *file, struct hl_audit_mark *out_mark);
/* Notes that the audit log is not the one the mark is of: it stays as it is. 0, -errno. */
int hl_audit_rows_lose(struct hl_directory_file *file);

#endif
