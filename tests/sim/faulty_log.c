#include "tests/sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct faulty_log {
    struct hl_log log;
    struct sim_world *world;
    struct hl_log *engine;
    struct hl_list listeners;
};

enum outcome { HONEST, REFUSED_FULL, STORED_BUT_FAILED, CLAIMED_ONLY };

struct shadow_submit {
    struct hl_list member; /* of the listener's group */
    int result;
    struct hl_log_submit inner;
    struct hl_log_submit *outer;
    struct faulty_log *log;
    struct hl_task task;
    enum outcome outcome;
};

struct shadow_read {
    struct hl_log_read inner;
    struct hl_log_read *outer;
    struct faulty_log *log;
};

/* Puts several commits of the engine, which makes groups of one, together: what came until
 * the task runs is one group. */
struct listener {
    struct hl_log_subscription inner;
    struct hl_log_subscription *outer;
    struct hl_list link;
    struct faulty_log *log;
    struct hl_task task;
    bool is_posted, is_gone;
    struct hl_list submits;
    struct hl_entry *entries[SIM_GROUP];
    size_t n_entries;
};

static struct faulty_log *faulty_of(struct hl_log *log)
{
    return HL_CONTAINER_OF(log, struct faulty_log, log);
}

static bool is_planted(const struct faulty_log *log, enum sim_bug bug, unsigned percent)
{
    return log->world->bug == bug && sim_chance(log->world, percent);
}

/* ---- groups ---- */

static struct listener *find_listener(struct faulty_log *log, const struct hl_loop *loop)
{
    for (struct hl_list *at = log->listeners.next; at != &log->listeners; at = at->next) {
        struct listener *listener = HL_CONTAINER_OF(at, struct listener, link);
        if (listener->inner.loop == loop)
            return listener;
    }
    return NULL;
}

static void finish_shadow(struct shadow_submit *shadow)
{
    struct hl_log_submit *outer = shadow->outer;
    int r = shadow->result;

    free(shadow);
    outer->done(outer, r);
}

static void finish_group(struct hl_task *task)
{
    struct listener *listener = HL_CONTAINER_OF(task, struct listener, task);
    struct hl_batch *batch = hl_batch_create(listener->log->world->epoch, listener->n_entries);

    HL_CHECK(batch != NULL);
    listener->is_posted = false;
    for (size_t i = 0; i < listener->n_entries; i++)
        batch->entries[i] = listener->entries[i];
    if (listener->n_entries > listener->log->world->counts.largest_group)
        listener->log->world->counts.largest_group = listener->n_entries;
    listener->n_entries = 0;
    while (!hl_list_is_empty(&listener->submits)) {
        struct shadow_submit *shadow =
            HL_CONTAINER_OF(listener->submits.next, struct shadow_submit, member);
        hl_list_remove(&shadow->member);
        finish_shadow(shadow);
    }
    if (!listener->is_gone)
        listener->outer->on_commit(listener->outer, batch);
    hl_batch_unref(batch);
    if (listener->is_gone)
        free(listener);
}

static void post_group(struct listener *listener)
{
    if (listener->is_posted)
        return;
    listener->is_posted = true;
    listener->task.run = finish_group;
    hl_loop_post(listener->inner.loop, &listener->task);
}

/* ---- submits ---- */

/* The result waits for the end of its group; without a hub there is none. */
static void tell_result(struct shadow_submit *shadow, int r)
{
    struct listener *listener = find_listener(shadow->log, shadow->outer->loop);

    shadow->result = r;
    if (listener == NULL) {
        finish_shadow(shadow);
        return;
    }
    hl_list_add(&listener->submits, &shadow->member);
    post_group(listener);
}

static void finish_refused(struct hl_task *task)
{
    struct shadow_submit *shadow = HL_CONTAINER_OF(task, struct shadow_submit, task);
    struct hl_log_submit *outer = shadow->outer;
    uint64_t next = shadow->log->world->position + 1;

    outer->offset = next;
    outer->position = next;
    outer->duplicate = false;
    tell_result(shadow, shadow->outcome == CLAIMED_ONLY ? 0 : HL_LOG_FULL);
}

static void finish_inner(struct hl_log_submit *inner, int r)
{
    struct shadow_submit *shadow = HL_CONTAINER_OF(inner, struct shadow_submit, inner);
    struct hl_log_submit *outer = shadow->outer;

    outer->offset = inner->offset;
    outer->position = inner->position;
    outer->wall_ms = inner->wall_ms;
    outer->duplicate = inner->duplicate;
    outer->conversation = inner->conversation;
    if (r == 0 && !inner->duplicate)
        sim_truth_add(shadow->log->world, inner);
    tell_result(shadow, shadow->outcome == STORED_BUT_FAILED ? -EIO : r);
}

static void finish_double(struct hl_log_submit *inner, int r)
{
    struct shadow_submit *shadow = HL_CONTAINER_OF(inner, struct shadow_submit, inner);

    if (r == 0 && !inner->duplicate)
        sim_truth_add(shadow->log->world, inner);
    hl_entry_unref(inner->entry);
    free(shadow);
}

static void forward_submit(struct shadow_submit *shadow)
{
    shadow->inner = *shadow->outer;
    shadow->inner.done = finish_inner;
    HL_CHECK(hl_log_submit(shadow->log->engine, &shadow->inner) == 0);
}

/* The bug: the same entry once more under another mid. */
static void submit_twice(struct faulty_log *log, const struct hl_log_submit *submit)
{
    struct shadow_submit *shadow = calloc(1, sizeof(*shadow));
    const struct hl_entry *entry = submit->entry;
    char mid[HL_MID_SIZE_MAX];

    HL_CHECK(shadow != NULL && entry->mid_size < sizeof(mid));
    memcpy(mid, entry->mid, entry->mid_size);
    mid[entry->mid_size] = 'x';
    struct hl_entry_fields fields = {.conversation = entry->conversation,
                                     .author = entry->author,
                                     .kind = (enum hl_entry_kind)entry->kind,
                                     .mid = {mid, (size_t)entry->mid_size + 1},
                                     .body = hl_entry_body(entry)};
    shadow->log = log;
    shadow->inner.entry = hl_entry_create(&fields);
    shadow->inner.loop = submit->loop;
    shadow->inner.done = finish_double;
    HL_CHECK(hl_log_submit(log->engine, &shadow->inner) == 0);
}

static enum outcome draw_outcome(struct faulty_log *log)
{
    if (is_planted(log, SIM_BUG_ACK_WITHOUT_STORE, 5))
        return CLAIMED_ONLY;
    if (log->world->is_healing || !sim_chance(log->world, 4))
        return HONEST;
    return sim_chance(log->world, 50) ? REFUSED_FULL : STORED_BUT_FAILED;
}

static int take_submit(struct hl_log *base, struct hl_log_submit *submit)
{
    struct faulty_log *log = faulty_of(base);

    if (!log->world->is_healing && sim_chance(log->world, 4))
        return HL_LOG_BUSY;
    struct shadow_submit *shadow = calloc(1, sizeof(*shadow));
    HL_CHECK(shadow != NULL);
    shadow->log = log;
    shadow->outer = submit;
    shadow->outcome = draw_outcome(log);
    if (shadow->outcome == REFUSED_FULL || shadow->outcome == CLAIMED_ONLY) {
        shadow->task.run = finish_refused;
        hl_loop_post(submit->loop, &shadow->task);
        return 0;
    }
    forward_submit(shadow);
    if (is_planted(log, SIM_BUG_DOUBLE_ENTRY, 10))
        submit_twice(log, submit);
    return 0;
}

/* ---- reads ---- */

/* The bug: one entry is not shown. */
static void hide_entry(struct hl_log_read *read)
{
    struct hl_batch *batch = read->batch;

    if (batch->n_entries == 0)
        return;
    hl_entry_unref(batch->entries[0]);
    memmove(batch->entries, batch->entries + 1, (batch->n_entries - 1) * sizeof(batch->entries[0]));
    batch->n_entries--;
}

static void finish_read(struct hl_log_read *inner, int r)
{
    struct shadow_read *shadow = HL_CONTAINER_OF(inner, struct shadow_read, inner);
    struct hl_log_read *outer = shadow->outer;
    struct faulty_log *log = shadow->log;

    if (r == 0 && is_planted(log, SIM_BUG_HIDE_ENTRY, 10))
        hide_entry(inner);
    if (!log->world->is_healing && sim_chance(log->world, 2)) {
        if (r == 0)
            hl_batch_unref(inner->batch);
        r = -EIO;
    } else {
        outer->batch = inner->batch;
        outer->found = inner->found;
    }
    free(shadow);
    outer->done(outer, r);
}

static int take_read(struct hl_log *base, struct hl_log_read *read)
{
    struct faulty_log *log = faulty_of(base);

    if (!log->world->is_healing && sim_chance(log->world, 5))
        return HL_LOG_BUSY;
    struct shadow_read *shadow = calloc(1, sizeof(*shadow));
    HL_CHECK(shadow != NULL);
    shadow->log = log;
    shadow->outer = read;
    shadow->inner = *read;
    shadow->inner.done = finish_read;
    HL_CHECK(hl_log_read(log->engine, &shadow->inner) == 0);
    return 0;
}

/* ---- commits ---- */

/* The bug: the group is shown with what the entry before it says. */
static struct hl_batch *swap_entry(struct faulty_log *log, const struct hl_batch *batch)
{
    const struct hl_entry *entry = batch->entries[0];
    struct hl_batch *copy = hl_batch_create(batch->epoch, 1);
    char id[SIM_ID_SIZE], body[2 * SIM_MID_SIZE];
    size_t index;

    hl_id_format(&entry->conversation, HL_ID_CONVERSATION, id);
    const struct sim_entry *before =
        sim_truth_at(sim_conversation_find(log->world, id, &index), entry->offset - 1);
    (void)snprintf(body, sizeof(body), "{\"text\":\"%s\"}", before == NULL ? "?" : before->mid);
    struct hl_entry_fields fields = {.conversation = entry->conversation,
                                     .author = entry->author,
                                     .kind = HL_ENTRY_MESSAGE,
                                     .mid = hl_entry_mid(entry),
                                     .body = hl_bytes_of(body)};
    HL_CHECK(copy != NULL);
    copy->entries[0] = hl_entry_create(&fields);
    copy->entries[0]->offset = entry->offset;
    copy->entries[0]->position = entry->position;
    return copy;
}

static void hear_commit(struct hl_log_subscription *inner, struct hl_batch *batch)
{
    struct listener *listener = HL_CONTAINER_OF(inner, struct listener, inner);
    struct faulty_log *log = listener->log;
    bool is_swapped = batch->n_entries > 0 && is_planted(log, SIM_BUG_SWAP_ENTRIES, 10);

    if (is_planted(log, SIM_BUG_FORGET_COMMITS, 100))
        return;
    if (is_swapped)
        batch = swap_entry(log, batch);
    HL_CHECK(listener->n_entries + batch->n_entries <= SIM_GROUP);
    for (size_t i = 0; i < batch->n_entries; i++)
        listener->entries[listener->n_entries++] = hl_entry_ref(batch->entries[i]);
    if (is_swapped)
        hl_batch_unref(batch);
    post_group(listener);
}

static void hear_mark(struct hl_log_subscription *inner, const struct hl_log_mark *mark)
{
    struct listener *listener = HL_CONTAINER_OF(inner, struct listener, inner);

    if (!is_planted(listener->log, SIM_BUG_FORGET_MARKS, 50))
        listener->outer->on_mark(listener->outer, mark);
}

static void add_listener(struct hl_log *base, struct hl_log_subscription *subscription)
{
    struct listener *listener = calloc(1, sizeof(*listener));

    HL_CHECK(listener != NULL);
    listener->log = faulty_of(base);
    listener->outer = subscription;
    listener->inner.loop = subscription->loop;
    listener->inner.on_commit = hear_commit;
    listener->inner.on_mark = hear_mark;
    hl_list_init(&listener->submits);
    subscription->engine = listener;
    hl_list_add(&listener->log->listeners, &listener->link);
    hl_log_subscribe(listener->log->engine, &listener->inner);
}

static void remove_listener(struct hl_log *base, struct hl_log_subscription *subscription)
{
    struct listener *listener = subscription->engine;

    hl_log_unsubscribe(faulty_of(base)->engine, &listener->inner);
    hl_list_remove(&listener->link);
    listener->is_gone = true;
    if (!listener->is_posted)
        free(listener);
}

static void take_mark(struct hl_log *base, const struct hl_log_mark *mark)
{
    struct sim_world *world = faulty_of(base)->world;
    char id[SIM_ID_SIZE];
    size_t index;

    hl_id_format(&mark->conversation, HL_ID_CONVERSATION, id);
    struct sim_conversation *conversation = sim_conversation_find(world, id, &index);
    if (conversation == NULL || mark->delivered > conversation->head ||
        mark->read > mark->delivered)
        sim_fail(world, "mark", "delivered %llu, read %llu of %llu",
                 (unsigned long long)mark->delivered, (unsigned long long)mark->read,
                 (unsigned long long)(conversation == NULL ? 0 : conversation->head));
    if (conversation != NULL && conversation->head > 0) {
        bool is_agent = mark->participant.role == HL_ROLE_AGENT;
        hl_id_format(&mark->participant.id, is_agent ? HL_ID_AGENT : HL_ID_VISITOR, id);
        sim_mark_raise(&conversation->marks, id, mark->delivered, mark->read);
    }
    hl_log_mark(faulty_of(base)->engine, mark);
}

static void copy_info(struct hl_log *base, struct hl_log_info *out_info)
{
    const struct faulty_log *log = faulty_of(base);

    hl_log_info(log->engine, out_info);
    if (log->world->bug == SIM_BUG_FALSE_EPOCH)
        out_info->epoch = 1;
}

struct hl_log *sim_log_create(struct sim_world *world, struct hl_log *engine)
{
    static const struct hl_log_ops ops = {.name = "faulty",
                                          .submit = take_submit,
                                          .read = take_read,
                                          .mark = take_mark,
                                          .subscribe = add_listener,
                                          .unsubscribe = remove_listener,
                                          .info = copy_info};
    struct faulty_log *log = calloc(1, sizeof(*log));

    HL_CHECK(log != NULL);
    log->log.ops = &ops;
    log->world = world;
    log->engine = engine;
    hl_list_init(&log->listeners);
    return &log->log;
}

void sim_log_destroy(struct hl_log *log)
{
    HL_CHECK(hl_list_is_empty(&faulty_of(log)->listeners));
    free(faulty_of(log));
}
