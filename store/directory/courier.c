#include "store/directory/courier.h"

#include <string.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "store/directory/service.h"
#include "store/sqlite/file.h"

enum { MARK_STEP_MS = 60000, SETTLE_EVERY = 64 };

void hl_courier_init(struct hl_courier *courier)
{
    HL_CHECK(pthread_mutex_init(&courier->lock, NULL) == 0);
    HL_CHECK(pthread_cond_init(&courier->idle, NULL) == 0);
    hl_list_init(&courier->waiting);
}

void hl_courier_fini(struct hl_courier *courier)
{
    HL_CHECK(courier->log == NULL);
    pthread_mutex_destroy(&courier->lock);
    pthread_cond_destroy(&courier->idle);
}

static struct hl_directory *directory_of(struct hl_courier *courier)
{
    return HL_CONTAINER_OF(courier, struct hl_directory, courier);
}

/* Forgets what is in the log, and moves the mark on. What fails here is done again later. */
static void settle_rows(struct hl_courier *courier)
{
    struct hl_log_info info;
    struct hl_directory *directory = directory_of(courier);
    int64_t now_ms = hl_clock_wall_ms(directory->clock);
    hl_log_info(courier->log, &info);
    struct hl_audit_mark mark = {.epoch = info.epoch, .position = info.position};
    bool is_moved = mark.epoch != courier->mark.epoch || mark.position != courier->mark.position;
    bool is_due = courier->is_ending || now_ms >= courier->marked_ms + MARK_STEP_MS;
    if (courier->done_number == courier->settled_number && !(is_moved && is_due))
        return;
    pthread_mutex_lock(&directory->file_lock);
    int r = hl_audit_rows_settle(directory->file, courier->done_number, &mark);
    pthread_mutex_unlock(&directory->file_lock);
    courier->marked_ms = now_ms;
    if (r != 0) {
        hl_event(HL_EVENT_WARN, "audit.mark_not_saved", HL_TEXT("why", strerror(-r)));
        return;
    }
    courier->settled_number = courier->done_number;
    courier->mark = mark;
}

static void finish_waiting(struct hl_courier *courier, uint64_t number, int r)
{
    while (!hl_list_is_empty(&courier->waiting)) {
        struct hl_directory_change *change =
            HL_CONTAINER_OF(courier->waiting.next, struct hl_directory_change, recorded);
        if (change->audit_number > number)
            return;
        hl_list_remove(&change->recorded);
        change->result = r;
        hl_directory_finish(change);
    }
}

static void take_next(struct hl_courier *courier);

/* True: it runs on. */
static bool end_run(struct hl_courier *courier, bool is_delayed)
{
    settle_rows(courier);
    pthread_mutex_lock(&courier->lock);
    bool goes_on = courier->is_wanted && !courier->is_ending && !is_delayed;
    courier->is_wanted = false;
    courier->is_running = goes_on;
    courier->is_delayed = is_delayed;
    if (!goes_on)
        pthread_cond_broadcast(&courier->idle);
    pthread_mutex_unlock(&courier->lock);
    return goes_on;
}

static void delay_run(struct hl_courier *courier, int r)
{
    if (!courier->is_delayed)
        hl_event(HL_EVENT_ERROR, "audit.delayed", HL_I64("result", r),
                 HL_TEXT("note", "changes are kept and recorded as soon as that is possible"));
    finish_waiting(courier, UINT64_MAX, HL_DIRECTORY_UNRECORDED);
    (void)end_run(courier, true);
}

static void take_result(struct hl_log_submit *submit, int r)
{
    struct hl_courier *courier = HL_CONTAINER_OF(submit, struct hl_courier, submit);
    hl_entry_unref(submit->entry);
    if (r != 0) {
        delay_run(courier, r);
        return;
    }
    courier->done_number = courier->row.number;
    finish_waiting(courier, courier->done_number, 0);
    if (courier->done_number - courier->settled_number >= SETTLE_EVERY)
        settle_rows(courier);
    take_next(courier);
}

static void submit_row(struct hl_courier *courier)
{
    struct hl_id conversation;
    const char *site = hl_audit_place(courier->row.site, &conversation, courier->reference);
    courier->opening = (struct hl_log_opening){.site = hl_bytes_of(site),
                                               .reference = hl_bytes_of(courier->reference)};
    courier->submit = (struct hl_log_submit){.loop = directory_of(courier)->loop,
                                             .done = take_result,
                                             .entry = courier->row.entry,
                                             .opening = &courier->opening};
    int r = hl_log_submit(courier->log, &courier->submit);
    if (r == 0)
        return;
    hl_entry_unref(courier->row.entry);
    delay_run(courier, r);
}

static void take_next(struct hl_courier *courier)
{
    struct hl_directory *directory = directory_of(courier);
    int r = 0;
    do {
        pthread_mutex_lock(&courier->lock);
        courier->is_wanted = false;
        bool is_ending = courier->is_ending;
        pthread_mutex_unlock(&courier->lock);
        pthread_mutex_lock(&directory->file_lock);
        r = is_ending ? HL_SQLITE_NO_ROW
                      : hl_audit_rows_next(directory->file, courier->done_number, &courier->row);
        pthread_mutex_unlock(&directory->file_lock);
    } while (r == HL_SQLITE_NO_ROW && end_run(courier, false));
    if (r == 0)
        submit_row(courier);
    else if (r < 0)
        delay_run(courier, r);
}

static void run_courier(struct hl_task *task)
{
    take_next(HL_CONTAINER_OF(task, struct hl_courier, task));
}

void hl_courier_kick(struct hl_directory *directory)
{
    struct hl_courier *courier = &directory->courier;
    pthread_mutex_lock(&courier->lock);
    courier->is_wanted = true;
    if (courier->log != NULL && !courier->is_running && !courier->is_ending) {
        courier->is_running = true;
        courier->task.run = run_courier;
        hl_loop_post(directory->loop, &courier->task);
    }
    pthread_mutex_unlock(&courier->lock);
}

void hl_courier_look_after(struct hl_directory *directory)
{
    struct hl_courier *courier = &directory->courier;
    int64_t now_ms = hl_clock_wall_ms(directory->clock);
    pthread_mutex_lock(&courier->lock);
    bool is_due = courier->is_delayed || now_ms >= courier->looked_ms + MARK_STEP_MS;
    if (is_due)
        courier->looked_ms = now_ms;
    pthread_mutex_unlock(&courier->lock);
    if (is_due)
        hl_courier_kick(directory);
}

void hl_courier_wait(struct hl_directory *directory, struct hl_directory_change *change)
{
    struct hl_courier *courier = &directory->courier;
    pthread_mutex_lock(&courier->lock);
    bool has_log = courier->log != NULL && !courier->is_ending;
    pthread_mutex_unlock(&courier->lock);
    if (!has_log || change->audit_number <= courier->done_number) {
        hl_directory_finish(change);
        return;
    }
    hl_list_add(&courier->waiting, &change->recorded);
    hl_courier_kick(directory);
}

/* A log that is not the one the mark was made of is said so, and stays said. */
static int check_mark(struct hl_directory *directory, struct hl_log *audit)
{
    struct hl_log_info info;
    struct hl_courier *courier = &directory->courier;
    hl_log_info(audit, &info);
    pthread_mutex_lock(&directory->file_lock);
    int r = hl_audit_rows_read_mark(directory->file, &courier->mark);
    bool fits = r != 0 || hl_audit_mark_fits(&courier->mark, info.epoch, info.position);
    if (!fits)
        r = hl_audit_rows_lose(directory->file);
    pthread_mutex_unlock(&directory->file_lock);
    if (!fits)
        hl_event(HL_EVENT_ERROR, "audit.rolled_back", HL_U64("known_epoch", courier->mark.epoch),
                 HL_U64("known_position", courier->mark.position), HL_U64("epoch", info.epoch),
                 HL_U64("position", info.position),
                 HL_TEXT("note", "audit.db was replaced or put back: see `holdline verify`"));
    return r;
}

int hl_directory_audit_begin(struct hl_directory *directory, struct hl_log *audit)
{
    struct hl_courier *courier = &directory->courier;
    int r = check_mark(directory, audit);
    if (r != 0)
        return r;
    pthread_mutex_lock(&courier->lock);
    courier->log = audit;
    pthread_mutex_unlock(&courier->lock);
    hl_courier_kick(directory);
    return 0;
}

void hl_directory_audit_end(struct hl_directory *directory)
{
    struct hl_courier *courier = &directory->courier;
    pthread_mutex_lock(&courier->lock);
    courier->is_ending = true;
    while (courier->is_running)
        pthread_cond_wait(&courier->idle, &courier->lock);
    pthread_mutex_unlock(&courier->lock);
    if (courier->log == NULL)
        return;
    settle_rows(courier);
    pthread_mutex_lock(&courier->lock);
    courier->log = NULL;
    pthread_mutex_unlock(&courier->lock);
}
