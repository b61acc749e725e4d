/* Power cuts, failed syncs and full disks at every operation: what was acknowledged is there
 * exactly once, at the place it was given, and the chains close. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/event.h"
#include "store/log_sqlite.h"
#include "store/verify.h"
#include "tests/support/crash_vfs.h"
#include "tests/support/log_client.h"
#include "tests/support/temp_folder.h"

enum { N_THREADS = 4, N_EACH = 12, N_SENT_MAX = N_THREADS * N_EACH, N_SEEDS = 3 };

static const uint8_t chain_key[32] = {7};

/* What a client sent, and what it was told. */
struct sent {
    uint64_t conversation;
    char mid[24];
    bool erases;
    struct hl_client_answer answer; /* r: -1 until it was answered */
};

struct trial {
    struct hl_temp_folder folder;
    char path[160];
    struct sent sent[N_SENT_MAX];
    size_t n_sent;
    uint32_t wal_pages_max;
    atomic_int n_failed; /* calls of on_failed */
};

static void note_failure(void *arg)
{
    atomic_fetch_add(&((struct trial *)arg)->n_failed, 1);
}

static int open_log(struct trial *trial, const char *vfs, struct hl_log **out_log)
{
    return hl_log_sqlite_open(&(struct hl_log_sqlite_config){.path = trial->path,
                                                             .vfs = vfs,
                                                             .clock = hl_clock_system(),
                                                             .chain_key = chain_key,
                                                             .region_key = chain_key,
                                                             .wal_pages_max = trial->wal_pages_max,
                                                             .on_failed = note_failure,
                                                             .arg = trial},
                              NULL, 0, out_log);
}

static void begin_trial(struct trial *trial, const struct hl_crash_plan *plan)
{
    memset(trial, 0, sizeof(*trial));
    hl_temp_folder_init(&trial->folder);
    (void)snprintf(trial->path, sizeof(trial->path), "%s/holdline.db", trial->folder.path);
    hl_crash_vfs_begin(plan);
}

static struct hl_client_answer submit_sent(struct hl_log_client *client, const struct sent *sent)
{
    struct hl_client_entry entry = {.conversation = hl_test_id(sent->conversation),
                                    .mid = sent->mid};

    if (sent->erases) {
        entry.kind = HL_ENTRY_ERASED;
        entry.author = (struct hl_author){HL_ROLE_SYSTEM, hl_test_id(2)};
        entry.must_exist = true;
    }
    return hl_log_client_submit(client, &entry);
}

static void send_one(struct trial *trial, struct hl_log_client *client, size_t number)
{
    struct sent *sent = &trial->sent[number];

    sent->conversation = number % 3;
    (void)snprintf(sent->mid, sizeof(sent->mid), "%zu", number);
    sent->answer = submit_sent(client, sent);
}

/* One client that sends three messages, one after another. */
static void run_one_by_one(struct trial *trial)
{
    struct hl_log_client client;

    trial->n_sent = 3;
    for (size_t i = 0; i < trial->n_sent; i++)
        trial->sent[i].answer.r = -1;
    struct hl_log *log = NULL;
    if (open_log(trial, HL_CRASH_VFS_NAME, &log) != 0)
        return;
    hl_log_client_init(&client, log);
    for (size_t i = 0; i < trial->n_sent; i++)
        send_one(trial, &client, i);
    hl_log_close(log);
    hl_log_client_fini(&client);
}

/* Two messages, of which the first conversation is erased, and one more elsewhere. */
static void run_erasure(struct trial *trial)
{
    struct hl_log_client client;
    struct hl_log *log = NULL;

    trial->n_sent = 4;
    for (size_t i = 0; i < trial->n_sent; i++)
        trial->sent[i].answer.r = -1;
    trial->sent[3].erases = true; /* conversation 0, like message 0 */
    if (open_log(trial, HL_CRASH_VFS_NAME, &log) != 0)
        return;
    hl_log_client_init(&client, log);
    for (size_t i = 0; i < trial->n_sent; i++)
        send_one(trial, &client, i);
    hl_log_close(log);
    hl_log_client_fini(&client);
}

struct sender {
    struct trial *trial;
    struct hl_log *log;
    size_t first;
    pthread_t thread;
};

static void *run_sender(void *arg)
{
    struct sender *sender = arg;
    struct hl_log_client client;

    hl_log_client_init(&client, sender->log);
    for (size_t i = 0; i < N_EACH; i++)
        send_one(sender->trial, &client, sender->first + i);
    hl_log_client_fini(&client);
    return NULL;
}

static void run_concurrently(struct trial *trial)
{
    struct sender senders[N_THREADS];
    struct hl_log *log = NULL;

    trial->n_sent = N_SENT_MAX;
    for (size_t i = 0; i < trial->n_sent; i++)
        trial->sent[i].answer.r = -1;
    if (open_log(trial, HL_CRASH_VFS_NAME, &log) != 0)
        return;
    for (size_t i = 0; i < N_THREADS; i++) {
        senders[i] = (struct sender){.trial = trial, .log = log, .first = i * N_EACH};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, run_sender, &senders[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
    hl_log_close(log);
}

/* The same with a write-ahead log that is copied and begins again every few commits. */
static void run_with_checkpoints(struct trial *trial)
{
    trial->wal_pages_max = 24;
    run_concurrently(trial);
}

/* 0, or the number of acknowledged messages that are not where the client was told. */
static size_t count_lost(const struct trial *trial, struct hl_log_client *client)
{
    size_t n_lost = 0;

    for (size_t i = 0; i < trial->n_sent; i++) {
        const struct sent *sent = &trial->sent[i];
        struct hl_log_read read = {.conversation = hl_test_id(sent->conversation),
                                   .after = sent->answer.offset - 1,
                                   .limit = 1,
                                   .bytes_max = 1000};
        if (sent->answer.r != 0)
            continue;
        if (hl_log_client_read(client, &read) != 0) {
            n_lost++;
            continue;
        }
        bool there = read.batch->n_entries == 1 &&
                     read.batch->entries[0]->position == sent->answer.position &&
                     hl_bytes_is(hl_entry_mid(read.batch->entries[0]), sent->mid);
        n_lost += !there;
        hl_batch_unref(read.batch);
    }
    return n_lost;
}

/* An erasure is there whole or not at all: the entry and the end of the key go together. */
static void check_erasures(struct trial *trial, struct hl_log_client *client)
{
    for (size_t i = 0; i < trial->n_sent; i++) {
        const struct sent *sent = &trial->sent[i];
        struct hl_log_read read = {
            .conversation = hl_test_id(sent->conversation), .limit = 10, .bytes_max = 10000};
        if (!sent->erases || hl_log_client_read(client, &read) != 0)
            continue;
        const struct hl_entry *last = read.batch->entries[read.batch->n_entries - 1];
        bool is_erased = last->kind == HL_ENTRY_ERASED;
        assert_int_equal(read.found.is_erased, is_erased);
        assert_int_equal(read.batch->entries[0]->is_erased, is_erased);
        assert_true(is_erased || sent->answer.r != 0);
        hl_batch_unref(read.batch);
    }
}

/* Everybody sends everything again: what was acknowledged is a duplicate at its old place,
 * and in the end each message is there once. */
static void check_repeats(struct trial *trial, struct hl_log_client *client)
{
    struct hl_log_info info;

    for (size_t i = 0; i < trial->n_sent; i++) {
        const struct sent *sent = &trial->sent[i];
        if (sent->mid[0] == '\0')
            continue;
        struct hl_client_answer again = submit_sent(client, sent);
        assert_int_equal(again.r, 0);
        if (sent->answer.r != 0)
            continue;
        assert_true(again.duplicate);
        assert_int_equal(again.offset, sent->answer.offset);
        assert_int_equal(again.position, sent->answer.position);
    }
    hl_log_info(client->log, &info);
    size_t n_tried = 0;
    for (size_t i = 0; i < trial->n_sent; i++)
        n_tried += trial->sent[i].mid[0] != '\0';
    assert_int_equal(info.position, n_tried);
}

static void check_sound(struct trial *trial)
{
    struct hl_verify_report report;
    int r = hl_verify(trial->path, chain_key, &report);

    if (r != 0)
        fail_msg("verify: %d\n%.*s", r, (int)report.findings.size, report.findings.data);
    hl_buffer_fini(&report.findings);
}

/* The power comes back. How many acknowledged messages are lost; a log that does not open,
 * which only a lying disk may lead to, has lost all of them. */
static size_t end_trial(struct trial *trial, bool syncs_lie)
{
    struct hl_log_client client;
    struct hl_log *log = NULL;
    size_t n_lost = 0;

    hl_crash_vfs_power_on(trial->folder.path);
    hl_crash_vfs_begin(&(struct hl_crash_plan){.event = HL_CRASH_NEVER});
    int r = open_log(trial, HL_CRASH_VFS_NAME, &log);
    assert_true(r == 0 || syncs_lie);
    if (r == 0) {
        hl_log_client_init(&client, log);
        n_lost = count_lost(trial, &client);
        if (n_lost == 0) {
            check_erasures(trial, &client);
            check_repeats(trial, &client);
            check_erasures(trial, &client);
        }
        hl_log_close(log);
        hl_log_client_fini(&client);
    } else {
        for (size_t i = 0; i < trial->n_sent; i++)
            n_lost += trial->sent[i].answer.r == 0;
    }
    if (r == 0 && n_lost == 0)
        check_sound(trial);
    hl_temp_folder_fini(&trial->folder);
    return n_lost;
}

/* Cuts the power at every operation of `run`; the messages lost over all of them. */
static size_t sweep(void (*run)(struct trial *trial), bool syncs_lie, uint64_t step)
{
    struct trial *trial = malloc(sizeof(*trial));
    size_t n_lost = 0;

    assert_non_null(trial);
    for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
        bool reached = true;
        for (uint64_t at = seed; reached; at += step) {
            begin_trial(trial, &(struct hl_crash_plan){.event = HL_CRASH_POWER_CUT,
                                                       .at = at,
                                                       .seed = seed,
                                                       .syncs_lie = syncs_lie});
            run(trial);
            reached = hl_crash_vfs_happened();
            n_lost += end_trial(trial, syncs_lie);
        }
    }
    free(trial);
    return n_lost;
}

static void test_power_cut_at_every_operation(void **state)
{
    (void)state;
    assert_int_equal(sweep(run_one_by_one, false, 1), 0);
}

static void test_power_cut_while_erasing(void **state)
{
    (void)state;
    assert_int_equal(sweep(run_erasure, false, 1), 0);
}

static void test_power_cut_under_load(void **state)
{
    (void)state;
    assert_int_equal(sweep(run_concurrently, false, 5), 0);
}

static void test_power_cut_while_checkpointing(void **state)
{
    (void)state;
    assert_int_equal(sweep(run_with_checkpoints, false, 5), 0);
}

/* The sweep must be able to fail: on a disk whose syncs keep nothing it finds losses. */
static void test_lying_disk_is_found_out(void **state)
{
    (void)state;
    assert_true(sweep(run_one_by_one, true, 3) > 0);
}

static void test_failed_sync_ends_the_log(void **state)
{
    struct trial *trial = malloc(sizeof(*trial));
    size_t n_commits_failed = 0;
    bool reached = true;

    (void)state;
    assert_non_null(trial);
    for (uint64_t at = 1; reached; at++) {
        bool failed = false;
        begin_trial(trial,
                    &(struct hl_crash_plan){.event = HL_CRASH_SYNC_ERROR, .at = at, .seed = at});
        run_one_by_one(trial);
        reached = hl_crash_vfs_happened();
        for (size_t i = 0; i < trial->n_sent; i++) {
            int r = trial->sent[i].answer.r;
            assert_true(failed ? r == HL_LOG_CLOSED || r == -1 : r == 0 || r < 0);
            failed = failed || r < 0;
        }
        if (failed && atomic_load(&trial->n_failed) > 0)
            n_commits_failed++;
        assert_int_equal(end_trial(trial, false), 0);
    }
    assert_true(n_commits_failed >= 3); /* the commit of each message at least once */
    free(trial);
}

static void test_failed_write_ends_the_log(void **state)
{
    struct trial *trial = malloc(sizeof(*trial));

    (void)state;
    assert_non_null(trial);
    for (uint64_t at = 1; at < hl_crash_vfs_operations() + 2 || at < 10; at++) {
        begin_trial(trial,
                    &(struct hl_crash_plan){.event = HL_CRASH_WRITE_ERROR, .at = at, .seed = at});
        run_one_by_one(trial);
        assert_int_equal(end_trial(trial, false), 0);
    }
    free(trial);
}

/* No space at operation n: submits are refused as full, nothing is stored, and after space was
 * made the same submits succeed on the same log. */
static void test_full_disk_is_survived(void **state)
{
    struct trial *trial = malloc(sizeof(*trial));
    size_t n_full = 0;
    bool reached = true;

    (void)state;
    assert_non_null(trial);
    for (uint64_t at = 1; reached; at++) {
        struct hl_log_client client;
        struct hl_log *log = NULL;
        begin_trial(trial,
                    &(struct hl_crash_plan){.event = HL_CRASH_NO_SPACE, .at = at, .seed = at});
        int r = open_log(trial, HL_CRASH_VFS_NAME, &log);
        if (r == 0) {
            hl_log_client_init(&client, log);
            for (size_t i = 0; i < 3; i++) {
                send_one(trial, &client, i);
                assert_true(trial->sent[i].answer.r == 0 || trial->sent[i].answer.r == HL_LOG_FULL);
                n_full += trial->sent[i].answer.r == HL_LOG_FULL;
            }
            struct hl_log_info info;
            hl_log_info(log, &info);
            assert_int_equal(info.writable, trial->sent[2].answer.r == 0);
            hl_crash_vfs_heal();
            for (size_t i = 0; i < 3; i++) {
                bool was_stored = trial->sent[i].answer.r == 0;
                send_one(trial, &client, i);
                assert_int_equal(trial->sent[i].answer.r, 0);
                assert_int_equal(trial->sent[i].answer.duplicate, was_stored);
            }
            trial->n_sent = 3;
            hl_log_info(log, &info);
            assert_true(info.writable);
            hl_log_close(log);
            hl_log_client_fini(&client);
            assert_int_equal(atomic_load(&trial->n_failed), 0);
        }
        reached = hl_crash_vfs_happened();
        assert_int_equal(end_trial(trial, false), 0);
    }
    assert_true(n_full >= 3);
    free(trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_cut_at_every_operation),
        cmocka_unit_test(test_power_cut_while_erasing),
        cmocka_unit_test(test_power_cut_under_load),
        cmocka_unit_test(test_power_cut_while_checkpointing),
        cmocka_unit_test(test_lying_disk_is_found_out),
        cmocka_unit_test(test_failed_sync_ends_the_log),
        cmocka_unit_test(test_failed_write_ends_the_log),
        cmocka_unit_test(test_full_disk_is_survived),
    };

    hl_event_setup(HL_EVENT_ERROR, HL_EVENT_FORMAT_TEXT);
    return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
