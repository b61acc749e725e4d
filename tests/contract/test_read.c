/* Reading by offset and by position, the conversation index, marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/contract/fixture.h"

static const struct hl_author anna = {.role = HL_ROLE_AGENT, .id = {{0xaa}}};

static void say_many(struct fixture *fixture, uint64_t conversation, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char mid[32];
        (void)snprintf(mid, sizeof(mid), "m%zu", i + 1);
        (void)fixture_say(fixture, conversation, mid);
    }
}

/* Reads a page and checks that it holds exactly the offsets from `first` to `last`. */
static void check_page(struct fixture *fixture, struct hl_log_read read, uint64_t first,
                       uint64_t last)
{
    read.conversation = hl_test_id(1);
    assert_int_equal(hl_log_client_read(&fixture->client, &read), 0);
    assert_int_equal(read.batch->n_entries, last + 1 - first);
    for (uint64_t offset = first; offset <= last; offset++) {
        const struct hl_entry *entry = read.batch->entries[offset - first];
        char mid[32];
        (void)snprintf(mid, sizeof(mid), "m%llu", (unsigned long long)offset);
        assert_int_equal(entry->offset, offset);
        assert_true(hl_bytes_is(hl_entry_mid(entry), mid));
        assert_true(hl_bytes_is(hl_entry_body(entry), "{\"text\":\"hello\"}"));
        assert_int_equal(entry->author.role, HL_ROLE_VISITOR);
        assert_true(hl_id_equal(&entry->conversation, &read.conversation));
    }
    assert_int_equal(read.found.head, 100);
    hl_batch_unref(read.batch);
}

static void test_pages(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t all = 1000000;

    say_many(fixture, 1, 100);
    check_page(fixture, (struct hl_log_read){.limit = 10, .bytes_max = all}, 1, 10);
    check_page(fixture, (struct hl_log_read){.after = 95, .limit = 10, .bytes_max = all}, 96, 100);
    check_page(fixture, (struct hl_log_read){.after = 0, .limit = all, .bytes_max = all}, 1, 100);
    check_page(fixture, (struct hl_log_read){.after = 100, .limit = 10, .bytes_max = all}, 101,
               100);
    check_page(fixture, (struct hl_log_read){.after = UINT64_MAX, .limit = 10, .bytes_max = all},
               101, 100);
    /* by bytes: 16 each; at least one */
    check_page(fixture, (struct hl_log_read){.after = 5, .limit = 10, .bytes_max = 48}, 6, 8);
    check_page(fixture, (struct hl_log_read){.after = 5, .limit = 10, .bytes_max = 1}, 6, 6);
    /* backward */
    check_page(fixture, (struct hl_log_read){.backward = true, .limit = 10, .bytes_max = all}, 91,
               100);
    check_page(fixture,
               (struct hl_log_read){.backward = true, .after = 50, .limit = 9, .bytes_max = all},
               41, 49);
    check_page(fixture,
               (struct hl_log_read){.backward = true, .after = 4, .limit = 10, .bytes_max = all}, 1,
               3);
    check_page(fixture,
               (struct hl_log_read){.backward = true, .after = 1, .limit = 10, .bytes_max = all}, 1,
               0);
    check_page(fixture,
               (struct hl_log_read){.backward = true, .after = 50, .limit = 10, .bytes_max = 33},
               48, 49);

    struct hl_log_read unknown = {.conversation = hl_test_id(2), .limit = 1, .bytes_max = 1};
    assert_int_equal(hl_log_client_read(&fixture->client, &unknown), HL_LOG_UNKNOWN);
}

static void test_scan(void **state)
{
    struct fixture *fixture = *state;
    uint64_t after = 0;
    uint64_t next = 1;

    for (uint64_t i = 0; i < 30; i++) {
        char mid[24];
        (void)snprintf(mid, sizeof(mid), "%llu", (unsigned long long)i);
        (void)fixture_say(fixture, i % 7, mid);
    }
    for (;;) {
        struct hl_log_scan scan = {.after = after, .limit = 4, .bytes_max = 1000};
        assert_int_equal(hl_log_client_scan(&fixture->client, &scan), 0);
        assert_int_equal(scan.head, 30);
        size_t n = scan.batch->n_entries;
        for (size_t i = 0; i < n; i++) {
            const struct hl_entry *entry = scan.batch->entries[i];
            struct hl_id conversation = hl_test_id((next - 1) % 7);
            assert_int_equal(entry->position, next++);
            assert_true(hl_id_equal(&entry->conversation, &conversation));
            after = entry->position;
        }
        hl_batch_unref(scan.batch);
        if (n == 0)
            break;
        assert_true(n <= 4);
    }
    assert_int_equal(next, 31);
}

static void check_marks(struct fixture *fixture, uint64_t delivered, uint64_t read)
{
    struct hl_log_marks marks = {.conversation = hl_test_id(1)};

    assert_int_equal(hl_log_client_marks(&fixture->client, &marks), 0);
    assert_int_equal(marks.n_items, 1);
    assert_true(hl_author_equal(&marks.items[0].participant, &anna));
    assert_true(hl_id_equal(&marks.items[0].conversation, &marks.conversation));
    assert_int_equal(marks.items[0].delivered, delivered);
    assert_int_equal(marks.items[0].read, read);
}

static void test_marks_only_rise(void **state)
{
    struct fixture *fixture = *state;
    struct hl_log_mark mark = {
        .conversation = hl_test_id(1), .participant = anna, .delivered = 3, .read = 1};
    struct hl_log_mark nowhere = {.conversation = hl_test_id(2), .participant = anna};
    struct hl_log_marks unknown = {.conversation = hl_test_id(2)};

    say_many(fixture, 1, 5);
    hl_log_mark(fixture->log, &mark);
    hl_log_mark(fixture->log, &nowhere);
    check_marks(fixture, 3, 1);
    (void)fixture_reopen(fixture);
    check_marks(fixture, 3, 1);
    mark.delivered = 2;
    mark.read = 2;
    hl_log_mark(fixture->log, &mark);
    check_marks(fixture, 3, 2);
    (void)fixture_reopen(fixture);
    check_marks(fixture, 3, 2);
    assert_int_equal(hl_log_client_marks(&fixture->client, &unknown), HL_LOG_UNKNOWN);
}

static void test_info(void **state)
{
    struct fixture *fixture = *state;
    struct hl_log_info before;
    struct hl_log_info info;

    hl_log_info(fixture->log, &before);
    say_many(fixture, 1, 3);
    (void)fixture_say(fixture, 1, "m1");
    hl_log_info(fixture->log, &info);
    assert_int_equal(info.position, 3);
    assert_int_equal(info.submits, 3);
    assert_int_equal(info.duplicates, 1);
    assert_int_equal(info.queue_depth, 0);
    assert_true(info.writable && !info.failed);
    assert_true(info.epoch >= 1 && info.epoch < UINT64_C(1) << 53);
    assert_true(info.groups >= 1 && info.groups <= 4);
    if (!fixture_reopen(fixture))
        return;
    hl_log_info(fixture->log, &info);
    assert_int_equal(info.position, 3);
    assert_int_equal(info.epoch, before.epoch);
    assert_int_equal(info.boots, before.boots + 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pages, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_scan, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_marks_only_rise, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_info, fixture_setup, fixture_teardown),
    };

    if (argc != 2 || !fixture_select_engine(argv[1]))
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
}
