/* gateway/signin/spent.h */
#include "gateway/signin/spent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct hl_id id_of(uint32_t number)
{
    struct hl_id id = {{0}};
    memcpy(id.b, &number, sizeof(number));
    return id;
}

static void test_once(void **state)
{
    struct hl_spent *spent;
    struct hl_id id = id_of(1);
    (void)state;
    assert_int_equal(hl_spent_create(&spent), 0);
    assert_false(hl_spent_has(spent, &id));
    assert_true(hl_spent_add(spent, &id, 100, 10));
    assert_true(hl_spent_has(spent, &id));
    assert_false(hl_spent_add(spent, &id, 100, 10));
    hl_spent_destroy(spent);
}

/* Full: what is over goes; if nothing is, what ends soonest. */
static void test_bounded(void **state)
{
    struct hl_spent *spent;
    struct hl_id first = id_of(0);
    struct hl_id second = id_of(1);
    struct hl_id last = id_of(HL_SPENT_MAX);
    (void)state;
    assert_int_equal(hl_spent_create(&spent), 0);
    for (uint32_t i = 0; i < HL_SPENT_MAX; i++) {
        struct hl_id id = id_of(i);
        assert_true(hl_spent_add(spent, &id, 1000 + i, 10));
    }
    assert_true(hl_spent_add(spent, &last, 100000, 10));
    assert_false(hl_spent_has(spent, &first));
    assert_true(hl_spent_has(spent, &second));
    assert_true(hl_spent_has(spent, &last));
    assert_true(hl_spent_add(spent, &first, 100000, 50000)); /* all the others are over */
    assert_false(hl_spent_has(spent, &second));
    assert_true(hl_spent_has(spent, &last));
    hl_spent_destroy(spent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
