#include "store/mark_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/log_client.h"

static struct hl_log_mark make_mark(uint64_t conversation, uint64_t participant, uint64_t read)
{
    return (struct hl_log_mark){
        .conversation = hl_test_id(conversation),
        .participant = {.role = HL_ROLE_VISITOR, .id = hl_test_id(participant)},
        .delivered = read + 1,
        .read = read,
    };
}

static size_t raise_mark(struct hl_mark_table *table, uint64_t conversation, uint64_t participant,
                         uint64_t read)
{
    struct hl_log_mark mark = make_mark(conversation, participant, read);

    bool raised = false;
    size_t n = hl_mark_table_raise(table, &mark, &raised);
    assert_true(mark.read >= read);
    return n;
}

static void test_one_place_per_participant(void **state)
{
    struct hl_mark_table *table = NULL;
    size_t n_marks = 0;

    (void)state;
    assert_int_equal(hl_mark_table_create(&table), 0);
    for (uint64_t read = 0; read < 100; read++)
        assert_int_equal(raise_mark(table, 1, 2, read), 1);
    assert_int_equal(raise_mark(table, 1, 2, 5), 1); /* never falls */
    assert_int_equal(raise_mark(table, 1, 3, 7), 2);
    assert_int_equal(raise_mark(table, 2, 2, 8), 3);
    const struct hl_log_mark *marks = hl_mark_table_begin_flush(table, &n_marks);
    assert_int_equal(n_marks, 3);
    assert_int_equal(marks[0].read, 99);
    assert_int_equal(marks[0].delivered, 100);
    hl_mark_table_end_flush(table, true);
    (void)hl_mark_table_begin_flush(table, &n_marks);
    assert_int_equal(n_marks, 0);
    hl_mark_table_end_flush(table, true);
    hl_mark_table_destroy(table);
}

static void test_what_was_not_written_waits_again(void **state)
{
    struct hl_mark_table *table = NULL;
    size_t n_marks = 0;

    (void)state;
    assert_int_equal(hl_mark_table_create(&table), 0);
    (void)raise_mark(table, 1, 1, 5);
    (void)raise_mark(table, 1, 2, 5);
    (void)hl_mark_table_begin_flush(table, &n_marks);
    (void)raise_mark(table, 1, 1, 9); /* meanwhile */
    hl_mark_table_end_flush(table, false);
    const struct hl_log_mark *marks = hl_mark_table_begin_flush(table, &n_marks);
    assert_int_equal(n_marks, 2);
    assert_int_equal(marks[0].read, 9);
    assert_int_equal(marks[1].read, 5);
    hl_mark_table_end_flush(table, true);
    hl_mark_table_destroy(table);
}

static void test_overlay(void **state)
{
    struct hl_mark_table *table = NULL;
    struct hl_log_marks marks = {.conversation = hl_test_id(1), .n_items = 1};
    size_t n_marks = 0;

    (void)state;
    assert_int_equal(hl_mark_table_create(&table), 0);
    marks.items[0] = make_mark(1, 1, 3); /* as the disk says */
    (void)raise_mark(table, 1, 1, 4);
    (void)hl_mark_table_begin_flush(table, &n_marks); /* under way to the disk */
    (void)raise_mark(table, 1, 2, 6);
    (void)raise_mark(table, 9, 2, 7);
    hl_mark_table_overlay(table, &marks);
    assert_int_equal(marks.n_items, 2);
    assert_int_equal(marks.items[0].read, 4);
    assert_int_equal(marks.items[1].read, 6);
    hl_mark_table_end_flush(table, true);
    hl_mark_table_destroy(table);
}

static void test_full_table_drops(void **state)
{
    struct hl_mark_table *table = NULL;

    (void)state;
    assert_int_equal(hl_mark_table_create(&table), 0);
    for (uint64_t i = 1; i <= HL_MARK_TABLE_MAX; i++)
        assert_int_equal(raise_mark(table, i, 1, 1), i);
    assert_int_equal(raise_mark(table, HL_MARK_TABLE_MAX + 1, 1, 1), HL_MARK_TABLE_MAX);
    assert_int_equal(raise_mark(table, 1, 1, 2), HL_MARK_TABLE_MAX); /* known ones still rise */
    hl_mark_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_place_per_participant),
        cmocka_unit_test(test_what_was_not_written_waits_again),
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_full_table_drops),
    };

    return cmocka_run_group_tests_name("mark_table", tests, NULL, NULL);
}
