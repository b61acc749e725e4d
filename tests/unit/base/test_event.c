#include "base/event.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"

static char captured[8192];

/* Standard error goes to a pipe between these two. */
static int pipe_ends[2];
static int saved_stderr;

static void begin_capture(void)
{
    assert_int_equal(pipe(pipe_ends), 0);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(saved_stderr >= 0);
    assert_true(dup2(pipe_ends[1], STDERR_FILENO) >= 0);
}

static void end_capture(void)
{
    assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
    (void)close(saved_stderr);
    (void)close(pipe_ends[1]);
    ssize_t size = read(pipe_ends[0], captured, sizeof(captured) - 1);
    captured[size > 0 ? size : 0] = '\0';
    (void)close(pipe_ends[0]);
}

static void test_text(void **state)
{
    (void)state;
    hl_event_setup(HL_EVENT_INFO, HL_EVENT_FORMAT_TEXT);
    begin_capture();
    hl_event(HL_EVENT_WARN, "log.disk_low", HL_U64("free", 12), HL_I64("delta", -3),
             HL_TEXT("path", "/var/lib/x"), HL_TEXT("name", "two words"),
             HL_BYTES("raw", ((struct hl_bytes){"\x1b[31m\xff", 6})), HL_TEXT("c1", "\xc2\x9b"));
    hl_event(HL_EVENT_DEBUG, "log.hidden", HL_U64("n", 1));
    end_capture();
    assert_non_null(strstr(captured,
                           "level=warn event=log.disk_low free=12 delta=-3 "
                           "path=/var/lib/x name=\"two words\" raw=\"?[31m?\" c1=\"??\"\n"));
    assert_null(strstr(captured, "hidden"));
}

static void test_json(void **state)
{
    json_t *value = NULL;
    char huge[3000];

    (void)state;
    memset(huge, 'h', sizeof(huge));
    hl_event_setup(HL_EVENT_INFO, HL_EVENT_FORMAT_JSON);
    begin_capture();
    hl_event(HL_EVENT_ERROR, "log.failed", HL_TEXT("why", "a\n\"b\""), HL_U64("n", 7),
             HL_BYTES("h1", ((struct hl_bytes){huge, sizeof(huge)})),
             HL_BYTES("h2", ((struct hl_bytes){huge, sizeof(huge)})),
             HL_BYTES("h3", ((struct hl_bytes){huge, sizeof(huge)})),
             HL_BYTES("h4", ((struct hl_bytes){huge, sizeof(huge)})));
    end_capture();
    assert_int_equal(hl_json_parse(hl_bytes_of(captured), NULL, 0, &value), 0);
    assert_string_equal(json_string_value(json_object_get(value, "why")), "a\n\"b\"");
    assert_string_equal(json_string_value(json_object_get(value, "level")), "error");
    assert_int_equal(json_integer_value(json_object_get(value, "n")), 7);
    assert_non_null(json_object_get(value, "h1"));
    assert_null(json_object_get(value, "h4"));
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
