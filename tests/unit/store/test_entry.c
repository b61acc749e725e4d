#include "store/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_create_and_share(void **state)
{
    struct hl_entry_fields fields = {
        .author = {.role = HL_ROLE_VISITOR, .id = {{1}}},
        .conversation = {{2}},
        .kind = HL_ENTRY_MESSAGE,
        .mid = hl_bytes_of("m-1"),
        .body = hl_bytes_of("{\"text\":\"hi\"}"),
    };
    struct hl_entry *entry = hl_entry_create(&fields);

    (void)state;
    assert_non_null(entry);
    assert_true(hl_bytes_is(hl_entry_mid(entry), "m-1"));
    assert_true(hl_bytes_is(hl_entry_body(entry), "{\"text\":\"hi\"}"));
    assert_int_equal(entry->offset, 0);

    struct hl_batch *batch = hl_batch_create(7, 2);
    assert_non_null(batch);
    batch->entries[0] = hl_entry_ref(entry);
    hl_entry_unref(entry);
    assert_ptr_equal(hl_batch_ref(batch), batch);
    hl_batch_unref(batch);
    assert_int_equal(batch->entries[0]->mid_size, 3);
    hl_batch_unref(batch);
    hl_batch_unref(NULL);
    hl_entry_unref(NULL);
}

static void test_mids(void **state)
{
    char longest[HL_MID_SIZE_MAX + 1];

    (void)state;
    memset(longest, 'x', sizeof(longest));
    assert_true(hl_mid_is_valid(hl_bytes_of("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")));
    assert_true(hl_mid_is_valid((struct hl_bytes){longest, HL_MID_SIZE_MAX}));
    assert_false(hl_mid_is_valid((struct hl_bytes){longest, HL_MID_SIZE_MAX + 1}));
    assert_false(hl_mid_is_valid(hl_bytes_of("")));
    assert_false(hl_mid_is_valid(hl_bytes_of("a b")));
    assert_false(hl_mid_is_valid(hl_bytes_of("a\x7f")));
    assert_false(hl_mid_is_valid(hl_bytes_of("\xc3\xa4")));
}

static void test_kind_names(void **state)
{
    (void)state;
    for (enum hl_entry_kind kind = HL_ENTRY_MESSAGE; kind < HL_ENTRY_KIND_END; kind++)
        assert_int_equal(hl_entry_kind_find(hl_bytes_of(hl_entry_kind_name(kind))), kind);
    assert_int_equal(hl_entry_kind_find(hl_bytes_of("messages")), HL_ENTRY_KIND_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_and_share),
        cmocka_unit_test(test_mids),
        cmocka_unit_test(test_kind_names),
    };

    return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
