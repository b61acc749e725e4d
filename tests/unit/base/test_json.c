#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check_canonical(const char *text, const char *expected)
{
    struct hl_buffer buffer;
    json_t *value = NULL;
    char why[128] = "";

    if (hl_json_parse(hl_bytes_of(text), why, sizeof(why), &value) != 0)
        fail_msg("%s: %s", text, why);
    hl_buffer_init(&buffer, 65536);
    hl_json_append_canonical(&buffer, value);
    hl_buffer_append(&buffer, "", 1);
    assert_false(hl_buffer_failed(&buffer));
    assert_string_equal(buffer.data, expected);
    hl_buffer_fini(&buffer);
    json_decref(value);
}

static void test_canonical(void **state)
{
    (void)state;
    check_canonical(" { \"b\" : [1, -2.50, true,false , null], \"a\":{} } ",
                    "{\"a\":{},\"b\":[1,-2.5,true,false,null]}");
    check_canonical("\"\\u00e4\\n\\\"\\\\\\/\\u0001\"", "\"\xc3\xa4\\n\\\"\\\\/\\u0001\"");
    check_canonical("[1e3,0.1,-0.0,1e300]", "[1000.0,0.1,-0.0,1e+300]");
    check_canonical("9223372036854775807", "9223372036854775807");
    check_canonical("{\"r\":0,\"q\":0,\"p\":0,\"o\":0,\"n\":0,\"m\":0,\"l\":0,\"k\":0,\"j\":0,"
                    "\"i\":0,\"h\":0,\"g\":0,\"f\":0,\"e\":0,\"d\":0,\"c\":0,\"b\":0,\"a\":0}",
                    "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,"
                    "\"j\":0,\"k\":0,\"l\":0,\"m\":0,\"n\":0,\"o\":0,\"p\":0,\"q\":0,\"r\":0}");
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",    "{",       "{}{}",     "{\"a\":1,\"a\":2}", "{\"a\":1,}",
        "nan", "[1e999]", "\"\xff\"", "\"\\ud800\"",       "\"\\u0000\"",
        "01",  "'a'",     "// c\n1",  "\"a\nb\"",          "18446744073709551616",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *value = NULL;
        char why[128] = "";
        if (hl_json_parse(hl_bytes_of(texts[i]), why, sizeof(why), &value) != HL_JSON_INVALID)
            fail_msg("accepted: %s", texts[i]);
        assert_true(strlen(why) > 0);
    }
    json_t *value = NULL;
    assert_int_equal(hl_json_parse((struct hl_bytes){"1\0", 2}, NULL, 0, &value), HL_JSON_INVALID);
}

static void test_depth(void **state)
{
    char text[2 * (HL_JSON_DEPTH_MAX + 1)];
    json_t *value = NULL;
    size_t depth = HL_JSON_DEPTH_MAX;

    (void)state;
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    assert_int_equal(hl_json_parse((struct hl_bytes){text, 2 * depth}, NULL, 0, &value), 0);
    json_decref(value);
    depth++;
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    assert_int_equal(hl_json_parse((struct hl_bytes){text, 2 * depth}, NULL, 0, &value),
                     HL_JSON_INVALID);
    /* brackets in strings do not nest */
    char string[80];
    memset(string, '[', sizeof(string));
    string[0] = string[sizeof(string) - 1] = '"';
    assert_int_equal(hl_json_parse((struct hl_bytes){string, sizeof(string)}, NULL, 0, &value), 0);
    json_decref(value);
}

static void test_utf8(void **state)
{
    static const char *const good[] = {"",
                                       "plain text longer than a word",
                                       "\xc3\xa4",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xed\x9f\xbf",
                                       "\xf4\x8f\xbf\xbf",
                                       "12345678\xc2\xa0"};
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xc3",         "\xe2\x82",         "\xf0\x9f\x98",     "\xe2\x28\xa1",
        "12345678\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(hl_json_is_utf8(hl_bytes_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(hl_json_is_utf8(hl_bytes_of(bad[i])));
}

/* The reason goes into answers and logs: no piece of the text may come along, cut or whole. */
static void test_reason_quotes_nothing(void **state)
{
    static const char *const texts[] = {
        "[\"\\\xf0\x9f\x8c\x80\"]",
        "{\"secret\"}",
        "[secret]",
        "{\"secret\":1,\"secret\":2}",
        "[\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\n\"]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *value = NULL;
        char why[128] = "";

        assert_int_equal(hl_json_parse(hl_bytes_of(texts[i]), why, sizeof(why), &value),
                         HL_JSON_INVALID);
        assert_null(strstr(why, "secret"));
        assert_null(strstr(why, "near"));
        assert_true(hl_json_is_utf8(hl_bytes_of(why)));
        assert_non_null(strstr(why, "at byte"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_reason_quotes_nothing),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_utf8),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
