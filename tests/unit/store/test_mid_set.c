#include "store/mid_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_finds_every_tag(void **state)
{
    enum { N = 1000 };
    struct hl_mid_set set = {.n_tags = 0};
    uint32_t cursor = 0;

    (void)state;
    assert_int_equal(hl_mid_set_find(&set, 5, &cursor), 0);
    for (uint64_t i = 1; i <= N; i++) {
        assert_int_equal(hl_mid_set_reserve(&set, i), 0);
        hl_mid_set_add(&set, i * UINT64_C(0x9e3779b97f4a7c15));
    }
    for (uint64_t i = 1; i <= N; i++) {
        cursor = 0;
        assert_int_equal(hl_mid_set_find(&set, i * UINT64_C(0x9e3779b97f4a7c15), &cursor), i);
        assert_int_equal(hl_mid_set_find(&set, i * UINT64_C(0x9e3779b97f4a7c15), &cursor), 0);
    }
    cursor = 0;
    assert_int_equal(hl_mid_set_find(&set, 12345, &cursor), 0);
    hl_mid_set_fini(&set);
    assert_int_equal(hl_mid_set_memory(&set), 0);
}

static void test_equal_tags_are_all_found(void **state)
{
    struct hl_mid_set set = {.n_tags = 0};
    uint32_t cursor = 0;
    uint64_t sum = 0;

    (void)state;
    assert_int_equal(hl_mid_set_reserve(&set, 5), 0);
    for (uint64_t i = 1; i <= 5; i++)
        hl_mid_set_add(&set, i == 3 ? 8 : 7);
    for (uint64_t offset; (offset = hl_mid_set_find(&set, 7, &cursor)) != 0;)
        sum += offset;
    assert_int_equal(sum, 1 + 2 + 4 + 5);
    hl_mid_set_fini(&set);
}

static void test_blocks(void **state)
{
    struct hl_mid_set set = {.n_tags = 0};
    struct hl_mid_set same = {.n_tags = 0};
    uint8_t block[HL_MID_BLOCK_SIZE];

    (void)state;
    assert_int_equal(hl_mid_set_reserve(&set, 128), 0);
    assert_int_equal(hl_mid_set_reserve(&same, 128), 0);
    for (uint64_t i = 0; i < 128; i++)
        hl_mid_set_add(&set, i * i * UINT64_C(0x123456789abcdef));
    for (uint32_t n = 0; n < 2; n++) {
        hl_mid_set_pack_block(&set, n, block);
        hl_mid_set_add_block(&same, block);
    }
    assert_memory_equal(set.tags, same.tags, 128 * sizeof(set.tags[0]));
    hl_mid_set_pack_block(&set, 0, block);
    assert_int_equal(block[8], 0xef); /* little-endian */
    hl_mid_set_fini(&set);
    hl_mid_set_fini(&same);
}

static void test_tag_depends_on_everything(void **state)
{
    const uint8_t key[HL_HASH_KEY_SIZE] = {1};
    const uint8_t other_key[HL_HASH_KEY_SIZE] = {2};
    const struct hl_author visitor = {.role = HL_ROLE_VISITOR, .id = {{1}}};
    const struct hl_author other = {.role = HL_ROLE_VISITOR, .id = {{2}}};
    const struct hl_author agent = {.role = HL_ROLE_AGENT, .id = {{1}}};
    uint64_t tag = hl_mid_tag(key, &visitor, hl_bytes_of("m"));

    (void)state;
    assert_int_equal(tag, hl_mid_tag(key, &visitor, hl_bytes_of("m")));
    assert_int_not_equal(tag, hl_mid_tag(other_key, &visitor, hl_bytes_of("m")));
    assert_int_not_equal(tag, hl_mid_tag(key, &other, hl_bytes_of("m")));
    assert_int_not_equal(tag, hl_mid_tag(key, &agent, hl_bytes_of("m")));
    assert_int_not_equal(tag, hl_mid_tag(key, &visitor, hl_bytes_of("mm")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_every_tag),
        cmocka_unit_test(test_equal_tags_are_all_found),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_tag_depends_on_everything),
    };

    return cmocka_run_group_tests_name("mid_set", tests, NULL, NULL);
}
