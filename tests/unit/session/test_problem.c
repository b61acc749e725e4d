#include "session/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static void test_close_codes_are_classed(void **state)
{
    static const int first[] = {
        [HL_RETRY_NEVER] = 4000, [HL_RETRY_LATER] = 4100, [HL_RETRY_NOW] = 4200};

    (void)state;
    for (int code = 0; code < HL_PROBLEM_END; code++) {
        const struct hl_problem_kind *kind = hl_problem_kind((enum hl_problem_code)code);
        assert_in_range(kind->status, 400, 599);
        if (kind->close != 0)
            assert_in_range(kind->close, first[kind->retry], first[kind->retry] + 99);
        for (int other = 0; other < code; other++) {
            const struct hl_problem_kind *before = hl_problem_kind((enum hl_problem_code)other);
            assert_string_not_equal(kind->code, before->code);
            assert_true(kind->close == 0 || kind->close != before->close);
        }
    }
}

static void test_document(void **state)
{
    struct hl_problem problem = {.code = HL_PROBLEM_TOO_FAST,
                                 .detail = hl_bytes_of("Wait \"a bit\"."),
                                 .pointer = hl_bytes_of("/x"),
                                 .request_id = hl_bytes_of("req_1"),
                                 .retry_ms = 250,
                                 .extra = hl_bytes_of("\"more\":1")};
    struct hl_buffer out;

    (void)state;
    hl_buffer_init(&out, 1024);
    hl_problem_append(&out, &problem);
    json_t *value = NULL;
    assert_int_equal(hl_json_parse(hl_buffer_bytes(&out), NULL, 0, &value), 0);
    assert_string_equal(json_string_value(json_object_get(value, "code")), "too_fast");
    assert_int_equal(json_integer_value(json_object_get(value, "status")), 429);
    assert_true(json_is_true(json_object_get(value, "retryable")));
    assert_int_equal(json_integer_value(json_object_get(value, "retry_ms")), 250);
    assert_int_equal(json_integer_value(json_object_get(value, "more")), 1);
    assert_int_equal(json_array_size(json_object_get(value, "errors")), 1);
    json_decref(value);
    hl_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close_codes_are_classed),
        cmocka_unit_test(test_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
