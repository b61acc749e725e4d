#include "store/sqlite/wal_vfs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/check.h"
#include "base/result.h"

/* SQLite's VFS for Unix keeps the low 17 bits of a write's size: stay below 128 KiB. */
enum { GATHERED_MAX = 120 * 1024, NAME_SIZE_MAX = 64, LAYERS_MAX = 4 };

/* Our VFS over another one; never unregistered. */
struct layer {
    sqlite3_vfs vfs;
    sqlite3_vfs *over;
    char name[NAME_SIZE_MAX];
};

/* An open write-ahead log. The file below follows it in memory. */
struct wal_file {
    sqlite3_file base;
    sqlite3_int64 offset; /* of what was gathered */
    int size;             /* bytes gathered */
    unsigned char *gathered;
    sqlite3_file below[];
};

static struct wal_file *wal_of(sqlite3_file *base)
{
    return (struct wal_file *)(void *)base;
}

/* What cannot be written is forgotten: the commit it belonged to fails. */
static int flush_writes(struct wal_file *file)
{
    int size = file->size;

    if (size == 0)
        return SQLITE_OK;
    file->size = 0;
    return file->below->pMethods->xWrite(file->below, file->gathered, size, file->offset);
}

static int gather_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset)
{
    struct wal_file *file = wal_of(base);

    if (offset != file->offset + file->size || size > GATHERED_MAX - file->size) {
        int rc = flush_writes(file);
        if (rc != SQLITE_OK)
            return rc;
        file->offset = offset;
    }
    HL_CHECK(size <= GATHERED_MAX); /* a page or a header */
    memcpy(file->gathered + file->size, bytes, (size_t)size);
    file->size += size;
    return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *out, int size, sqlite3_int64 offset)
{
    struct wal_file *file = wal_of(base);
    int rc = flush_writes(file);

    return rc != SQLITE_OK ? rc : file->below->pMethods->xRead(file->below, out, size, offset);
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size)
{
    struct wal_file *file = wal_of(base);
    int rc = flush_writes(file);

    return rc != SQLITE_OK ? rc : file->below->pMethods->xTruncate(file->below, size);
}

static int sync_file(sqlite3_file *base, int flags)
{
    struct wal_file *file = wal_of(base);
    int rc = flush_writes(file);

    return rc != SQLITE_OK ? rc : file->below->pMethods->xSync(file->below, flags);
}

static int measure_file(sqlite3_file *base, sqlite3_int64 *out_size)
{
    struct wal_file *file = wal_of(base);
    int rc = flush_writes(file);

    return rc != SQLITE_OK ? rc : file->below->pMethods->xFileSize(file->below, out_size);
}

static int control_file(sqlite3_file *base, int operation, void *arg)
{
    struct wal_file *file = wal_of(base);
    int rc = flush_writes(file);

    return rc != SQLITE_OK ? rc : file->below->pMethods->xFileControl(file->below, operation, arg);
}

static int close_file(sqlite3_file *base)
{
    struct wal_file *file = wal_of(base);
    int flushed = flush_writes(file);
    int rc = file->below->pMethods->xClose(file->below);

    free(file->gathered);
    return flushed != SQLITE_OK ? flushed : rc;
}

static int lock_file(sqlite3_file *base, int level)
{
    return wal_of(base)->below->pMethods->xLock(wal_of(base)->below, level);
}

static int unlock_file(sqlite3_file *base, int level)
{
    return wal_of(base)->below->pMethods->xUnlock(wal_of(base)->below, level);
}

static int check_lock(sqlite3_file *base, int *out_locked)
{
    return wal_of(base)->below->pMethods->xCheckReservedLock(wal_of(base)->below, out_locked);
}

static int sector_size(sqlite3_file *base)
{
    return wal_of(base)->below->pMethods->xSectorSize(wal_of(base)->below);
}

static int characteristics(sqlite3_file *base)
{
    return wal_of(base)->below->pMethods->xDeviceCharacteristics(wal_of(base)->below);
}

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = gather_write,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = measure_file,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

/* Everything but a write-ahead log is opened as the VFS below does it. */
static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags,
                     int *out_flags)
{
    const struct layer *layer = vfs->pAppData;
    struct wal_file *file = wal_of(base);

    if ((flags & SQLITE_OPEN_WAL) == 0)
        return layer->over->xOpen(layer->over, path, base, flags, out_flags);
    file->base.pMethods = NULL; /* nothing to close yet */
    file->offset = 0;
    file->size = 0;
    file->gathered = malloc(GATHERED_MAX);
    if (file->gathered == NULL)
        return SQLITE_NOMEM;
    int rc = layer->over->xOpen(layer->over, path, file->below, flags, out_flags);
    if (rc != SQLITE_OK) {
        free(file->gathered);
        return rc;
    }
    file->base.pMethods = &wal_methods;
    return SQLITE_OK;
}

/* 0, -errno. */
static int init_layer(struct layer *layer, sqlite3_vfs *over)
{
    layer->over = over;
    layer->vfs = *over;
    (void)snprintf(layer->name, sizeof(layer->name), "holdline-wal-%s", over->zName);
    layer->vfs.zName = layer->name;
    layer->vfs.pNext = NULL;
    layer->vfs.pAppData = layer;
    layer->vfs.szOsFile = (int)sizeof(struct wal_file) + over->szOsFile;
    layer->vfs.xOpen = open_file;
    return sqlite3_vfs_register(&layer->vfs, 0) == SQLITE_OK ? 0 : -ENOMEM;
}

int hl_sqlite_wal_vfs_register(const char *over, const char **out_name)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct layer layers[LAYERS_MAX];
    static size_t n_layers;
    sqlite3_vfs *found = sqlite3_vfs_find(over);
    size_t at = 0;
    int r = 0;

    if (found == NULL)
        return -ENOENT;
    HL_CHECK(pthread_mutex_lock(&lock) == 0);
    while (at < n_layers && layers[at].over != found)
        at++;
    if (at == n_layers) {
        HL_CHECK(n_layers < LAYERS_MAX);
        r = init_layer(&layers[at], found);
        n_layers += r == 0;
    }
    HL_CHECK(pthread_mutex_unlock(&lock) == 0);
    if (r == 0)
        *out_name = layers[at].name;
    return r;
}
