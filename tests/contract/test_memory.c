/* Every allocation of SQLite fails, once or for good until memory comes back: no message is
 * acknowledged and lost, and the log goes on or says that it has failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/event.h"
#include "base/result.h"
#include "store/log_sqlite.h"
#include "store/verify.h"
#include "tests/support/crash_vfs.h"
#include "tests/support/log_client.h"
#include "tests/support/temp_folder.h"

enum { N_MESSAGES = 4 };

static const uint8_t chain_key[32] = {7};

static sqlite3_mem_methods real_memory;
static atomic_llong until_failure; /* allocations left before one fails; below 0: none fails */
static atomic_bool lasts;
static atomic_bool failed_once;

static bool fails_now(void)
{
    if (atomic_load(&until_failure) < 0)
        return false;
    long long left = atomic_fetch_sub(&until_failure, 1);
    if (left > 0)
        return false;
    atomic_store(&failed_once, true);
    if (atomic_load(&lasts))
        atomic_store(&until_failure, 0);
    return true;
}

static void *allocate(int size)
{
    return fails_now() ? NULL : real_memory.xMalloc(size);
}

static void *reallocate(void *memory, int size)
{
    return fails_now() ? NULL : real_memory.xRealloc(memory, size);
}

static void disarm(void)
{
    atomic_store(&until_failure, -1);
}

static void arm(long long n, bool for_good)
{
    atomic_store(&failed_once, false);
    atomic_store(&lasts, for_good);
    atomic_store(&until_failure, n);
}

static int open_log(const char *path, struct hl_log **out_log)
{
    return hl_log_sqlite_open(&(struct hl_log_sqlite_config){.path = path,
                                                             .vfs = HL_CRASH_VFS_NAME,
                                                             .clock = hl_clock_system(),
                                                             .chain_key = chain_key,
                                                             .region_key = chain_key},
                              NULL, 0, out_log);
}

static struct hl_client_answer say(struct hl_log_client *client, size_t number)
{
    char mid[24];

    (void)snprintf(mid, sizeof(mid), "%zu", number);
    return hl_log_client_submit(
        client, &(struct hl_client_entry){.conversation = hl_test_id(number % 2), .mid = mid});
}

/* Sends messages and reads while memory fails. */
static void chat(struct hl_log_client *client, struct hl_client_answer *answers)
{
    for (size_t i = 0; i < N_MESSAGES; i++) {
        struct hl_log_read read = {
            .conversation = hl_test_id(i % 2), .limit = 10, .bytes_max = 1000};
        answers[i] = say(client, i);
        assert_true(answers[i].r <= 0 || answers[i].r == HL_LOG_CLOSED);
        int r = hl_log_client_read(client, &read);
        assert_true(r == 0 || r == -ENOMEM || r == HL_LOG_UNKNOWN);
        if (r == 0)
            hl_batch_unref(read.batch);
    }
}

static void check_answers(const char *path, const struct hl_client_answer *answers)
{
    struct hl_log_client client;
    struct hl_log *log = NULL;
    struct hl_verify_report report;

    assert_int_equal(open_log(path, &log), 0);
    hl_log_client_init(&client, log);
    for (size_t i = 0; i < N_MESSAGES; i++) {
        struct hl_client_answer again = say(&client, i);
        assert_int_equal(again.r, 0);
        if (answers[i].r != 0)
            continue;
        assert_true(again.duplicate);
        assert_int_equal(again.position, answers[i].position);
    }
    hl_log_close(log);
    hl_log_client_fini(&client);
    assert_int_equal(hl_verify(path, chain_key, &report), 0);
    assert_int_equal(report.n_entries, N_MESSAGES);
    hl_buffer_fini(&report.findings);
}

/* False: allocation n was never reached. */
static bool run_trial(long long n, bool for_good, bool while_opening)
{
    struct hl_temp_folder folder;
    struct hl_client_answer answers[N_MESSAGES];
    struct hl_log *log = NULL;
    char path[160];

    hl_temp_folder_init(&folder);
    hl_crash_vfs_begin(&(struct hl_crash_plan){.event = HL_CRASH_NEVER}); /* spares the syncs */
    (void)snprintf(path, sizeof(path), "%s/holdline.db", folder.path);
    for (size_t i = 0; i < N_MESSAGES; i++)
        answers[i].r = -1;
    if (while_opening)
        arm(n, for_good);
    int r = open_log(path, &log);
    if (!while_opening)
        arm(n, for_good);
    assert_true(r <= 0);
    if (r == 0) {
        struct hl_log_client client;
        hl_log_client_init(&client, log);
        chat(&client, answers);
        disarm();
        hl_log_close(log);
        hl_log_client_fini(&client);
    }
    disarm();
    check_answers(path, answers);
    hl_temp_folder_fini(&folder);
    return atomic_load(&failed_once);
}

static void test_allocations_while_running(void **state)
{
    (void)state;
    for (int for_good = 0; for_good < 2; for_good++) {
        for (long long n = 0; run_trial(n, for_good == 1, false); n += 3)
            ;
    }
}

static void test_allocations_while_opening(void **state)
{
    (void)state;
    for (int for_good = 0; for_good < 2; for_good++) {
        for (long long n = 0; n < 1200 && run_trial(n, for_good == 1, true); n += 13)
            ;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations_while_running),
        cmocka_unit_test(test_allocations_while_opening),
    };
    sqlite3_mem_methods failing;

    disarm();
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory) != SQLITE_OK)
        return EXIT_FAILURE;
    failing = real_memory;
    failing.xMalloc = allocate;
    failing.xRealloc = reallocate;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK)
        return EXIT_FAILURE;
    hl_event_setup(HL_EVENT_ERROR, HL_EVENT_FORMAT_TEXT);
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
