/* base/json.h: what is accepted has one canonical form, which is accepted again unchanged. */
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "tests/fuzz/fuzz.h"

enum { CANONICAL_SIZE_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[80];
    json_t *value = NULL;
    struct hl_buffer first;
    struct hl_buffer second;

    if (hl_json_parse(fuzz_text(data, size), why, sizeof why, &value) != 0) {
        HL_CHECK(memchr(why, '\0', sizeof why) != NULL);
        return 0;
    }
    HL_CHECK(hl_json_is_utf8(fuzz_text(data, size)));
    hl_buffer_init(&first, CANONICAL_SIZE_MAX);
    hl_buffer_init(&second, CANONICAL_SIZE_MAX);
    hl_json_append_canonical(&first, value);
    json_decref(value);
    if (!hl_buffer_failed(&first)) {
        HL_CHECK(hl_json_parse(hl_buffer_bytes(&first), NULL, 0, &value) == 0);
        hl_json_append_canonical(&second, value);
        json_decref(value);
        HL_CHECK(hl_bytes_equal(hl_buffer_bytes(&first), hl_buffer_bytes(&second)));
    }
    hl_buffer_fini(&first);
    hl_buffer_fini(&second);
    return 0;
}
