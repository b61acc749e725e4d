#include "tests/support/log_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void hl_log_client_init(struct hl_log_client *client, struct hl_log *log)
{
    client->log = log;
    hl_fake_loop_init(&client->loop);
}

void hl_log_client_fini(struct hl_log_client *client)
{
    (void)hl_fake_loop_run_all(&client->loop);
    hl_fake_loop_fini(&client->loop);
}

struct hl_id hl_test_id(uint64_t number)
{
    struct hl_id id = {{0x01}};

    for (size_t i = 0; i < 8; i++)
        id.b[15 - i] = (uint8_t)(number >> (8 * i));
    return id;
}

struct submission {
    struct hl_log_submit submit;
    struct hl_log_opening opening;
    struct hl_client_answer *answer;
    bool *answered;
};

static void end_submission(struct hl_log_submit *submit, int r)
{
    struct submission *submission = HL_CONTAINER_OF(submit, struct submission, submit);

    HL_CHECK(r != 0 || submit->entry->offset == submit->offset);
    *submission->answer = (struct hl_client_answer){.r = r,
                                                    .offset = submit->offset,
                                                    .position = submit->position,
                                                    .wall_ms = submit->wall_ms,
                                                    .duplicate = submit->duplicate,
                                                    .conversation = submit->conversation};
    *submission->answered = true;
    hl_entry_unref(submit->entry);
    free(submission);
}

static struct hl_entry *make_entry(const struct hl_client_entry *entry)
{
    const struct hl_author visitor = {.role = HL_ROLE_VISITOR, .id = hl_test_id(1)};
    struct hl_entry *made = hl_entry_create(&(struct hl_entry_fields){
        .conversation = entry->conversation,
        .author = entry->author.role != 0 ? entry->author : visitor,
        .kind = entry->kind != 0 ? entry->kind : HL_ENTRY_MESSAGE,
        .subject = entry->subject,
        .mid = hl_bytes_of(entry->mid),
        .body = hl_bytes_of(entry->body != NULL ? entry->body : "{\"text\":\"hello\"}"),
    });

    HL_CHECK(made != NULL);
    return made;
}

int hl_log_client_begin(struct hl_log_client *client, const struct hl_client_entry *entry,
                        struct hl_client_answer *answer, bool *answered)
{
    struct submission *submission = calloc(1, sizeof(*submission));

    HL_CHECK(submission != NULL);
    *answered = false;
    submission->answer = answer;
    submission->answered = answered;
    submission->opening.site = hl_bytes_of(entry->site != NULL ? entry->site : "main");
    submission->opening.reference = hl_bytes_of(entry->reference != NULL ? entry->reference : "");
    submission->opening.inbox = entry->inbox;
    submission->opening.identity = hl_bytes_of(entry->identity != NULL ? entry->identity : "");
    submission->submit = (struct hl_log_submit){
        .loop = &client->loop.loop,
        .done = end_submission,
        .entry = make_entry(entry),
        .when = entry->when,
        .opening = entry->must_exist ? NULL : &submission->opening,
    };
    int r = hl_log_submit(client->log, &submission->submit);
    if (r != 0) {
        hl_entry_unref(submission->submit.entry);
        free(submission);
    }
    return r;
}

struct hl_client_answer hl_log_client_submit(struct hl_log_client *client,
                                             const struct hl_client_entry *entry)
{
    struct hl_client_answer answer = {.r = 0};
    bool answered = false;
    int r = hl_log_client_begin(client, entry, &answer, &answered);

    if (r != 0)
        return (struct hl_client_answer){.r = r};
    HL_CHECK(hl_fake_loop_run_until(&client->loop, &answered));
    return answer;
}

/* The answer of a read; each kind of request is the first member of what wraps it. */
struct waiting {
    bool answered;
    int r;
};

#define DEFINE_CALL(kind)                                                                          \
    struct kind##_call {                                                                           \
        struct hl_log_##kind request;                                                              \
        struct waiting waiting;                                                                    \
    };                                                                                             \
    static void end_##kind(struct hl_log_##kind *request, int r)                                   \
    {                                                                                              \
        struct kind##_call *call = HL_CONTAINER_OF(request, struct kind##_call, request);          \
        call->waiting = (struct waiting){.answered = true, .r = r};                                \
    }                                                                                              \
    int hl_log_client_##kind(struct hl_log_client *client, struct hl_log_##kind *request)          \
    {                                                                                              \
        struct kind##_call call = {.request = *request};                                           \
        call.request.loop = &client->loop.loop;                                                    \
        call.request.done = end_##kind;                                                            \
        int r = hl_log_##kind(client->log, &call.request);                                         \
        if (r != 0)                                                                                \
            return r;                                                                              \
        HL_CHECK(hl_fake_loop_run_until(&client->loop, &call.waiting.answered));                   \
        *request = call.request;                                                                   \
        return call.waiting.r;                                                                     \
    }

DEFINE_CALL(read)
DEFINE_CALL(scan)
DEFINE_CALL(find)
DEFINE_CALL(marks)
