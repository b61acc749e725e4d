#include "store/log_sqlite.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/check.h"
#include "base/result.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/wal_vfs.h"
#include "store/sqlite/writer.h"
#include "store/verify.h"

enum {
    QUEUE_MAX_DEFAULT = 65536,
    GROUP_MAX_DEFAULT = 1024,
    WAL_PAGES_MAX_DEFAULT = 16384,
    PATH_SIZE_MAX = 4096
};

/* Opened from top to bottom, closed from bottom to top. */
struct sqlite_log {
    struct hl_log log;
    char path[PATH_SIZE_MAX];
    int lock_fd; /* -1: none */
    sqlite3 *db; /* the writer's */
    sqlite3 *checkpoint_db;
    struct hl_sqlite_meta meta;
    struct hl_sqlite_checkpointer *checkpointer;
    struct hl_sqlite_writer *writer;
    struct hl_sqlite_readers *readers;
};

static struct sqlite_log *sqlite_of(struct hl_log *log)
{
    return HL_CONTAINER_OF(log, struct sqlite_log, log);
}

static int take_submit(struct hl_log *log, struct hl_log_submit *submit)
{
    submit->log = log;
    return hl_sqlite_writer_submit(sqlite_of(log)->writer, submit);
}

static int take_read(struct hl_log *log, struct hl_log_read *read)
{
    return hl_sqlite_readers_take(sqlite_of(log)->readers, HL_SQLITE_READ_PAGE, read->loop, read);
}

static int take_scan(struct hl_log *log, struct hl_log_scan *scan)
{
    return hl_sqlite_readers_take(sqlite_of(log)->readers, HL_SQLITE_READ_SCAN, scan->loop, scan);
}

static int take_find(struct hl_log *log, struct hl_log_find *find)
{
    return hl_sqlite_readers_take(sqlite_of(log)->readers, HL_SQLITE_READ_FIND, find->loop, find);
}

static int take_marks(struct hl_log *log, struct hl_log_marks *marks)
{
    return hl_sqlite_readers_take(sqlite_of(log)->readers, HL_SQLITE_READ_MARKS, marks->loop,
                                  marks);
}

static void take_mark(struct hl_log *log, const struct hl_log_mark *mark)
{
    hl_sqlite_writer_mark(sqlite_of(log)->writer, mark);
}

static void add_subscription(struct hl_log *log, struct hl_log_subscription *subscription)
{
    hl_sqlite_writer_subscribe(sqlite_of(log)->writer, subscription);
}

static void remove_subscription(struct hl_log *log, struct hl_log_subscription *subscription)
{
    hl_sqlite_writer_unsubscribe(sqlite_of(log)->writer, subscription);
}

static void copy_info(struct hl_log *base, struct hl_log_info *out_info)
{
    struct sqlite_log *log = sqlite_of(base);

    hl_sqlite_writer_info(log->writer, out_info);
    out_info->engine = base->ops->name;
    out_info->durability = HL_DURABILITY_LOCAL;
    out_info->reads = hl_sqlite_readers_served(log->readers);
    out_info->is_sweeping = hl_sqlite_checkpointer_is_sweeping(log->checkpointer);
    out_info->wal_bytes = hl_sqlite_checkpointer_wal_bytes(log->checkpointer);
}

static int copy_file(struct hl_log *log, const char *path)
{
    return hl_backup(sqlite_of(log)->path, path);
}

static void write_reason(char *why, size_t why_size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void write_reason(char *why, size_t why_size, const char *format, ...)
{
    va_list args;

    if (why == NULL || why_size == 0)
        return;
    va_start(args, format);
    (void)vsnprintf(why, why_size, format, args);
    va_end(args);
}

/* Everything into the data file and the write-ahead log emptied. Before serving: frames whose
 * sync failed in an earlier life may be in memory only, and what is appended behind them would
 * be lost with them. */
static int checkpoint_all(sqlite3 *db)
{
    int rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    return rc == SQLITE_OK ? 0 : hl_sqlite_error(rc);
}

static void close_log(struct hl_log *base)
{
    struct sqlite_log *log = sqlite_of(base);
    struct hl_log_info info = {.failed = true};

    hl_sqlite_checkpointer_stop(log->checkpointer);
    hl_sqlite_readers_stop(log->readers);
    if (log->writer != NULL) {
        hl_sqlite_writer_stop(log->writer);
        hl_sqlite_writer_info(log->writer, &info);
    }
    hl_sqlite_writer_destroy(log->writer);
    hl_sqlite_checkpointer_destroy(log->checkpointer);
    if (!info.failed)
        (void)checkpoint_all(log->checkpoint_db); /* what is left is found at the next open */
    hl_sqlite_file_close(log->checkpoint_db);
    hl_sqlite_file_close(log->db);
    if (log->lock_fd >= 0)
        (void)close(log->lock_fd);
    free(log);
}

static const struct hl_log_ops sqlite_ops = {
    .name = "sqlite",
    .submit = take_submit,
    .read = take_read,
    .scan = take_scan,
    .find = take_find,
    .mark = take_mark,
    .marks = take_marks,
    .subscribe = add_subscription,
    .unsubscribe = remove_subscription,
    .info = copy_info,
    .backup = copy_file,
    .close = close_log,
};

/* A file of its own beside the data file: SQLite's own locks would go if we opened and closed
 * the data file itself. The lock ends with the process. */
static int lock_folder(struct sqlite_log *log, char *why, size_t why_size)
{
    char path[PATH_SIZE_MAX + 8];

    (void)snprintf(path, sizeof(path), "%s.lock", log->path);
    log->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (log->lock_fd < 0) {
        int r = -errno;
        write_reason(why, why_size, "%s: %s", path, strerror(-r));
        return r;
    }
    if (flock(log->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    int r = errno == EWOULDBLOCK ? HL_LOG_SQLITE_LOCKED : -errno;
    write_reason(why, why_size, "%s: in use by another holdline", log->path);
    return r;
}

/* What a check or a migration of the schema means for opening. */
static int judge_schema(struct sqlite_log *log, int r, char *why, size_t why_size)
{
    switch (r) {
    case 0:
        return 0;
    case HL_SQLITE_SCHEMA_NEWER:
        write_reason(why, why_size,
                     "%s: written by a newer holdline: its schema version is "
                     "above %d",
                     log->path, (int)HL_SQLITE_SCHEMA_VERSION);
        return HL_LOG_SQLITE_SCHEMA_NEWER;
    case HL_SQLITE_SCHEMA_FOREIGN:
    case -EBADMSG:
        write_reason(why, why_size, "%s: not a data file of holdline, or damaged", log->path);
        return HL_LOG_SQLITE_NOT_A_LOG;
    default:
        write_reason(why, why_size, "%s: %s", log->path, sqlite3_errmsg(log->db));
        return r;
    }
}

/* Before the file is in WAL mode a journal that was deleted could come back with a power cut
 * and undo what is newer than it: synchronous = EXTRA makes its end durable. Memory-mapped
 * reads would turn a bad sector into SIGBUS; 64 MiB keep the hot pages. */
static int set_up_file(sqlite3 *db)
{
    int64_t synchronous = 0;
    int r = hl_sqlite_run(db, "PRAGMA synchronous = EXTRA; PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                              "PRAGMA cache_size = -65536; PRAGMA mmap_size = 0;"
                              "PRAGMA secure_delete = ON");

    if (r == 0)
        r = hl_sqlite_schema_migrate(db, HL_SQLITE_SCHEMA_VERSION);
    if (r == 0)
        r = checkpoint_all(db);
    if (r == 0)
        r = hl_sqlite_query_integer(db, "PRAGMA synchronous", &synchronous);
    HL_CHECK(r != 0 || synchronous == 2);
    return r;
}

static int open_writer_db(struct sqlite_log *log, const char *vfs, char *why, size_t why_size)
{
    int64_t version = 0;
    const char *wal_vfs = NULL;
    int r = hl_sqlite_wal_vfs_register(vfs, &wal_vfs);

    if (r == 0)
        r = hl_sqlite_file_make(log->path);
    if (r == 0)
        r = hl_sqlite_file_open(log->path, wal_vfs, HL_SQLITE_CREATE, &log->db);
    if (r != 0) {
        write_reason(why, why_size, "%s: cannot be opened: %s", log->path, strerror(-r));
        return r;
    }
    r = hl_sqlite_schema_check(log->db, &version);
    if (r == 0)
        r = set_up_file(log->db);
    return judge_schema(log, r, why, why_size);
}

static int boot_meta(struct sqlite_log *log, const struct hl_log_sqlite_config *config, char *why,
                     size_t why_size)
{
    int64_t position = 0;
    int r = hl_sqlite_meta_boot(log->db, config->chain_key, config->region_key, &log->meta);

    if (r == 0)
        r = hl_sqlite_query_integer(log->db, "SELECT max(position) FROM entries", &position);
    if (r == 0 && (uint64_t)position != log->meta.position) {
        write_reason(why, why_size, "%s: ends at position %lld instead of %llu: damaged", log->path,
                     (long long)position, (unsigned long long)log->meta.position);
        return HL_LOG_SQLITE_NOT_A_LOG;
    }
    if (r == HL_SQLITE_META_WITHOUT_KEYS) {
        write_reason(why, why_size, "%s: is a backup without its keys: restore it with them",
                     log->path);
        return HL_LOG_SQLITE_WITHOUT_KEYS;
    }
    if (r == -EKEYREJECTED)
        write_reason(why, why_size, "%s: was written with another chain or region key", log->path);
    else if (r != 0)
        write_reason(why, why_size, "%s: %s", log->path, strerror(-r));
    return r;
}

static void sweep_files(void *arg)
{
    hl_sqlite_checkpointer_sweep(((struct sqlite_log *)arg)->checkpointer);
}

static int start_threads(struct sqlite_log *log, const struct hl_log_sqlite_config *config)
{
    struct hl_sqlite_writer_config writer = {
        .path = log->path,
        .db = log->db,
        .clock = config->clock,
        .chain_key = config->chain_key,
        .region_key = config->region_key,
        .meta = &log->meta,
        .queue_max = config->queue_max != 0 ? config->queue_max : QUEUE_MAX_DEFAULT,
        .group_max = config->group_max != 0 ? config->group_max : GROUP_MAX_DEFAULT,
        .disk_free_min = config->disk_free_min,
        .on_failed = config->on_failed,
        .arg = config->arg,
        .on_destroyed = sweep_files,
        .on_destroyed_arg = log,
    };
    struct hl_sqlite_readers_config readers = {
        .path = log->path,
        .vfs = config->vfs,
        .epoch = log->meta.epoch,
        .region_key = config->region_key,
        .n_readers = config->n_readers != 0 ? config->n_readers : 1,
        .queue_max = writer.queue_max,
    };
    int64_t version = 0;
    uint32_t wal_pages_max =
        config->wal_pages_max != 0 ? config->wal_pages_max : WAL_PAGES_MAX_DEFAULT;
    int r = hl_sqlite_file_open(log->path, config->vfs, HL_SQLITE_WRITE, &log->checkpoint_db);

    if (readers.n_readers > HL_SQLITE_READERS_MAX)
        readers.n_readers = HL_SQLITE_READERS_MAX;
    /* a connection that has read nothing knows of no write-ahead log: its checkpoints would
     * succeed and do nothing */
    if (r == 0)
        r = hl_sqlite_query_integer(log->checkpoint_db, "PRAGMA user_version", &version);
    if (r == 0)
        r = hl_sqlite_checkpointer_create(log->checkpoint_db, log->db, wal_pages_max,
                                          &log->checkpointer);
    if (r == 0)
        r = hl_sqlite_writer_start(&writer, &log->writer);
    readers.writer = log->writer;
    if (r == 0)
        r = hl_sqlite_readers_start(&readers, &log->readers);
    if (r == 0)
        r = hl_sqlite_checkpointer_start(log->checkpointer, log->writer);
    return r;
}

int hl_log_sqlite_open(const struct hl_log_sqlite_config *config, char *why, size_t why_size,
                       struct hl_log **out_log)
{
    struct sqlite_log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return -ENOMEM;
    log->log.ops = &sqlite_ops;
    log->lock_fd = -1;
    int r = strlen(config->path) < sizeof(log->path) ? 0 : -ENAMETOOLONG;
    if (r == 0) {
        memcpy(log->path, config->path, strlen(config->path) + 1);
        r = lock_folder(log, why, why_size);
    }
    if (r == 0)
        r = open_writer_db(log, config->vfs, why, why_size);
    if (r == 0)
        r = boot_meta(log, config, why, why_size);
    if (r == 0) {
        r = start_threads(log, config);
        if (r != 0)
            write_reason(why, why_size, "%s: %s", log->path, strerror(-r));
    }
    if (r != 0) {
        close_log(&log->log);
        return r;
    }
    *out_log = &log->log;
    return 0;
}
