#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_version_7_of_rfc_9562(void **state)
{
    /* RFC 9562 appendix A.6 */
    static const uint8_t random[10] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
    struct hl_id id = hl_id_v7(0x017F22E279B0, random);
    char text[HL_ID_TEXT_SIZE];

    (void)state;
    hl_id_format(&id, HL_ID_CONVERSATION, text);
    assert_string_equal(text, "cnv_017f22e279b07cc398c4dc0c0c07398f");
    assert_false(hl_id_is_zero(&id));
}

static void test_text_and_back(void **state)
{
    struct hl_id id;
    struct hl_id same;
    char text[HL_ID_TEXT_SIZE];

    (void)state;
    for (int i = 0; i < 16; i++)
        id.b[i] = (uint8_t)(i * 17);
    hl_id_format(&id, HL_ID_VISITOR, text);
    assert_int_equal(hl_id_parse(hl_bytes_of(text), HL_ID_VISITOR, &same), 0);
    assert_true(hl_id_equal(&id, &same));
    assert_int_equal(hl_id_parse(hl_bytes_of(text), HL_ID_AGENT, &same), HL_ID_INVALID);
}

static void test_refuses_other_text(void **state)
{
    static const char *const texts[] = {
        "",
        "vis_",
        "vis_0011223344556677889900112233445",
        "vis_001122334455667788990011223344556",
        "vis_0011223344556677889900112233445g",
        "vis_0011223344556677889900112233445A",
        "vis-00112233445566778899001122334455",
    };
    struct hl_id id;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(hl_id_parse(hl_bytes_of(texts[i]), HL_ID_VISITOR, &id), HL_ID_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_7_of_rfc_9562),
        cmocka_unit_test(test_text_and_back),
        cmocka_unit_test(test_refuses_other_text),
    };

    return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
