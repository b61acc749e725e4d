#include "agent-api/media.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void content_type_is_compared_without_parameters(void **state)
{
    (void)state;
    assert_true(hl_media_is(hl_bytes_of("application/json"), "application/json"));
    assert_true(hl_media_is(hl_bytes_of("Application/JSON ; charset=utf-8"), "application/json"));
    assert_false(hl_media_is(hl_bytes_of("application/json5"), "application/json"));
    assert_false(hl_media_is(hl_bytes_of("application"), "application/json"));
    assert_false(hl_media_is((struct hl_bytes){0}, "application/json"));
}

static void accept_chooses_the_best(void **state)
{
    static const char *const types[] = {"application/json", "application/x-ndjson", "text/html"};
    static const struct {
        const char *accept;
        int chosen;
    } cases[] = {
        {"", 0},
        {"*/*", 0},
        {"text/html", 2},
        {"TEXT/HTML", 2},
        {"text/*;q=0.5, application/json;q=0.4", 2},
        {"application/*;q=0.2,application/x-ndjson", 1},
        {"text/html;q=0.9, */*;q=0.1", 2},
        {"*/*;q=0.5, application/json;q=0", 1},
        {"application/json;q=0", -1},
        {"application/json;q=0.001", 0},
        {"image/png", -1},
        {"text/html;level=1;q=0.3, application/x-ndjson;q=0.31", 1},
        {",, ;, application/json;q=", 0},
        {"application/json; q=0.5; q=1", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(hl_media_choose(hl_bytes_of(cases[i].accept), types, 3), cases[i].chosen);
}

static void a_range_does_not_name_a_type(void **state)
{
    (void)state;
    assert_true(hl_media_names(hl_bytes_of("text/html, text/event-stream"), "text/event-stream"));
    assert_false(hl_media_names(hl_bytes_of("*/*"), "text/event-stream"));
    assert_false(hl_media_names(hl_bytes_of("text/*"), "text/event-stream"));
    assert_false(hl_media_names(hl_bytes_of("text/event-stream;q=0"), "text/event-stream"));
    assert_false(hl_media_names((struct hl_bytes){0}, "text/event-stream"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_type_is_compared_without_parameters),
        cmocka_unit_test(accept_chooses_the_best),
        cmocka_unit_test(a_range_does_not_name_a_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
