/* What an erasure takes away, and what it leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/contract/fixture.h"

static const struct hl_author house = {.role = HL_ROLE_SYSTEM, .id = {{0x11}}};
static const char reason[] = "{\"reason\":\"asked for\",\"request\":\"era_1\"}";

static struct hl_client_answer erase(struct fixture *fixture, uint64_t conversation,
                                     const char *mid)
{
    return hl_log_client_submit(&fixture->client,
                                &(struct hl_client_entry){.conversation = hl_test_id(conversation),
                                                          .author = house,
                                                          .kind = HL_ENTRY_ERASED,
                                                          .mid = mid,
                                                          .body = reason,
                                                          .must_exist = true});
}

static struct hl_client_answer say_as(struct fixture *fixture, const char *mid, const char *body)
{
    return hl_log_client_submit(
        &fixture->client,
        &(struct hl_client_entry){
            .conversation = hl_test_id(1), .mid = mid, .body = body, .identity = "customer-4711"});
}

static void check_entry(const struct hl_entry *entry, uint64_t offset)
{
    bool is_last = entry->kind == HL_ENTRY_ERASED;

    assert_int_equal(entry->offset, offset);
    assert_int_equal(entry->is_erased, !is_last);
    assert_true(hl_bytes_is(hl_entry_body(entry), is_last ? reason : "{}"));
}

static void check_erased(struct fixture *fixture)
{
    struct hl_log_read read = {.conversation = hl_test_id(1), .limit = 10, .bytes_max = 10000};
    struct hl_log_scan scan = {.limit = 10, .bytes_max = 10000};

    assert_int_equal(hl_log_client_read(&fixture->client, &read), 0);
    assert_int_equal(read.batch->n_entries, 3);
    for (size_t i = 0; i < 3; i++)
        check_entry(read.batch->entries[i], i + 1);
    assert_true(hl_bytes_is(hl_entry_mid(read.batch->entries[0]), "a"));
    assert_true(read.found.is_erased);
    assert_int_equal(read.found.status, HL_STATUS_CLOSED);
    assert_int_equal(read.found.revision, 3);
    assert_string_equal(read.found.identity, "");
    hl_batch_unref(read.batch);

    assert_int_equal(hl_log_client_scan(&fixture->client, &scan), 0);
    assert_int_equal(scan.batch->n_entries, 4);
    check_entry(scan.batch->entries[0], 1);
    check_entry(scan.batch->entries[1], 2);
    assert_false(scan.batch->entries[2]->is_erased); /* of another conversation */
    assert_true(hl_bytes_is(hl_entry_body(scan.batch->entries[2]), "{\"text\":\"hello\"}"));
    check_entry(scan.batch->entries[3], 3);
    hl_batch_unref(scan.batch);
}

static void test_bodies_are_gone(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(say_as(fixture, "a", "{\"text\":\"my name\"}").r, 0);
    assert_int_equal(say_as(fixture, "b", "{\"text\":\"my street\"}").r, 0);
    (void)fixture_say(fixture, 2, "a");
    struct hl_client_answer erased = erase(fixture, 1, "era_1");
    assert_int_equal(erased.r, 0);
    assert_int_equal(erased.offset, 3);
    assert_true(erased.conversation.is_erased);
    check_erased(fixture);
    (void)fixture_reopen(fixture);
    check_erased(fixture);
}

static void test_nothing_more_is_taken(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(say_as(fixture, "a", "{\"text\":\"one\"}").r, 0);
    assert_int_equal(say_as(fixture, "b", "{\"text\":\"two\"}").r, 0);
    assert_int_equal(erase(fixture, 1, "era_1").r, 0);
    for (int i = 0; i < 2; i++) {
        struct hl_client_answer refused = say_as(fixture, "c", "{\"text\":\"three\"}");
        assert_int_equal(refused.r, HL_LOG_ERASED);
        assert_true(refused.conversation.is_erased);
        assert_int_equal(erase(fixture, 1, "era_2").r, HL_LOG_ERASED);
        /* repeats of what was stored go on to succeed, whatever they say now */
        struct hl_client_answer repeated = say_as(fixture, "a", "{\"text\":\"other\"}");
        assert_int_equal(repeated.r, 0);
        assert_true(repeated.duplicate);
        assert_int_equal(repeated.offset, 1);
        assert_true(erase(fixture, 1, "era_1").duplicate);
        struct hl_client_entry note = {
            .conversation = hl_test_id(1), .mid = "a", .kind = HL_ENTRY_FORM};
        assert_int_equal(hl_log_client_submit(&fixture->client, &note).r, HL_LOG_MID_CONFLICT);
        (void)fixture_reopen(fixture);
    }
    assert_int_equal(fixture_say(fixture, 2, "a").offset, 1);
    assert_int_equal(erase(fixture, 3, "x").r, HL_LOG_UNKNOWN);
}

/* In one group with what it erases and with what comes too late. */
static void test_one_group(void **state)
{
    struct fixture *fixture = *state;
    struct hl_client_entry entries[] = {
        {.conversation = hl_test_id(1), .mid = "a", .body = "{\"text\":\"one\"}"},
        {.conversation = hl_test_id(1), .mid = "b", .body = "{\"text\":\"two\"}"},
        {.conversation = hl_test_id(2), .mid = "a"},
        {.conversation = hl_test_id(1),
         .author = house,
         .kind = HL_ENTRY_ERASED,
         .mid = "era_1",
         .body = reason},
        {.conversation = hl_test_id(1), .mid = "c"},
    };
    enum { N_ENTRIES = sizeof(entries) / sizeof(entries[0]) };
    struct hl_client_answer answers[N_ENTRIES];
    bool answered[N_ENTRIES];

    for (size_t i = 0; i < N_ENTRIES; i++)
        assert_int_equal(
            hl_log_client_begin(&fixture->client, &entries[i], &answers[i], &answered[i]), 0);
    for (size_t i = 0; i < N_ENTRIES; i++) {
        assert_true(hl_fake_loop_run_until(&fixture->client.loop, &answered[i]));
        assert_int_equal(answers[i].r, i == N_ENTRIES - 1 ? HL_LOG_ERASED : 0);
    }
    check_erased(fixture);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bodies_are_gone, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_nothing_more_is_taken, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_one_group, fixture_setup, fixture_teardown),
    };

    if (argc != 2 || !fixture_select_engine(argv[1]))
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
}
