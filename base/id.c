#include "base/id.h"

#include <string.h>

struct hl_id hl_id_v7(int64_t wall_ms, const uint8_t random[10])
{
    uint64_t ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
    struct hl_id id;

    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(ms >> (8 * (5 - i)));
    memcpy(id.b + 6, random, 10);
    id.b[6] = (uint8_t)(0x70 | (id.b[6] & 0x0f)); /* version 7 */
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f)); /* variant 10 */
    return id;
}

bool hl_id_equal(const struct hl_id *a, const struct hl_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool hl_id_is_zero(const struct hl_id *id)
{
    static const struct hl_id zero;

    return hl_id_equal(id, &zero);
}

void hl_id_format(const struct hl_id *id, const char *prefix, char out_text[HL_ID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *text = out_text;

    memcpy(text, prefix, HL_ID_PREFIX_SIZE);
    text += HL_ID_PREFIX_SIZE;
    for (size_t i = 0; i < sizeof(id->b); i++) {
        *text++ = digits[id->b[i] >> 4];
        *text++ = digits[id->b[i] & 0x0f];
    }
    *text = '\0';
}

/* Lower case only: an id has one text. -1 if it is no digit. */
static int parse_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

int hl_id_parse(struct hl_bytes text, const char *prefix, struct hl_id *out_id)
{
    struct hl_id id;

    if (text.size != HL_ID_TEXT_SIZE - 1 || memcmp(text.data, prefix, HL_ID_PREFIX_SIZE) != 0)
        return HL_ID_INVALID;
    const char *digits = text.data + HL_ID_PREFIX_SIZE;
    for (size_t i = 0; i < sizeof(id.b); i++) {
        int high = parse_digit(digits[2 * i]);
        int low = parse_digit(digits[2 * i + 1]);
        if (high < 0 || low < 0)
            return HL_ID_INVALID;
        id.b[i] = (uint8_t)(high << 4 | low);
    }
    *out_id = id;
    return 0;
}
