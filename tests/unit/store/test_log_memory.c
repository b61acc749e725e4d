/* What only the memory engine has: forgetting on purpose, and going back. */
#include "store/log_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"
#include "tests/support/log_client.h"

struct fixture {
    struct hl_fake_clock clock;
    struct hl_log_client client;
};

/* Two conversations that take turns: offsets 1 to 5 each, positions 1 to 10. */
static int setup(void **state)
{
    static struct fixture fixture;
    struct hl_log *log = NULL;

    hl_fake_clock_init(&fixture.clock, 1000);
    assert_int_equal(
        hl_log_memory_open(
            &(struct hl_log_memory_config){.clock = &fixture.clock.clock, .epoch = 3}, &log),
        0);
    hl_log_client_init(&fixture.client, log);
    for (uint64_t i = 0; i < 10; i++) {
        char mid[24];
        (void)snprintf(mid, sizeof(mid), "%llu", (unsigned long long)i);
        struct hl_client_entry entry = {.conversation = hl_test_id(i % 2), .mid = mid};
        assert_int_equal(hl_log_client_submit(&fixture.client, &entry).r, 0);
    }
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    hl_log_close(fixture->client.log);
    hl_log_client_fini(&fixture->client);
    return 0;
}

static struct hl_log_read read_from(struct fixture *fixture, uint64_t conversation, uint64_t after,
                                    bool backward)
{
    struct hl_log_read read = {.conversation = hl_test_id(conversation),
                               .after = after,
                               .backward = backward,
                               .limit = 100,
                               .bytes_max = 10000};

    assert_int_equal(hl_log_client_read(&fixture->client, &read), 0);
    return read;
}

static void test_trim(void **state)
{
    struct fixture *fixture = *state;
    struct hl_id conversation = hl_test_id(0);

    hl_log_memory_trim(fixture->client.log, &conversation, 3);
    for (int backward = 0; backward < 2; backward++) {
        struct hl_log_read read = read_from(fixture, 0, 0, backward == 1);
        assert_int_equal(read.batch->n_entries, 2);
        assert_int_equal(read.batch->entries[0]->offset, 4);
        assert_int_equal(read.found.floor, 3);
        assert_int_equal(read.found.head, 5);
        hl_batch_unref(read.batch);
    }
    struct hl_log_scan scan = {.limit = 100, .bytes_max = 10000};
    assert_int_equal(hl_log_client_scan(&fixture->client, &scan), 0);
    assert_int_equal(scan.batch->n_entries, 7);
    hl_batch_unref(scan.batch);
    /* what was trimmed is not new */
    struct hl_client_answer again = hl_log_client_submit(
        &fixture->client, &(struct hl_client_entry){.conversation = conversation, .mid = "0"});
    assert_true(again.r == 0 && again.duplicate);
}

static void test_roll_back(void **state)
{
    struct fixture *fixture = *state;
    struct hl_log_info info;

    hl_log_memory_roll_back(fixture->client.log, 5, 9);
    hl_log_info(fixture->client.log, &info);
    assert_int_equal(info.epoch, 9);
    assert_int_equal(info.position, 5);
    struct hl_log_read read = read_from(fixture, 0, 0, false);
    assert_int_equal(read.batch->n_entries, 3);
    assert_int_equal(read.batch->epoch, 9);
    assert_int_equal(read.found.head, 3);
    hl_batch_unref(read.batch);
    /* what was rolled back was never said */
    struct hl_client_answer again = hl_log_client_submit(
        &fixture->client, &(struct hl_client_entry){.conversation = hl_test_id(0), .mid = "6"});
    assert_int_equal(again.r, 0);
    assert_false(again.duplicate);
    assert_int_equal(again.offset, 4);
    assert_int_equal(again.position, 6);
}

static void test_roll_back_to_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct hl_log_read read = {.conversation = hl_test_id(0), .limit = 1, .bytes_max = 1};

    hl_log_memory_roll_back(fixture->client.log, 0, 9);
    assert_int_equal(hl_log_client_read(&fixture->client, &read), HL_LOG_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trim, setup, teardown),
        cmocka_unit_test_setup_teardown(test_roll_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_roll_back_to_nothing, setup, teardown),
    };

    return cmocka_run_group_tests_name("log_memory", tests, NULL, NULL);
}
