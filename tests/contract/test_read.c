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

static struct hl_client_answer act(struct fixture *fixture, uint64_t conversation,
                                   enum hl_entry_kind kind, const char *mid)
{
    struct hl_client_answer answer = hl_log_client_submit(
        &fixture->client, &(struct hl_client_entry){
                              .conversation = hl_test_id(conversation),
                              .author = anna,
                              .kind = kind,
                              .subject = kind == HL_ENTRY_CLAIMED ? anna.id : (struct hl_id){{0}},
                              .mid = mid});

    assert_int_equal(answer.r, 0);
    return answer;
}

/* Lists all pages of `limit`; the conversations' numbers in that order end up in `out`. While
 * it does, new conversations come in that no page may repeat or lose others for. */
static size_t list_all(struct fixture *fixture, struct hl_log_list list, uint64_t *out,
                       uint64_t newcomer)
{
    size_t n = 0;

    for (;;) {
        assert_int_equal(hl_log_client_list(&fixture->client, &list), 0);
        assert_true(list.n_items <= list.limit);
        for (size_t i = 0; i < list.n_items; i++)
            out[n++] = list.items[i].id.b[15];
        bool more = list.has_more;
        free(list.items);
        if (!more)
            return n;
        assert_int_equal(list.n_items, list.limit);
        list.has_cursor = true;
        list.cursor_key = list.next_key;
        list.cursor_number = list.next_number;
        if (newcomer != 0)
            (void)fixture_say(fixture, newcomer++, "new");
    }
}

static void check_list(const uint64_t *listed, size_t n, const uint64_t *expected,
                       size_t n_expected)
{
    assert_int_equal(n, n_expected);
    assert_memory_equal(listed, expected, n * sizeof(*listed));
}

static void test_list_newest(void **state)
{
    struct fixture *fixture = *state;
    const struct hl_log_list list = {.order = HL_LIST_NEWEST, .limit = 3};
    uint64_t expected[20];
    uint64_t listed[64];

    for (uint64_t i = 1; i <= 20; i++) {
        (void)fixture_say(fixture, i, "a");
        expected[20 - i] = i;
        if (i % 3 == 0) /* some are opened in the same millisecond */
            hl_fake_clock_advance(&fixture->clock, 10);
    }
    check_list(listed, list_all(fixture, list, listed, 0), expected, 20);
    hl_fake_clock_advance(&fixture->clock, 10);
    check_list(listed, list_all(fixture, list, listed, 100), expected, 20);
}

static void test_list_oldest_unanswered(void **state)
{
    struct fixture *fixture = *state;
    const struct hl_log_list list = {.order = HL_LIST_OLDEST_UNANSWERED, .limit = 2};
    const uint64_t expected[] = {1, 4, 5, 3};
    uint64_t listed[64];

    for (uint64_t i = 1; i <= 6; i++) {
        (void)fixture_say(fixture, i, "a");
        hl_fake_clock_advance(&fixture->clock, 10);
    }
    (void)act(fixture, 2, HL_ENTRY_MESSAGE, "answered");
    (void)act(fixture, 3, HL_ENTRY_MESSAGE, "answered");
    (void)act(fixture, 6, HL_ENTRY_CLOSED, "closed");
    (void)fixture_say(fixture, 3, "again");
    check_list(listed, list_all(fixture, list, listed, 0), expected, 4);
    hl_fake_clock_advance(&fixture->clock, 10);
    (void)fixture_reopen(fixture);
    /* newcomers wait shortest: they come at the end, until the pages end */
    size_t n = list_all(fixture, list, listed, 100);
    assert_true(n >= 4);
    check_list(listed, 4, expected, 4);
}

static void test_list_filters(void **state)
{
    struct fixture *fixture = *state;
    const struct hl_log_list any = {.order = HL_LIST_NEWEST, .limit = 200};
    struct hl_log_list open = any;
    struct hl_log_list closed = any;
    struct hl_log_list site = any;
    struct hl_log_list free_ones = any;
    struct hl_log_list annas = any;
    struct hl_log_list waiting = any;
    uint64_t listed[16];

    for (uint64_t i = 1; i <= 6; i++) {
        struct hl_client_entry entry = {
            .conversation = hl_test_id(i), .mid = "a", .site = i % 2 == 0 ? "even" : "odd"};
        assert_int_equal(hl_log_client_submit(&fixture->client, &entry).r, 0);
    }
    (void)act(fixture, 1, HL_ENTRY_CLOSED, "c");
    (void)act(fixture, 4, HL_ENTRY_CLOSED, "c");
    (void)act(fixture, 4, HL_ENTRY_CLAIMED, "t");
    (void)act(fixture, 5, HL_ENTRY_CLAIMED, "t");
    open.status = HL_STATUS_OPEN;
    closed.status = HL_STATUS_CLOSED;
    memcpy(site.site, "even", 5);
    free_ones.unassigned_only = true;
    annas.assignee = anna.id;
    annas.status = HL_STATUS_OPEN;
    waiting.order = HL_LIST_OLDEST_UNANSWERED;
    waiting.unassigned_only = true;
    memcpy(waiting.site, "odd", 4);
    check_list(listed, list_all(fixture, any, listed, 0), (uint64_t[]){6, 5, 4, 3, 2, 1}, 6);
    check_list(listed, list_all(fixture, open, listed, 0), (uint64_t[]){6, 5, 3, 2}, 4);
    check_list(listed, list_all(fixture, closed, listed, 0), (uint64_t[]){4, 1}, 2);
    check_list(listed, list_all(fixture, site, listed, 0), (uint64_t[]){6, 4, 2}, 3);
    check_list(listed, list_all(fixture, free_ones, listed, 0), (uint64_t[]){6, 3, 2, 1}, 4);
    check_list(listed, list_all(fixture, annas, listed, 0), (uint64_t[]){5}, 1);
    check_list(listed, list_all(fixture, waiting, listed, 0), (uint64_t[]){3}, 1);
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
        cmocka_unit_test_setup_teardown(test_list_newest, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_list_oldest_unanswered, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_list_filters, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_marks_only_rise, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_info, fixture_setup, fixture_teardown),
    };

    if (argc != 2 || !fixture_select_engine(argv[1]))
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
}
