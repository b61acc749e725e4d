#include "tests/support/crash_vfs.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/bytes.h"
#include "base/check.h"

enum { FILES_MAX = 8, SECTOR = 512, NAME_SIZE_MAX = 256 };

/* Bytes of a file; what lies behind the end reads as zero. */
struct image {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
};

struct change {
    struct change *next;
    size_t offset; /* of a truncation: the new size */
    size_t size;   /* of a truncation: 0 */
    bool truncates;
    unsigned char bytes[];
};

struct file {
    char name[NAME_SIZE_MAX];
    bool exists;   /* after a power cut */
    bool deleting; /* deleted, but the folder was not synced */
    struct image durable;
    struct change *first, *last; /* since the last sync */
};

struct disk {
    struct hl_crash_plan plan;
    uint64_t n_operations;
    bool happened;
    bool dead;
    bool full;
    uint64_t random;
    struct file files[FILES_MAX];
    size_t n_files;
};

/* A connection's handle. The real one follows it in memory. */
struct handle {
    sqlite3_file base;
    struct file *file; /* NULL: not watched */
    sqlite3_file real[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct disk disk;
static sqlite3_vfs *real_vfs;
static sqlite3_io_methods methods;
static sqlite3_vfs vfs;

static sqlite3_file *real_of(sqlite3_file *base)
{
    return ((struct handle *)base)->real;
}

static uint64_t draw(void)
{
    disk.random ^= disk.random << 13;
    disk.random ^= disk.random >> 7;
    disk.random ^= disk.random << 17;
    return disk.random;
}

static void resize_image(struct image *image, size_t size)
{
    if (size > image->capacity) {
        size_t capacity = size * 2;
        image->bytes = realloc(image->bytes, capacity);
        HL_CHECK(image->bytes != NULL);
        image->capacity = capacity;
    }
    if (size > image->size)
        memset(image->bytes + image->size, 0, size - image->size);
    image->size = size;
}

static void apply_bytes(struct image *image, const struct change *change, size_t from, size_t size)
{
    if (image->size < change->offset + from + size)
        resize_image(image, change->offset + from + size);
    memcpy(image->bytes + change->offset + from, change->bytes + from, size);
}

static void apply_change(struct image *image, const struct change *change)
{
    if (change->truncates)
        resize_image(image, change->offset);
    else
        apply_bytes(image, change, 0, change->size);
}

/* Each sector of a write arrives or not, whatever became of those before and after. */
static void apply_torn(struct image *image, const struct change *change)
{
    if (change->truncates) {
        if (draw() % 2 == 0)
            apply_change(image, change);
        return;
    }
    for (size_t from = 0, size; from < change->size; from += size) {
        size_t to_boundary = SECTOR - (change->offset + from) % SECTOR;
        size = change->size - from < to_boundary ? change->size - from : to_boundary;
        if (draw() % 2 == 0)
            apply_bytes(image, change, from, size);
    }
}

static void drop_changes(struct file *file)
{
    while (file->first != NULL) {
        struct change *next = file->first->next;
        free(file->first);
        file->first = next;
    }
    file->last = NULL;
}

static void add_change(struct file *file, const void *bytes, size_t size, size_t offset)
{
    struct change *change = malloc(sizeof(*change) + size);

    HL_CHECK(change != NULL);
    *change = (struct change){.offset = offset, .size = size, .truncates = bytes == NULL};
    if (bytes != NULL)
        memcpy(change->bytes, bytes, size);
    if (file->last != NULL)
        file->last->next = change;
    else
        file->first = change;
    file->last = change;
}

static void keep_changes(struct file *file)
{
    for (const struct change *change = file->first; change != NULL; change = change->next)
        apply_change(&file->durable, change);
    drop_changes(file);
    file->exists = true;
    file->deleting = false;
}

/* Writes since the last sync reach the disk in any order: sometimes as they came, sometimes
 * backwards, each torn. */
static void cut_file(struct file *file)
{
    struct change *reversed = NULL;
    bool backwards = draw() % 2 == 0;

    for (struct change *at = file->first, *next; at != NULL; at = next) {
        next = at->next;
        if (backwards) {
            at->next = reversed;
            reversed = at;
        } else {
            apply_torn(&file->durable, at);
        }
    }
    if (backwards)
        file->first = reversed;
    for (struct change *at = reversed; at != NULL; at = at->next)
        apply_torn(&file->durable, at);
    drop_changes(file);
    if (!file->exists || file->deleting)
        file->exists = draw() % 2 == 0;
}

static void cut_power(void)
{
    disk.dead = true;
    for (size_t i = 0; i < disk.n_files; i++)
        cut_file(&disk.files[i]);
}

/* Counts one operation. What it is to fail with, or SQLITE_OK. */
static int begin_operation(bool writes, bool syncs)
{
    const struct hl_crash_plan *plan = &disk.plan;

    if (disk.dead)
        return SQLITE_IOERR;
    disk.n_operations++;
    if (plan->event == HL_CRASH_NO_SPACE && !disk.happened && disk.n_operations >= plan->at) {
        disk.happened = true;
        disk.full = true;
    }
    if (disk.full && writes)
        return SQLITE_FULL;
    if (plan->event == HL_CRASH_WRITE_ERROR && writes && disk.n_operations == plan->at) {
        disk.happened = true;
        return SQLITE_IOERR_WRITE;
    }
    if (plan->event == HL_CRASH_SYNC_ERROR && syncs && !disk.happened &&
        disk.n_operations >= plan->at) {
        disk.happened = true;
        return SQLITE_IOERR_FSYNC;
    }
    return SQLITE_OK;
}

static void end_operation(void)
{
    if (disk.plan.event != HL_CRASH_POWER_CUT || disk.dead || disk.n_operations < disk.plan.at)
        return;
    disk.happened = true;
    cut_power();
}

static int watch_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset)
{
    struct file *file = ((struct handle *)base)->file;

    if (file == NULL)
        return real_of(base)->pMethods->xWrite(real_of(base), bytes, size, offset);
    HL_CHECK(pthread_mutex_lock(&lock) == 0);
    int rc = begin_operation(true, false);
    if (rc == SQLITE_OK)
        rc = real_of(base)->pMethods->xWrite(real_of(base), bytes, size, offset);
    if (rc == SQLITE_OK) {
        add_change(file, bytes, (size_t)size, (size_t)offset);
        end_operation();
    }
    HL_CHECK(pthread_mutex_unlock(&lock) == 0);
    return rc;
}

static int watch_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *file = ((struct handle *)base)->file;

    if (file == NULL)
        return real_of(base)->pMethods->xTruncate(real_of(base), size);
    HL_CHECK(pthread_mutex_lock(&lock) == 0);
    int rc = begin_operation(true, false);
    if (rc == SQLITE_OK)
        rc = real_of(base)->pMethods->xTruncate(real_of(base), size);
    if (rc == SQLITE_OK) {
        add_change(file, NULL, 0, (size_t)size);
        end_operation();
    }
    HL_CHECK(pthread_mutex_unlock(&lock) == 0);
    return rc;
}

/* The real file is never synced: the machine under the test stays up. */
static int watch_sync(sqlite3_file *base, int flags)
{
    struct file *file = ((struct handle *)base)->file;

    (void)flags;
    if (file == NULL)
        return SQLITE_OK;
    HL_CHECK(pthread_mutex_lock(&lock) == 0);
    int rc = begin_operation(false, true);
    if (rc == SQLITE_OK && !disk.plan.syncs_lie)
        keep_changes(file);
    else if (rc == SQLITE_IOERR_FSYNC)
        drop_changes(file); /* as the kernel does: clean, but not on the disk */
    if (rc == SQLITE_OK)
        end_operation();
    HL_CHECK(pthread_mutex_unlock(&lock) == 0);
    return rc;
}

static int pass_close(sqlite3_file *base)
{
    return real_of(base)->pMethods->xClose(real_of(base));
}

static int pass_read(sqlite3_file *base, void *out, int size, sqlite3_int64 offset)
{
    return real_of(base)->pMethods->xRead(real_of(base), out, size, offset);
}

static int pass_file_size(sqlite3_file *base, sqlite3_int64 *out_size)
{
    return real_of(base)->pMethods->xFileSize(real_of(base), out_size);
}

static int pass_lock(sqlite3_file *base, int level)
{
    return real_of(base)->pMethods->xLock(real_of(base), level);
}

static int pass_unlock(sqlite3_file *base, int level)
{
    return real_of(base)->pMethods->xUnlock(real_of(base), level);
}

static int pass_check_lock(sqlite3_file *base, int *out_locked)
{
    return real_of(base)->pMethods->xCheckReservedLock(real_of(base), out_locked);
}

static int pass_control(sqlite3_file *base, int operation, void *arg)
{
    return real_of(base)->pMethods->xFileControl(real_of(base), operation, arg);
}

static int pass_sector_size(sqlite3_file *base)
{
    return real_of(base)->pMethods->xSectorSize(real_of(base));
}

static int pass_characteristics(sqlite3_file *base)
{
    return real_of(base)->pMethods->xDeviceCharacteristics(real_of(base));
}

static int pass_shm_map(sqlite3_file *base, int page, int size, int extend, void volatile **out)
{
    return real_of(base)->pMethods->xShmMap(real_of(base), page, size, extend, out);
}

static int pass_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
    return real_of(base)->pMethods->xShmLock(real_of(base), offset, n, flags);
}

static void pass_shm_barrier(sqlite3_file *base)
{
    real_of(base)->pMethods->xShmBarrier(real_of(base));
}

static int pass_shm_unmap(sqlite3_file *base, int and_delete)
{
    return real_of(base)->pMethods->xShmUnmap(real_of(base), and_delete);
}

static void load_image(struct image *image, const char *path)
{
    FILE *file = fopen(path, "rb");
    unsigned char part[4096];

    if (file == NULL)
        return;
    for (size_t n; (n = fread(part, 1, sizeof(part), file)) > 0;) {
        size_t size = image->size;
        resize_image(image, size + n);
        memcpy(image->bytes + size, part, n);
    }
    HL_CHECK(fclose(file) == 0);
}

static struct file *find_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;

    for (size_t i = 0; i < disk.n_files; i++) {
        if (strcmp(disk.files[i].name, name) == 0)
            return &disk.files[i];
    }
    HL_CHECK(disk.n_files < FILES_MAX);
    struct file *file = &disk.files[disk.n_files++];
    (void)snprintf(file->name, sizeof(file->name), "%s", name);
    file->exists = access(path, F_OK) == 0;
    load_image(&file->durable, path); /* what was there before the disk was watched is safe */
    return file;
}

static int open_file(sqlite3_vfs *self, const char *path, sqlite3_file *base, int flags,
                     int *out_flags)
{
    const int watched = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
    struct handle *handle = (struct handle *)base;

    (void)self;
    handle->base.pMethods = NULL;
    handle->file = NULL;
    HL_CHECK(pthread_mutex_lock(&lock) == 0);
    bool dead = disk.dead;
    if (!dead && path != NULL && (flags & watched) != 0)
        handle->file = find_file(path);
    HL_CHECK(pthread_mutex_unlock(&lock) == 0);
    if (dead)
        return SQLITE_IOERR;
    int rc = real_vfs->xOpen(real_vfs, path, handle->real, flags, out_flags);
    if (rc == SQLITE_OK)
        handle->base.pMethods = &methods;
    return rc;
}

static int delete_file(sqlite3_vfs *self, const char *path, int sync_folder)
{
    (void)self;
    HL_CHECK(pthread_mutex_lock(&lock) == 0);
    int rc = begin_operation(false, false);
    if (rc == SQLITE_OK)
        rc = real_vfs->xDelete(real_vfs, path, 0);
    if (rc == SQLITE_OK) {
        struct file *file = find_file(path);
        drop_changes(file);
        file->deleting = file->exists;
        if (sync_folder) {
            file->exists = false;
            file->deleting = false;
            resize_image(&file->durable, 0);
        }
        end_operation();
    }
    HL_CHECK(pthread_mutex_unlock(&lock) == 0);
    return rc;
}

static void register_vfs(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    HL_CHECK(real_vfs != NULL);
    methods = (sqlite3_io_methods){
        .iVersion = 2,
        .xClose = pass_close,
        .xRead = pass_read,
        .xWrite = watch_write,
        .xTruncate = watch_truncate,
        .xSync = watch_sync,
        .xFileSize = pass_file_size,
        .xLock = pass_lock,
        .xUnlock = pass_unlock,
        .xCheckReservedLock = pass_check_lock,
        .xFileControl = pass_control,
        .xSectorSize = pass_sector_size,
        .xDeviceCharacteristics = pass_characteristics,
        .xShmMap = pass_shm_map,
        .xShmLock = pass_shm_lock,
        .xShmBarrier = pass_shm_barrier,
        .xShmUnmap = pass_shm_unmap,
    };
    vfs = *real_vfs;
    vfs.zName = HL_CRASH_VFS_NAME;
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct handle) + real_vfs->szOsFile;
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    HL_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

void hl_crash_vfs_begin(const struct hl_crash_plan *plan)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    HL_CHECK(pthread_once(&once, register_vfs) == 0);
    for (size_t i = 0; i < disk.n_files; i++) {
        drop_changes(&disk.files[i]);
        free(disk.files[i].durable.bytes);
    }
    disk = (struct disk){.plan = *plan};
    disk.random =
        plan->seed * UINT64_C(0x9e3779b97f4a7c15) + plan->at * UINT64_C(0xbf58476d1ce4e5b9);
    disk.random |= 1;
}

uint64_t hl_crash_vfs_operations(void)
{
    HL_CHECK(pthread_mutex_lock(&lock) == 0);
    uint64_t n_operations = disk.n_operations;
    HL_CHECK(pthread_mutex_unlock(&lock) == 0);
    return n_operations;
}

bool hl_crash_vfs_happened(void)
{
    HL_CHECK(pthread_mutex_lock(&lock) == 0);
    bool happened = disk.happened;
    HL_CHECK(pthread_mutex_unlock(&lock) == 0);
    return happened;
}

void hl_crash_vfs_heal(void)
{
    HL_CHECK(pthread_mutex_lock(&lock) == 0);
    disk.full = false;
    HL_CHECK(pthread_mutex_unlock(&lock) == 0);
}

static void write_image(const char *folder, const struct file *file)
{
    char path[2 * NAME_SIZE_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, file->name);
    (void)unlink(path);
    if (!file->exists)
        return;
    FILE *out = fopen(path, "wb");
    HL_CHECK(out != NULL);
    if (file->durable.size > 0)
        HL_CHECK(fwrite(file->durable.bytes, 1, file->durable.size, out) == file->durable.size);
    HL_CHECK(fclose(out) == 0);
}

void hl_crash_vfs_power_on(const char *folder)
{
    char path[NAME_SIZE_MAX];

    if (!disk.dead)
        cut_power();
    for (size_t i = 0; i < disk.n_files; i++)
        write_image(folder, &disk.files[i]);
    /* shared memory does not outlive the power */
    (void)snprintf(path, sizeof(path), "%s/holdline.db-shm", folder);
    (void)unlink(path);
}
