#include "tests/support/faulty_log.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/result.h"

struct faulty_log {
    struct hl_log log;
    struct hl_log *inner;
    enum hl_fault fault;
    uint64_t nth_call;
    atomic_ullong n_calls;
};

static struct faulty_log *faulty_of(struct hl_log *log)
{
    return HL_CONTAINER_OF(log, struct faulty_log, log);
}

/* Counts a call; what is to go wrong with it, or 0. */
static enum hl_fault count_call(struct faulty_log *log)
{
    return atomic_fetch_add(&log->n_calls, 1) + 1 == log->nth_call ? log->fault : 0;
}

/* A submit on its way through the inner log. */
struct passage {
    struct hl_log_submit inner;
    struct hl_log_submit *outer;
    int result; /* what the outer one is told; 0: the truth */
};

static void end_passage(struct hl_log_submit *submit, int r)
{
    struct passage *passage = HL_CONTAINER_OF(submit, struct passage, inner);
    struct hl_log_submit *outer = passage->outer;
    int result = passage->result;

    outer->offset = submit->offset;
    outer->position = submit->position;
    outer->wall_ms = submit->wall_ms;
    outer->duplicate = submit->duplicate;
    outer->conversation = submit->conversation;
    free(passage);
    outer->done(outer, result != 0 ? result : r);
}

static void fail_submit(struct hl_task *task)
{
    struct hl_log_submit *submit = HL_CONTAINER_OF(task, struct hl_log_submit, task);

    submit->done(submit, -EIO);
}

static int pass_submit(struct hl_log *base, struct hl_log_submit *submit)
{
    struct faulty_log *log = faulty_of(base);
    enum hl_fault fault = count_call(log);

    if (fault == HL_FAULT_BUSY)
        return HL_LOG_BUSY;
    if (fault == HL_FAULT_BEFORE) {
        submit->task.run = fail_submit;
        hl_loop_post(submit->loop, &submit->task);
        return 0;
    }
    struct passage *passage = calloc(1, sizeof(*passage));
    HL_CHECK(passage != NULL);
    passage->inner = *submit;
    if (log->fault == HL_FAULT_FORGETFUL)
        passage->inner.when = (struct hl_log_conditions){0};
    passage->inner.done = end_passage;
    passage->outer = submit;
    passage->result = fault == HL_FAULT_AFTER ? -EIO : 0;
    int r = hl_log_submit(log->inner, &passage->inner);
    if (r != 0)
        free(passage);
    return r;
}

/* Reads change nothing: before and after are the same. */
#define DEFINE_READ(kind)                                                                          \
    static void fail_##kind(struct hl_task *task)                                                  \
    {                                                                                              \
        struct hl_log_##kind *request = HL_CONTAINER_OF(task, struct hl_log_##kind, task);         \
        request->done(request, -EIO);                                                              \
    }                                                                                              \
    static int pass_##kind(struct hl_log *base, struct hl_log_##kind *request)                     \
    {                                                                                              \
        struct faulty_log *log = faulty_of(base);                                                  \
        enum hl_fault fault = count_call(log);                                                     \
        if (fault == 0)                                                                            \
            return hl_log_##kind(log->inner, request);                                             \
        if (fault == HL_FAULT_BUSY)                                                                \
            return HL_LOG_BUSY;                                                                    \
        request->task.run = fail_##kind;                                                           \
        hl_loop_post(request->loop, &request->task);                                               \
        return 0;                                                                                  \
    }

DEFINE_READ(read)
DEFINE_READ(scan)
DEFINE_READ(find)
DEFINE_READ(marks)

static void pass_mark(struct hl_log *base, const struct hl_log_mark *mark)
{
    hl_log_mark(faulty_of(base)->inner, mark);
}

static void pass_subscribe(struct hl_log *base, struct hl_log_subscription *subscription)
{
    hl_log_subscribe(faulty_of(base)->inner, subscription);
}

static void pass_unsubscribe(struct hl_log *base, struct hl_log_subscription *subscription)
{
    hl_log_unsubscribe(faulty_of(base)->inner, subscription);
}

static void pass_info(struct hl_log *base, struct hl_log_info *out_info)
{
    hl_log_info(faulty_of(base)->inner, out_info);
}

static int pass_backup(struct hl_log *base, const char *path)
{
    return count_call(faulty_of(base)) != 0 ? -EIO : hl_log_backup(faulty_of(base)->inner, path);
}

static void pass_close(struct hl_log *base)
{
    hl_log_close(faulty_of(base)->inner);
    free(faulty_of(base));
}

struct hl_log *hl_faulty_log_create(struct hl_log *inner, enum hl_fault fault, uint64_t nth_call)
{
    static const struct hl_log_ops ops = {
        .name = "faulty",
        .submit = pass_submit,
        .read = pass_read,
        .scan = pass_scan,
        .find = pass_find,
        .mark = pass_mark,
        .marks = pass_marks,
        .subscribe = pass_subscribe,
        .unsubscribe = pass_unsubscribe,
        .info = pass_info,
        .backup = pass_backup,
        .close = pass_close,
    };
    struct faulty_log *log = calloc(1, sizeof(*log));

    HL_CHECK(log != NULL);
    log->log.ops = &ops;
    log->inner = inner;
    log->fault = fault;
    log->nth_call = nth_call;
    return &log->log;
}

uint64_t hl_faulty_log_calls(struct hl_log *log)
{
    return atomic_load(&faulty_of(log)->n_calls);
}

void hl_faulty_log_heal(struct hl_log *log)
{
    faulty_of(log)->nth_call = 0;
}

struct hl_log *hl_faulty_log_inner(struct hl_log *log)
{
    return faulty_of(log)->inner;
}
