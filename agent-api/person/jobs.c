#include "agent-api/person/jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/audit.h"
#include "agent-api/person/job.h"
#include "agent-api/person/retention.h"
#include "base/check.h"
#include "base/event.h"
#include "base/result.h"

enum { LOOK_MS = 1000, RETRY_MS = 1000, SAVE_EACH = 50, LOOK_LIMIT = 50 };

struct hl_jobs {
    struct hl_jobs_config config;
    bool is_busy; /* one of the next four is under way */
    bool is_closing;
    struct hl_directory_query query;
    struct hl_directory_change change;
    struct hl_log_submit submit;
    struct hl_retention retention;
    struct hl_buffer text;
    struct hl_job job;  /* document NULL: none */
    bool is_finished;   /* of the job: done was written into it */
    size_t n_saved;     /* of its results */
    uint64_t erased_at; /* where the log stood when all of it was erased; 0: not yet */
    uint64_t look_ms, wait_ms, sweep_ms;
    struct hl_jobs_stats stats;
    void (*closed)(void *arg);
    void *arg;
};

static void advance(struct hl_jobs *jobs);

static uint64_t now_ms(const struct hl_jobs *jobs)
{
    return hl_clock_mono_ms(jobs->config.clock);
}

/* It did not work; the same is tried again. */
static void wait_a_while(struct hl_jobs *jobs, const char *what, int r)
{
    jobs->stats.failures++;
    hl_event(HL_EVENT_WARN, "jobs.delayed", HL_TEXT("what", what), HL_I64("result", r));
    jobs->wait_ms = now_ms(jobs) + RETRY_MS;
}

static void come_back(struct hl_jobs *jobs)
{
    jobs->is_busy = false;
    if (!jobs->is_closing) {
        advance(jobs);
        return;
    }
    void (*closed)(void *arg) = jobs->closed;
    void *arg = jobs->arg;
    hl_job_fini(&jobs->job);
    hl_buffer_fini(&jobs->text);
    free(jobs);
    closed(arg);
}

/* ---- finding a job ---- */

static void take_jobs(struct hl_directory_query *query, int r)
{
    struct hl_jobs *jobs = HL_CONTAINER_OF(query, struct hl_jobs, query);

    jobs->look_ms = now_ms(jobs) + LOOK_MS;
    if (r == 0) {
        jobs->stats.waiting = query->n_items;
        for (size_t i = 0; i < query->n_items && jobs->job.document == NULL; i++) {
            if (hl_job_is_erasure(&query->items[i]))
                r = hl_job_copy(&query->items[i], &jobs->job);
        }
        jobs->is_finished = false;
        jobs->erased_at = 0;
        jobs->n_saved = jobs->job.document != NULL ? hl_job_n_done(&jobs->job) : 0;
        hl_directory_query_fini(query);
    }
    if (r != 0 && r != HL_DIRECTORY_UNKNOWN)
        wait_a_while(jobs, "look", r);
    come_back(jobs);
}

static void look_for_job(struct hl_jobs *jobs)
{
    jobs->query = (struct hl_directory_query){.loop = jobs->config.loop,
                                              .done = take_jobs,
                                              .kind = HL_RECORD_JOB,
                                              .skip_retired = true,
                                              .limit = LOOK_LIMIT};
    int r = hl_directory_ask(jobs->config.directory, &jobs->query);
    jobs->is_busy = r == 0;
    if (r != 0)
        wait_a_while(jobs, "look", r);
}

/* ---- keeping what was done ---- */

static void note_done(struct hl_jobs *jobs)
{
    char details[64];
    struct hl_audit_event event = {.action = "erasure.done", .object = jobs->job.id};

    (void)snprintf(details, sizeof(details), "{\"conversations\":%zu}", hl_job_n_done(&jobs->job));
    event.details = hl_bytes_of(details);
    hl_event(HL_EVENT_INFO, "jobs.erased", HL_TEXT("job", jobs->job.id),
             HL_U64("conversations", hl_job_n_done(&jobs->job)));
    if (jobs->config.api != NULL)
        hl_audit_note(jobs->config.api, NULL, NULL, &event);
}

static void finish_save(struct hl_directory_change *change, int r)
{
    struct hl_jobs *jobs = HL_CONTAINER_OF(change, struct hl_jobs, change);

    if (r == 0 && jobs->is_finished) {
        note_done(jobs);
        hl_job_fini(&jobs->job);
        jobs->look_ms = 0;
    } else if (r == 0) {
        jobs->n_saved = hl_job_n_done(&jobs->job);
    } else if (r == HL_DIRECTORY_UNKNOWN) {
        hl_job_fini(&jobs->job);
    } else {
        wait_a_while(jobs, "save", r);
    }
    come_back(jobs);
}

static void save_job(struct hl_jobs *jobs)
{
    hl_buffer_clear(&jobs->text);
    hl_json_append_canonical(&jobs->text, jobs->job.document);
    jobs->change = (struct hl_directory_change){
        .loop = jobs->config.loop,
        .done = finish_save,
        .operation = HL_DIRECTORY_REPLACE,
        .kind = HL_RECORD_JOB,
        .document = hl_buffer_bytes(&jobs->text),
        .is_retired = jobs->is_finished,
        .now_ms = hl_clock_wall_ms(jobs->config.clock),
    };
    memcpy(jobs->change.id, jobs->job.id, sizeof(jobs->change.id));
    int r = hl_buffer_failed(&jobs->text)
                ? -ENOMEM
                : hl_directory_submit(jobs->config.directory, &jobs->change);
    jobs->is_busy = r == 0;
    if (r != 0)
        wait_a_while(jobs, "save", r);
}

/* ---- erasing ---- */

static void append_body(struct hl_buffer *out, const struct hl_job *job)
{
    const char *reason = json_string_value(json_object_get(job->document, "reason"));

    hl_buffer_append_text(out, "{\"reason\":");
    hl_json_append_string(out, hl_bytes_of(reason != NULL ? reason : ""));
    hl_buffer_append_text(out, ",\"request\":");
    hl_json_append_string(out, hl_bytes_of(job->id));
    hl_buffer_append_text(out, "}");
}

static void finish_erasure(struct hl_log_submit *submit, int r)
{
    struct hl_jobs *jobs = HL_CONTAINER_OF(submit, struct hl_jobs, submit);
    struct hl_job_result result = {.conversation = submit->entry->conversation};

    hl_entry_unref(submit->entry);
    if (r == 0) {
        result.erased_offset = submit->offset;
        result.position = submit->position;
    } else if (r == HL_LOG_ERASED) {
        result.erased_offset = submit->conversation.revision;
    }
    if (result.erased_offset > 0)
        result.entries = result.erased_offset - 1;
    if ((r != 0 && r != HL_LOG_ERASED && r != HL_LOG_UNKNOWN) ||
        !hl_job_add_result(&jobs->job, &result))
        wait_a_while(jobs, "erase", r);
    else if (r == 0 && !submit->duplicate)
        jobs->stats.erased++;
    come_back(jobs);
}

static void erase_next(struct hl_jobs *jobs)
{
    struct hl_entry_fields fields = {.author = {.role = HL_ROLE_SYSTEM},
                                     .kind = HL_ENTRY_ERASED,
                                     .mid = hl_bytes_of(jobs->job.id)};
    size_t n = hl_job_n_done(&jobs->job);

    if (!hl_job_conversation(&jobs->job, n, &fields.conversation)) {
        wait_a_while(jobs, "read", -EBADMSG);
        return;
    }
    hl_buffer_clear(&jobs->text);
    append_body(&jobs->text, &jobs->job);
    fields.body = hl_buffer_bytes(&jobs->text);
    struct hl_entry *entry = hl_buffer_failed(&jobs->text) ? NULL : hl_entry_create(&fields);
    jobs->submit =
        (struct hl_log_submit){.loop = jobs->config.loop, .done = finish_erasure, .entry = entry};
    int r = entry == NULL ? -ENOMEM : hl_log_submit(jobs->config.log, &jobs->submit);
    jobs->is_busy = r == 0;
    if (r != 0) {
        hl_entry_unref(entry);
        wait_a_while(jobs, "erase", r);
    }
}

/* Whether nothing of it is left in any file: the log's and the index's. What others write
 * meanwhile is not waited for: that may never end. */
static bool is_swept(struct hl_jobs *jobs)
{
    struct hl_log_info log;
    struct hl_index_stats index;

    hl_log_info(jobs->config.log, &log);
    hl_index_stats(jobs->config.index, &index);
    if (jobs->erased_at == 0)
        jobs->erased_at = log.position;
    return !log.is_sweeping && index.applied >= jobs->erased_at && !index.is_scrubbing;
}

static void work_on_job(struct hl_jobs *jobs)
{
    size_t n_done = hl_job_n_done(&jobs->job);
    struct hl_log_info info;

    if (jobs->is_finished || n_done >= jobs->n_saved + SAVE_EACH) {
        save_job(jobs);
        return;
    }
    if (n_done < hl_job_n_conversations(&jobs->job)) {
        if (!hl_job_set_status(&jobs->job, "running"))
            wait_a_while(jobs, "read", -ENOMEM);
        else
            erase_next(jobs);
        return;
    }
    if (!is_swept(jobs))
        return; /* the next tick looks again */
    hl_log_info(jobs->config.log, &info);
    jobs->is_finished =
        hl_job_set_done(&jobs->job, hl_clock_wall_ms(jobs->config.clock), info.epoch);
    if (jobs->is_finished)
        save_job(jobs);
    else
        wait_a_while(jobs, "finish", -ENOMEM);
}

/* ---- retention ---- */

static void note_expired(struct hl_jobs *jobs)
{
    const struct hl_retention *retention = &jobs->retention;
    const struct hl_audit_event event = {.action = "conversation.expired",
                                         .site = retention->site,
                                         .conversation = retention->items[retention->at - 1].id};

    jobs->stats.expired++;
    if (jobs->config.api != NULL)
        hl_audit_note(jobs->config.api, NULL, NULL, &event);
}

static void finish_retention(struct hl_retention *retention, int r)
{
    struct hl_jobs *jobs = HL_CONTAINER_OF(retention, struct hl_jobs, retention);

    if (r < 0)
        wait_a_while(jobs, "retention", r);
    if (r == HL_RETENTION_OVER)
        jobs->sweep_ms = now_ms(jobs) + (uint64_t)jobs->config.sweep_s * 1000;
    else if (r == HL_RETENTION_ERASED)
        note_expired(jobs);
    come_back(jobs);
}

/* ---- all of it ---- */

/* Starts the next thing there is to do, unless it has to wait. Jobs of people come first. */
static void advance(struct hl_jobs *jobs)
{
    uint64_t now = now_ms(jobs);

    if (jobs->is_busy || jobs->is_closing || now < jobs->wait_ms)
        return;
    if (jobs->job.document != NULL) {
        work_on_job(jobs);
    } else if (now >= jobs->look_ms) {
        look_for_job(jobs);
    } else if (now >= jobs->sweep_ms) {
        int r = hl_retention_step(&jobs->retention);
        jobs->is_busy = r == 0;
        if (r != 0)
            wait_a_while(jobs, "retention", r);
    }
}

int hl_jobs_create(const struct hl_jobs_config *config, struct hl_jobs **out_jobs)
{
    struct hl_jobs *jobs = calloc(1, sizeof(*jobs));

    if (jobs == NULL)
        return -ENOMEM;
    jobs->config = *config;
    hl_buffer_init(&jobs->text, HL_JOB_DOCUMENT_MAX);
    jobs->retention = (struct hl_retention){.log = config->log,
                                            .loop = config->loop,
                                            .clock = config->clock,
                                            .directory = config->directory,
                                            .index = config->index,
                                            .done = finish_retention};
    *out_jobs = jobs;
    return 0;
}

void hl_jobs_tick(struct hl_jobs *jobs)
{
    advance(jobs);
}

void hl_jobs_count(const struct hl_jobs *jobs, struct hl_jobs_stats *out_stats)
{
    *out_stats = jobs->stats;
}

void hl_jobs_close(struct hl_jobs *jobs, void (*closed)(void *arg), void *arg)
{
    jobs->is_closing = true;
    jobs->closed = closed;
    jobs->arg = arg;
    if (!jobs->is_busy)
        come_back(jobs);
}
