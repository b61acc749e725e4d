/* Every call of a chat fails once, in each way a call can fail: a client that repeats what was
 * not acknowledged ends with each message exactly once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/contract/fixture.h"

enum { N_MESSAGES = 12 };

static void send_until_acknowledged(struct fixture *fixture, uint64_t number, uint64_t *offsets)
{
    char mid[24];
    struct hl_client_entry entry = {.conversation = hl_test_id(number % 2), .mid = mid};
    struct hl_client_answer answer = {.r = HL_LOG_BUSY};

    (void)snprintf(mid, sizeof(mid), "%llu", (unsigned long long)number);
    for (int tries = 0; tries < 3 && answer.r != 0; tries++) {
        answer = hl_log_client_submit(&fixture->client, &entry);
        assert_true(answer.r == 0 || answer.r == HL_LOG_BUSY || answer.r < 0);
    }
    assert_int_equal(answer.r, 0);
    offsets[number] = answer.offset;
}

/* Reads a conversation's transcript through calls that may fail, repeating them. */
static struct hl_batch *read_all(struct fixture *fixture, uint64_t conversation)
{
    struct hl_log_read read = {
        .conversation = hl_test_id(conversation), .limit = 1000, .bytes_max = 1000000};
    int r = -1;

    for (int tries = 0; tries < 3 && r != 0; tries++)
        r = hl_log_client_read(&fixture->client, &read);
    assert_int_equal(r, 0);
    return read.batch;
}

static void check_transcripts(struct fixture *fixture, const uint64_t *offsets)
{
    for (uint64_t conversation = 0; conversation < 2; conversation++) {
        struct hl_batch *batch = read_all(fixture, conversation);
        assert_int_equal(batch->n_entries, N_MESSAGES / 2);
        for (uint64_t i = 0; i < batch->n_entries; i++) {
            char mid[24];
            uint64_t number = 2 * i + conversation;
            (void)snprintf(mid, sizeof(mid), "%llu", (unsigned long long)number);
            assert_true(hl_bytes_is(hl_entry_mid(batch->entries[i]), mid));
            assert_int_equal(batch->entries[i]->offset, offsets[number]);
        }
        hl_batch_unref(batch);
    }
}

/* One chat with the n-th call failing. False: it ended before that call. */
static bool run_chat(enum hl_fault fault, uint64_t nth_call)
{
    void *state = NULL;
    uint64_t offsets[N_MESSAGES];

    assert_int_equal(fixture_setup(&state), 0);
    struct fixture *fixture = state;
    fixture_close(fixture);
    fixture->wrapped = true;
    fixture->fault = fault;
    fixture->nth_call = nth_call;
    fixture_open(fixture);
    for (uint64_t i = 0; i < N_MESSAGES; i++)
        send_until_acknowledged(fixture, i, offsets);
    check_transcripts(fixture, offsets);
    bool reached = hl_faulty_log_calls(fixture->log) >= nth_call;
    fixture->nth_call = 0;
    if (fixture_reopen(fixture))
        check_transcripts(fixture, offsets);
    assert_int_equal(fixture_teardown(&state), 0);
    return reached;
}

static void test_every_call_fails_once(void **state)
{
    (void)state;
    for (enum hl_fault fault = HL_FAULT_BUSY; fault < HL_FAULT_END; fault++) {
        uint64_t nth_call = 1;
        while (run_chat(fault, nth_call))
            nth_call++;
        assert_true(nth_call > N_MESSAGES);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_call_fails_once)};

    if (argc != 2 || !fixture_select_engine(argv[1]))
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
}
