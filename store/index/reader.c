#include "store/index/reader.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/result.h"
#include "store/index/memory.h"
#include "store/index/query.h"
#include "store/index/schema.h"
#include "store/index/unread.h"

struct reader {
    struct hl_index_readers *readers;
    pthread_t thread;
    bool is_running;
    sqlite3 *db; /* NULL: not open */
    uint64_t generation;
    struct hl_wait_loop loop;
    struct hl_index_unread unread;
    sqlite3_stmt *position;
};

struct hl_index_readers {
    struct hl_index_readers_config config;
    struct reader items[HL_INDEX_READERS_MAX];
};

static void close_reader(struct reader *reader)
{
    hl_index_unread_fini(&reader->unread);
    (void)sqlite3_finalize(reader->position);
    reader->position = NULL;
    hl_index_file_close(reader->db);
    reader->db = NULL;
}

static int open_reader(struct reader *reader, uint64_t generation)
{
    const struct hl_index_readers_config *config = &reader->readers->config;

    if (reader->db != NULL && reader->generation == generation)
        return 0;
    close_reader(reader);
    int r = hl_sqlite_file_open(config->path, NULL, HL_SQLITE_READ, &reader->db);
    if (r == 0)
        r = hl_sqlite_run(reader->db, "PRAGMA cache_size = -8192; PRAGMA mmap_size = 0");
    if (r == 0)
        r = hl_sqlite_prepare(reader->db, "SELECT position FROM meta", &reader->position);
    if (r == 0)
        r = hl_index_unread_init(&reader->unread, reader->db, config->log, &reader->loop);
    if (r != 0)
        close_reader(reader);
    reader->generation = generation;
    return r;
}

static int read_list(struct reader *reader, struct hl_index_list *list)
{
    uint64_t numbers[HL_INDEX_LIMIT_MAX];
    int r = hl_index_query_list(reader->db, list, numbers);

    return r != 0 ? r
                  : hl_index_unread_fill(&reader->unread, &list->read.asker, list->items, numbers,
                                         list->n_items);
}

static int read_one(struct reader *reader, struct hl_index_get *get)
{
    uint64_t number = 0;
    int r = hl_index_query_get(reader->db, get, &number);

    return r != 0
               ? r
               : hl_index_unread_fill(&reader->unread, &get->read.asker, &get->found, &number, 1);
}

static int answer_read(struct reader *reader, struct hl_index_read *read)
{
    switch ((enum hl_index_read_kind)read->kind) {
    case HL_INDEX_READ_LIST:
        return read_list(reader, HL_CONTAINER_OF(read, struct hl_index_list, read));
    case HL_INDEX_READ_GET:
        return read_one(reader, HL_CONTAINER_OF(read, struct hl_index_get, read));
    case HL_INDEX_READ_CONTACTS:
        return hl_index_query_contacts(reader->db,
                                       HL_CONTAINER_OF(read, struct hl_index_contacts, read));
    case HL_INDEX_READ_PERSON:
        return hl_index_query_person(reader->db,
                                     HL_CONTAINER_OF(read, struct hl_index_person, read));
    case HL_INDEX_READ_TAGS:
        return hl_index_query_tags(reader->db, HL_CONTAINER_OF(read, struct hl_index_tags, read));
    case HL_INDEX_READ_QUEUE:
        return hl_index_query_queue(reader->db, HL_CONTAINER_OF(read, struct hl_index_queue, read));
    }
    HL_NEVER("a kind of read");
}

/* In one snapshot, whose position goes with the answer. A file begun anew may not have reached
 * what the read waited for. */
static int read_snapshot(struct reader *reader, struct hl_index_read *read)
{
    int r = hl_sqlite_step(reader->position);

    if (r != 0)
        return r < 0 ? r : -EBADMSG;
    read->applied = (uint64_t)sqlite3_column_int64(reader->position, 0);
    (void)sqlite3_reset(reader->position);
    return read->applied < read->at_least ? HL_INDEX_BEHIND : answer_read(reader, read);
}

static int serve_read(struct reader *reader, struct hl_index_read *read, uint64_t generation)
{
    int r = open_reader(reader, generation);

    if (r == 0)
        r = hl_sqlite_run(reader->db, "BEGIN");
    if (r != 0)
        return r;
    read->memory = hl_index_memory_create();
    r = read->memory == NULL ? -ENOMEM : read_snapshot(reader, read);
    (void)hl_sqlite_run(reader->db, "ROLLBACK");
    return r;
}

static void *run_reader(void *arg)
{
    struct reader *reader = arg;
    const struct hl_index_readers_config *config = &reader->readers->config;
    uint64_t generation = 0;

    (void)pthread_setname_np(pthread_self(), "index-reader");
    for (struct hl_index_read *read; (read = config->take(config->arg, &generation)) != NULL;) {
        int r = serve_read(reader, read, generation);
        if (r == -EBADMSG)
            config->on_damage(config->arg);
        if (r != 0)
            hl_index_read_free(read);
        config->give_back(config->arg, read, r == -EBADMSG || r == -ENOENT ? HL_INDEX_BEHIND : r);
    }
    return NULL;
}

int hl_index_readers_start(const struct hl_index_readers_config *config,
                           struct hl_index_readers **out_readers)
{
    struct hl_index_readers *readers = calloc(1, sizeof(*readers));

    if (readers == NULL)
        return -ENOMEM;
    HL_CHECK(config->n_readers >= 1 && config->n_readers <= HL_INDEX_READERS_MAX);
    readers->config = *config;
    *out_readers = readers;
    for (uint32_t i = 0; i < config->n_readers; i++) {
        struct reader *reader = &readers->items[i];
        reader->readers = readers;
        hl_wait_loop_init(&reader->loop);
        int r = -pthread_create(&reader->thread, NULL, run_reader, reader);
        reader->is_running = r == 0;
        if (r != 0)
            return r;
    }
    return 0;
}

void hl_index_readers_stop(struct hl_index_readers *readers)
{
    if (readers == NULL)
        return;
    for (uint32_t i = 0; i < readers->config.n_readers; i++) {
        struct reader *reader = &readers->items[i];
        if (reader->readers == NULL)
            break;
        if (reader->is_running)
            HL_CHECK(pthread_join(reader->thread, NULL) == 0);
        close_reader(reader);
        hl_wait_loop_fini(&reader->loop);
    }
    free(readers);
}
