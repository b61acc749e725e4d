/* The running directory, for its own parts: directory.c, principal.c, default_site.c. */
#ifndef HL_STORE_DIRECTORY_SERVICE_H
#define HL_STORE_DIRECTORY_SERVICE_H

#include <pthread.h>

#include "base/worker.h"
#include "store/directory.h"
#include "store/directory/courier.h"
#include "store/directory/file.h"

enum { HL_KEY_USES_SLOTS = 8192, HL_KEY_USES_MAX = 6000 };

struct hl_key_uses {
    pthread_mutex_t lock; /* over the rest */
    struct hl_key_use slots[HL_KEY_USES_SLOTS];
    size_t n_uses;
    int64_t saved_ms;
    bool is_saving; /* the task is posted */
    struct hl_task save;
};

struct hl_directory {
    const struct hl_clock *clock;
    const struct hl_random *random;
    struct hl_loop *loop;      /* where changes are carried out; NULL: not started */
    struct hl_worker *worker;  /* NULL: loop is somebody else's */
    pthread_mutex_t file_lock; /* over file */
    struct hl_directory_file *file;
    pthread_mutex_t reader_lock; /* over reader and data_version */
    struct hl_directory_file *reader;
    int64_t data_version;
    pthread_mutex_t lock; /* over the next three */
    struct hl_directory_snapshot *snapshot;
    struct hl_list under_way; /* changes that carry an idempotency name */
    bool is_closing;
    atomic_uint_fast64_t version;
    struct hl_key_uses uses;
    struct hl_courier courier;
};

/* Posts done(). */
void hl_directory_finish(struct hl_directory_change *change);
/* A key was used just now. */
void hl_directory_note_use(struct hl_directory *directory, const struct hl_id *key);
int hl_directory_open_uses(struct hl_directory *directory); /* 0, -errno */
void hl_directory_save_uses(struct hl_directory *directory);

#endif
