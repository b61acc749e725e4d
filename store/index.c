#include "store/index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "store/index/memory.h"
#include "store/index/projector.h"
#include "store/index/reader.h"

enum { QUEUE_MAX_DEFAULT = 1024 };

struct hl_index {
    struct hl_index_config config;
    char *path;
    uint8_t contact_key[HL_HASH_KEY_SIZE];
    struct hl_index_projector *projector;
    struct hl_index_readers *readers;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* readers */
    /* under the lock */
    struct hl_list waiting; /* reads whose position is not applied, in order of arrival */
    struct hl_list ready;
    uint64_t n_taken; /* waiting, ready or under way */
    uint64_t applied;
    uint64_t generation; /* of the file */
    bool is_stopping;
    uint64_t n_reads, n_behind, n_refused, n_waiting;
};

static void lock_index(struct hl_index *index)
{
    HL_CHECK(pthread_mutex_lock(&index->lock) == 0);
}

static void unlock_index(struct hl_index *index)
{
    HL_CHECK(pthread_mutex_unlock(&index->lock) == 0);
}

static struct hl_index_read *read_of(struct hl_list *link)
{
    return HL_CONTAINER_OF(link, struct hl_index_read, link);
}

static void finish_read(struct hl_task *task)
{
    struct hl_index_read *read = HL_CONTAINER_OF(task, struct hl_index_read, task);

#define FINISH(type)                                                                               \
    do {                                                                                           \
        struct type *request = HL_CONTAINER_OF(read, struct type, read);                           \
        request->done(request, read->result);                                                      \
    } while (0)
    switch ((enum hl_index_read_kind)read->kind) {
    case HL_INDEX_READ_LIST:
        FINISH(hl_index_list);
        return;
    case HL_INDEX_READ_GET:
        FINISH(hl_index_get);
        return;
    case HL_INDEX_READ_CONTACTS:
        FINISH(hl_index_contacts);
        return;
    case HL_INDEX_READ_PERSON:
        FINISH(hl_index_person);
        return;
    case HL_INDEX_READ_TAGS:
        FINISH(hl_index_tags);
        return;
    case HL_INDEX_READ_QUEUE:
        FINISH(hl_index_queue);
        return;
    }
#undef FINISH
    HL_NEVER("a kind of read");
}

/* Under the lock: the last that the index has to do with it. */
static void post_read(struct hl_index *index, struct hl_index_read *read, int r)
{
    index->n_taken--;
    read->result = r;
    read->task.run = finish_read;
    hl_loop_post(read->loop, &read->task);
}

/* The projector's thread */

static void take_position(void *arg, uint64_t position, uint64_t generation)
{
    struct hl_index *index = arg;

    lock_index(index);
    index->applied = position;
    index->generation = generation;
    for (struct hl_list *link = index->waiting.next, *next; link != &index->waiting; link = next) {
        next = link->next;
        if (read_of(link)->at_least > position)
            continue;
        hl_list_remove(link);
        index->n_waiting--;
        hl_list_add(&index->ready, link);
    }
    HL_CHECK(pthread_cond_broadcast(&index->wake) == 0);
    unlock_index(index);
}

static bool expire_reads(void *arg)
{
    struct hl_index *index = arg;
    uint64_t now_ms = hl_clock_mono_ms(index->config.clock);

    lock_index(index);
    while (!hl_list_is_empty(&index->waiting) && read_of(index->waiting.next)->due_ms <= now_ms) {
        struct hl_index_read *read = read_of(index->waiting.next);
        hl_list_remove(&read->link);
        index->n_waiting--;
        index->n_behind++;
        post_read(index, read, HL_INDEX_BEHIND);
    }
    bool is_awaited = !hl_list_is_empty(&index->waiting);
    unlock_index(index);
    return is_awaited;
}

/* The readers' threads */

static struct hl_index_read *take_ready(void *arg, uint64_t *out_generation)
{
    struct hl_index *index = arg;
    struct hl_index_read *read = NULL;

    lock_index(index);
    while (hl_list_is_empty(&index->ready) && !index->is_stopping)
        HL_CHECK(pthread_cond_wait(&index->wake, &index->lock) == 0);
    if (!index->is_stopping) {
        read = read_of(index->ready.next);
        hl_list_remove(&read->link);
        *out_generation = index->generation;
    }
    unlock_index(index);
    return read;
}

static void give_back(void *arg, struct hl_index_read *read, int r)
{
    struct hl_index *index = arg;

    lock_index(index);
    index->n_reads++;
    index->n_behind += r == HL_INDEX_BEHIND ? 1 : 0;
    post_read(index, read, r);
    unlock_index(index);
}

static void report_damage(void *arg)
{
    struct hl_index *index = arg;

    hl_index_projector_distrust(index->projector);
}

/* Opening and closing */

static int start_index(struct hl_index *index, char *why, size_t why_size)
{
    struct hl_index_projector_config projector = {.index = &index->config,
                                                  .on_applied = take_position,
                                                  .on_tick = expire_reads,
                                                  .arg = index};
    struct hl_index_readers_config readers = {.path = index->path,
                                              .log = index->config.log,
                                              .n_readers = index->config.n_readers,
                                              .take = take_ready,
                                              .give_back = give_back,
                                              .on_damage = report_damage,
                                              .arg = index};
    int r = hl_index_projector_start(&projector, why, why_size, &index->projector);

    return r != 0 ? r : hl_index_readers_start(&readers, &index->readers);
}

int hl_index_open(const struct hl_index_config *config, char *why, size_t why_size,
                  struct hl_index **out_index)
{
    struct hl_index *index = calloc(1, sizeof(*index));

    if (index == NULL)
        return -ENOMEM;
    index->config = *config;
    index->path = strdup(config->path);
    index->config.path = index->path;
    memcpy(index->contact_key, config->contact_key, sizeof(index->contact_key));
    index->config.contact_key = index->contact_key;
    if (index->config.n_readers == 0)
        index->config.n_readers = 1;
    if (index->config.n_readers > HL_INDEX_READERS_MAX)
        index->config.n_readers = HL_INDEX_READERS_MAX;
    if (index->config.queue_max == 0)
        index->config.queue_max = QUEUE_MAX_DEFAULT;
    hl_list_init(&index->waiting);
    hl_list_init(&index->ready);
    HL_CHECK(pthread_mutex_init(&index->lock, NULL) == 0);
    HL_CHECK(pthread_cond_init(&index->wake, NULL) == 0);
    int r = index->path == NULL ? -ENOMEM : start_index(index, why, why_size);
    if (r != 0) {
        hl_index_close(index);
        return r;
    }
    *out_index = index;
    return 0;
}

static void refuse_reads(struct hl_index *index, struct hl_list *reads)
{
    while (!hl_list_is_empty(reads)) {
        struct hl_index_read *read = read_of(reads->next);
        hl_list_remove(&read->link);
        post_read(index, read, HL_INDEX_CLOSED);
    }
}

void hl_index_close(struct hl_index *index)
{
    if (index == NULL)
        return;
    lock_index(index);
    index->is_stopping = true;
    HL_CHECK(pthread_cond_broadcast(&index->wake) == 0);
    unlock_index(index);
    hl_index_readers_stop(index->readers);
    hl_index_projector_stop(index->projector);
    lock_index(index);
    refuse_reads(index, &index->waiting);
    refuse_reads(index, &index->ready);
    HL_CHECK(index->n_taken == 0);
    unlock_index(index);
    HL_CHECK(pthread_cond_destroy(&index->wake) == 0);
    HL_CHECK(pthread_mutex_destroy(&index->lock) == 0);
    free(index->path);
    free(index);
}

/* Reads */

static int take_read(struct hl_index *index, struct hl_index_read *read,
                     enum hl_index_read_kind kind)
{
    struct hl_log_info info;
    int r = 0;

    read->index = index;
    read->kind = (int)kind;
    read->memory = NULL;
    read->due_ms = hl_clock_mono_ms(index->config.clock) + HL_INDEX_WAIT_MS;
    if (read->at_least == HL_INDEX_LATEST) {
        hl_log_info(index->config.log, &info);
        read->at_least = info.position;
    }
    lock_index(index);
    bool is_ready = read->at_least <= index->applied;
    if (index->is_stopping) {
        r = HL_INDEX_CLOSED;
    } else if (index->n_taken >= index->config.queue_max) {
        index->n_refused++;
        r = HL_INDEX_BUSY;
    } else {
        index->n_taken++;
        index->n_waiting += is_ready ? 0 : 1;
        hl_list_add(is_ready ? &index->ready : &index->waiting, &read->link);
        HL_CHECK(pthread_cond_signal(&index->wake) == 0);
    }
    unlock_index(index);
    if (r == 0 && !is_ready)
        hl_index_projector_wake(index->projector);
    return r;
}

int hl_index_list(struct hl_index *index, struct hl_index_list *list)
{
    return take_read(index, &list->read, HL_INDEX_READ_LIST);
}

int hl_index_get(struct hl_index *index, struct hl_index_get *get)
{
    return take_read(index, &get->read, HL_INDEX_READ_GET);
}

int hl_index_contacts(struct hl_index *index, struct hl_index_contacts *contacts)
{
    return take_read(index, &contacts->read, HL_INDEX_READ_CONTACTS);
}

int hl_index_person(struct hl_index *index, struct hl_index_person *person)
{
    return take_read(index, &person->read, HL_INDEX_READ_PERSON);
}

int hl_index_tags(struct hl_index *index, struct hl_index_tags *tags)
{
    return take_read(index, &tags->read, HL_INDEX_READ_TAGS);
}

int hl_index_queue(struct hl_index *index, struct hl_index_queue *queue)
{
    return take_read(index, &queue->read, HL_INDEX_READ_QUEUE);
}

void hl_index_read_free(struct hl_index_read *read)
{
    hl_index_memory_free(read->memory);
    read->memory = NULL;
}

void hl_index_stats(struct hl_index *index, struct hl_index_stats *out_stats)
{
    struct hl_log_info info;

    *out_stats = (struct hl_index_stats){.applied = 0};
    if (index == NULL)
        return;
    hl_index_projector_stats(index->projector, out_stats);
    hl_log_info(index->config.log, &info);
    out_stats->log = info.position;
    lock_index(index);
    out_stats->reads = index->n_reads;
    out_stats->behind = index->n_behind;
    out_stats->refused = index->n_refused;
    out_stats->waiting = index->n_waiting;
    unlock_index(index);
}
