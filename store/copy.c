#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/result.h"
#include "store/key_file.h"
#include "store/sqlite/file.h"
#include "store/sqlite/schema.h"
#include "store/verify.h"

enum { PATH_SIZE_MAX = 4096 };

/* A copy under way: written under a name of its own, then given the target's. */
struct copy {
    const char *target;
    char partial[PATH_SIZE_MAX];
    sqlite3 *from;
    sqlite3 *to;
};

static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

    if (fd < 0)
        return -errno;
    int r = fsync(fd) == 0 ? 0 : -errno;
    (void)close(fd);
    return r;
}

static int sync_folder_of(const char *path)
{
    char folder[PATH_SIZE_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 1 : (size_t)(slash - path) + 1;

    if (size >= sizeof(folder))
        return -ENAMETOOLONG;
    memcpy(folder, slash == NULL ? "." : path, size);
    folder[size] = '\0';
    return sync_path(folder, O_DIRECTORY);
}

/* In one step: the copy is of one moment, however long it takes and whatever is written
 * meanwhile. */
static int copy_pages(struct copy *copy)
{
    sqlite3_backup *backup = sqlite3_backup_init(copy->to, "main", copy->from, "main");

    if (backup == NULL)
        return hl_sqlite_error(sqlite3_extended_errcode(copy->to));
    int rc = sqlite3_backup_step(backup, -1);
    int finished = sqlite3_backup_finish(backup);
    if (rc != SQLITE_DONE)
        return hl_sqlite_error(rc);
    return finished == SQLITE_OK ? 0 : hl_sqlite_error(finished);
}

static int open_copy(struct copy *copy, const char *path)
{
    struct hl_bytes name = hl_bytes_of(copy->target);

    if (name.size + sizeof(".partial") > sizeof(copy->partial))
        return -ENAMETOOLONG;
    if (access(copy->target, F_OK) == 0)
        return -EEXIST;
    (void)snprintf(copy->partial, sizeof(copy->partial), "%s.partial", copy->target);
    if (unlink(copy->partial) != 0 && errno != ENOENT)
        return -errno;
    int r = hl_sqlite_file_open(path, NULL, HL_SQLITE_READ, &copy->from);
    if (r == 0)
        r = hl_sqlite_file_make(copy->partial);
    return r != 0 ? r : hl_sqlite_file_open(copy->partial, NULL, HL_SQLITE_WRITE, &copy->to);
}

static void close_copy(struct copy *copy)
{
    hl_sqlite_file_close(copy->to);
    hl_sqlite_file_close(copy->from);
    copy->to = NULL;
    copy->from = NULL;
}

/* link() and not rename(): it never replaces a target that appeared meanwhile. */
static int publish_copy(struct copy *copy)
{
    int r = sync_path(copy->partial, 0);

    if (r == 0 && link(copy->partial, copy->target) != 0)
        r = -errno;
    if (r == 0)
        r = sync_folder_of(copy->target);
    return r;
}

/* What makes a copy what it is to be, before it gets its name. */
typedef int (*finish_copy)(sqlite3 *db, const void *arg);

static int copy_file(const char *path, const char *target, finish_copy finish, const void *arg)
{
    struct copy copy = {.target = target};
    int r = open_copy(&copy, path);

    if (r == 0)
        r = copy_pages(&copy);
    /* one file that needs no companions */
    if (r == 0)
        r = hl_sqlite_run(copy.to, "PRAGMA journal_mode = DELETE");
    if (r == 0 && finish != NULL)
        r = finish(copy.to, arg);
    close_copy(&copy);
    if (r == 0)
        r = publish_copy(&copy);
    if (copy.partial[0] != '\0')
        (void)unlink(copy.partial);
    return r;
}

int hl_backup(const char *path, const char *target)
{
    return copy_file(path, target, NULL, NULL);
}

static int strip_copy(sqlite3 *db, const void *arg)
{
    (void)arg;
    return hl_key_file_strip(db);
}

/* The log first: whatever conversation it has, the keys have. */
int hl_backup_apart(const char *path, const char *target, const char *keys_target)
{
    if (access(keys_target, F_OK) == 0)
        return -EEXIST;
    int r = copy_file(path, target, strip_copy, NULL);
    if (r != 0)
        return r;
    r = hl_key_file_write(path, keys_target);
    if (r == 0)
        r = sync_path(keys_target, 0);
    if (r == 0)
        r = sync_folder_of(keys_target);
    if (r != 0)
        (void)unlink(target);
    return r;
}

static int renew_epoch(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    int r = hl_sqlite_prepare(db, "UPDATE meta SET epoch = ?1 WHERE epoch <> ?1", &statement);

    if (r == 0) {
        hl_sqlite_bind_integer(statement, 1, (int64_t)hl_sqlite_draw_epoch());
        r = hl_sqlite_finish(statement);
        HL_CHECK(r != 0 || sqlite3_changes(db) == 1);
    }
    (void)sqlite3_finalize(statement);
    return r;
}

static int finish_restore(sqlite3 *db, const void *arg)
{
    const char *keys = arg;
    int is_needed = 0;
    int r = hl_key_file_is_needed(db, &is_needed);

    if (r == 0 && is_needed && keys == NULL)
        return HL_VERIFY_KEYS_MISSING;
    if (r == 0 && is_needed)
        r = hl_key_file_apply(db, keys);
    if (r > 0)
        return r == HL_KEY_FILE_TOO_OLD ? HL_VERIFY_KEYS_TOO_OLD : HL_VERIFY_KEYS_FOREIGN;
    return r == 0 ? renew_epoch(db) : r;
}

int hl_restore(const char *backup, const char *keys, const char *target,
               const uint8_t chain_key[32], struct hl_verify_report *report)
{
    int r = hl_verify(backup, chain_key, report);

    return r != 0 ? r : copy_file(backup, target, finish_restore, keys);
}
