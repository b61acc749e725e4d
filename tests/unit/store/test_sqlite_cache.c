#include "store/sqlite/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/log_client.h"

static struct hl_sqlite_conversation *add(struct hl_sqlite_cache *cache, uint64_t number)
{
    struct hl_sqlite_conversation *conversation = calloc(1, sizeof(*conversation));

    assert_non_null(conversation);
    conversation->state.id = hl_test_id(number);
    hl_sqlite_cache_add(cache, conversation);
    return conversation;
}

static bool has(struct hl_sqlite_cache *cache, uint64_t number)
{
    struct hl_id id = hl_test_id(number);

    return hl_sqlite_cache_find(cache, &id) != NULL;
}

static void test_least_recently_used_goes_first(void **state)
{
    struct hl_sqlite_cache cache;

    (void)state;
    assert_int_equal(hl_sqlite_cache_init(&cache, 3, 1 << 20), 0);
    for (uint64_t i = 1; i <= 3; i++) {
        hl_sqlite_cache_begin_group(&cache);
        (void)add(&cache, i);
    }
    hl_sqlite_cache_begin_group(&cache);
    assert_true(has(&cache, 1));
    (void)add(&cache, 4);
    assert_true(has(&cache, 1) && has(&cache, 3) && has(&cache, 4));
    assert_false(has(&cache, 2));
    hl_sqlite_cache_fini(&cache);
}

static void test_a_group_keeps_what_it_touched(void **state)
{
    struct hl_sqlite_cache cache;

    (void)state;
    assert_int_equal(hl_sqlite_cache_init(&cache, 2, 1 << 20), 0);
    hl_sqlite_cache_begin_group(&cache);
    for (uint64_t i = 1; i <= 5; i++)
        (void)add(&cache, i);
    for (uint64_t i = 1; i <= 5; i++)
        assert_true(has(&cache, i));
    hl_sqlite_cache_begin_group(&cache);
    assert_int_equal(cache.n_conversations, 2);
    hl_sqlite_cache_fini(&cache);
}

static void test_a_rolled_back_group_is_forgotten(void **state)
{
    struct hl_sqlite_cache cache;

    (void)state;
    assert_int_equal(hl_sqlite_cache_init(&cache, 10, 1 << 20), 0);
    hl_sqlite_cache_begin_group(&cache);
    (void)add(&cache, 1);
    (void)add(&cache, 2);
    hl_sqlite_cache_begin_group(&cache);
    (void)add(&cache, 3);
    assert_true(has(&cache, 2));
    hl_sqlite_cache_drop_group(&cache);
    hl_sqlite_cache_begin_group(&cache);
    assert_true(has(&cache, 1));
    assert_false(has(&cache, 2));
    assert_false(has(&cache, 3));
    hl_sqlite_cache_fini(&cache);
}

/* What grows while it is cached is weighed again when its group has ended. */
static void test_bound_of_memory(void **state)
{
    struct hl_sqlite_cache cache;

    (void)state;
    assert_int_equal(hl_sqlite_cache_init(&cache, 100, 1 << 20), 0);
    hl_sqlite_cache_begin_group(&cache);
    (void)add(&cache, 1);
    struct hl_sqlite_conversation *large = add(&cache, 2);
    assert_int_equal(hl_mid_set_reserve(&large->mids, 100000), 0);
    hl_sqlite_cache_begin_group(&cache);
    assert_int_equal(cache.n_conversations, 0);
    assert_int_equal(cache.memory, 0);
    hl_sqlite_cache_fini(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least_recently_used_goes_first),
        cmocka_unit_test(test_a_group_keeps_what_it_touched),
        cmocka_unit_test(test_a_rolled_back_group_is_forgotten),
        cmocka_unit_test(test_bound_of_memory),
    };

    return cmocka_run_group_tests_name("sqlite_cache", tests, NULL, NULL);
}
