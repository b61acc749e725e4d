#include "store/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "store/directory/file_state.h"
#include "store/directory/service.h"

void hl_record_label(char out_label[HL_RECORD_LABEL_SIZE], const char *site, const char *name)
{
    int size = snprintf(out_label, HL_RECORD_LABEL_SIZE, "%s\n%s", site, name);
    HL_CHECK(size > 0 && size < HL_RECORD_LABEL_SIZE);
}

static void publish_snapshot(struct hl_directory *directory, struct hl_directory_snapshot *snapshot)
{
    pthread_mutex_lock(&directory->lock);
    struct hl_directory_snapshot *old = directory->snapshot;
    directory->snapshot = snapshot;
    pthread_mutex_unlock(&directory->lock);
    hl_directory_snapshot_unref(old);
}

/* With reader_lock. The version is raised before others can see the snapshot, and is its own. */
static int load_snapshot(struct hl_directory *directory)
{
    struct hl_directory_snapshot *snapshot = NULL;
    uint64_t version = atomic_load(&directory->version) + 1;
    int r = hl_directory_file_load(directory->reader, version, &snapshot);
    if (r != 0)
        return r;
    publish_snapshot(directory, snapshot);
    atomic_store(&directory->version, version);
    return 0;
}

static int refresh_snapshot(struct hl_directory *directory)
{
    int64_t data_version = 0;
    int r = hl_directory_file_version(directory->reader, &data_version);
    if (r != 0 || data_version == directory->data_version)
        return r;
    r = load_snapshot(directory);
    if (r != 0)
        return r;
    directory->data_version = data_version;
    return HL_DIRECTORY_CHANGED;
}

int hl_directory_refresh(struct hl_directory *directory)
{
    pthread_mutex_lock(&directory->reader_lock);
    int r = refresh_snapshot(directory);
    pthread_mutex_unlock(&directory->reader_lock);
    if (r == HL_DIRECTORY_CHANGED)
        hl_courier_kick(directory);
    else
        hl_courier_look_after(directory);
    return r;
}

static int open_files(struct hl_directory *directory, const struct hl_directory_config *config)
{
    int r = hl_directory_file_open(config->path, config->random, &directory->file);
    if (r == 0 && config->keys_path != NULL)
        r = hl_directory_file_take_over(directory->file, config->keys_path);
    if (r == 0)
        r = hl_directory_file_open(config->path, config->random, &directory->reader);
    if (r == 0)
        r = hl_directory_file_version(directory->reader, &directory->data_version);
    if (r == 0)
        r = load_snapshot(directory);
    if (r == 0)
        r = hl_directory_open_uses(directory);
    return r == -EBADMSG ? HL_DIRECTORY_NO_DIRECTORY : r;
}

int hl_directory_open(const struct hl_directory_config *config, struct hl_directory **out_directory)
{
    struct hl_directory *directory = calloc(1, sizeof(*directory));
    if (directory == NULL)
        return -ENOMEM;
    directory->clock = config->clock;
    directory->random = config->random;
    hl_list_init(&directory->under_way);
    hl_courier_init(&directory->courier);
    HL_CHECK(pthread_mutex_init(&directory->file_lock, NULL) == 0);
    HL_CHECK(pthread_mutex_init(&directory->reader_lock, NULL) == 0);
    HL_CHECK(pthread_mutex_init(&directory->lock, NULL) == 0);
    HL_CHECK(pthread_mutex_init(&directory->uses.lock, NULL) == 0);
    int r = open_files(directory, config);
    if (r != 0) {
        hl_directory_close(directory);
        return r;
    }
    *out_directory = directory;
    return 0;
}

int hl_directory_start(struct hl_directory *directory)
{
    int r = hl_worker_create("directory", &directory->worker);
    if (r == 0)
        directory->loop = hl_worker_loop(directory->worker);
    return r;
}

void hl_directory_start_on(struct hl_directory *directory, struct hl_loop *loop)
{
    directory->loop = loop;
}

void hl_directory_close(struct hl_directory *directory)
{
    if (directory == NULL)
        return;
    pthread_mutex_lock(&directory->lock);
    directory->is_closing = true;
    pthread_mutex_unlock(&directory->lock);
    hl_worker_destroy(directory->worker);
    if (directory->reader != NULL)
        hl_directory_save_uses(directory);
    hl_directory_file_close(directory->reader);
    hl_directory_file_close(directory->file);
    hl_directory_snapshot_unref(directory->snapshot);
    hl_courier_fini(&directory->courier);
    pthread_mutex_destroy(&directory->file_lock);
    pthread_mutex_destroy(&directory->reader_lock);
    pthread_mutex_destroy(&directory->lock);
    pthread_mutex_destroy(&directory->uses.lock);
    free(directory);
}

struct hl_directory_snapshot *hl_directory_snapshot(struct hl_directory *directory)
{
    pthread_mutex_lock(&directory->lock);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot_ref(directory->snapshot);
    pthread_mutex_unlock(&directory->lock);
    return snapshot;
}

uint64_t hl_directory_version(struct hl_directory *directory)
{
    return atomic_load(&directory->version);
}

int hl_directory_apply(struct hl_directory *directory, struct hl_directory_change *change)
{
    pthread_mutex_lock(&directory->file_lock);
    int r = hl_directory_file_apply(directory->file, change);
    pthread_mutex_unlock(&directory->file_lock);
    int refreshed = hl_directory_refresh(directory);
    if (refreshed < 0)
        hl_event(HL_EVENT_WARN, "directory.unreadable", HL_TEXT("why", strerror(-refreshed)),
                 HL_TEXT("note", "what was known before stays in force for a moment"));
    return r;
}

int hl_directory_look(struct hl_directory *directory, struct hl_directory_query *query)
{
    pthread_mutex_lock(&directory->file_lock);
    int r = hl_directory_file_look(directory->file, query);
    pthread_mutex_unlock(&directory->file_lock);
    return r;
}

static void tell_result(struct hl_task *task)
{
    struct hl_directory_change *change = HL_CONTAINER_OF(task, struct hl_directory_change, task);
    change->done(change, change->result);
}

void hl_directory_finish(struct hl_directory_change *change)
{
    change->task.run = tell_result;
    hl_loop_post(change->loop, &change->task);
}

static void run_change(struct hl_task *task)
{
    struct hl_directory_change *change = HL_CONTAINER_OF(task, struct hl_directory_change, task);
    struct hl_directory *directory = change->directory;
    change->result = hl_directory_apply(directory, change);
    pthread_mutex_lock(&directory->lock);
    hl_list_remove(&change->under_way);
    pthread_mutex_unlock(&directory->lock);
    if (change->result == 0 && change->audit_number != 0)
        hl_courier_wait(directory, change);
    else
        hl_directory_finish(change);
}

/* With lock. */
static bool is_under_way(const struct hl_directory *directory, const struct hl_directory_once *once)
{
    const struct hl_list *end = &directory->under_way;
    for (const struct hl_list *at = end->next; at != end; at = at->next) {
        const struct hl_directory_change *other =
            HL_CONTAINER_OF(at, struct hl_directory_change, under_way);
        if (memcmp(other->once->name, once->name, sizeof(once->name)) == 0)
            return true;
    }
    return false;
}

int hl_directory_submit(struct hl_directory *directory, struct hl_directory_change *change)
{
    int r = 0;
    change->directory = directory;
    change->task.run = run_change;
    memset(&change->under_way, 0, sizeof(change->under_way));
    memset(&change->recorded, 0, sizeof(change->recorded));
    pthread_mutex_lock(&directory->lock);
    if (directory->is_closing)
        r = HL_DIRECTORY_CLOSED;
    else if (change->once != NULL && is_under_way(directory, change->once))
        r = HL_DIRECTORY_IN_PROGRESS;
    else if (change->once != NULL)
        hl_list_add(&directory->under_way, &change->under_way);
    if (r == 0) /* with the lock: closing waits for what was posted */
        hl_loop_post(directory->loop, &change->task);
    pthread_mutex_unlock(&directory->lock);
    return r;
}

static void finish_query(struct hl_task *task)
{
    struct hl_directory_query *query = HL_CONTAINER_OF(task, struct hl_directory_query, task);
    query->done(query, query->result);
}

static void run_query(struct hl_task *task)
{
    struct hl_directory_query *query = HL_CONTAINER_OF(task, struct hl_directory_query, task);
    query->result = hl_directory_look(query->directory, query);
    query->task.run = finish_query;
    hl_loop_post(query->loop, &query->task);
}

int hl_directory_ask(struct hl_directory *directory, struct hl_directory_query *query)
{
    int r = 0;
    query->directory = directory;
    query->task.run = run_query;
    pthread_mutex_lock(&directory->lock);
    if (directory->is_closing)
        r = HL_DIRECTORY_CLOSED;
    else
        hl_loop_post(directory->loop, &query->task);
    pthread_mutex_unlock(&directory->lock);
    return r;
}

int hl_directory_backup(const char *path, const char *target)
{
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;
    if (access(target, F_OK) == 0)
        return -EEXIST;
    int r = hl_sqlite_file_make(target);
    if (r != 0)
        return r;
    r = hl_sqlite_file_open(path, NULL, HL_SQLITE_WRITE, &from);
    if (r == 0)
        r = hl_sqlite_file_open(target, NULL, HL_SQLITE_WRITE, &to);
    if (r == 0) {
        sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
        int code = copy != NULL ? sqlite3_backup_step(copy, -1) : sqlite3_errcode(to);
        sqlite3_backup_finish(copy);
        r = code == SQLITE_DONE ? 0 : hl_sqlite_error(code);
    }
    hl_sqlite_file_close(from);
    hl_sqlite_file_close(to);
    if (r != 0)
        unlink(target);
    return r;
}
