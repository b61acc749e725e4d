#include "agent-api/percent.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hl_percent_decode(struct hl_bytes text, enum hl_percent_kind kind, char *out, size_t out_size)
{
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (c == '%') {
            int high = i + 2 < text.size ? hex_value(text.data[i + 1]) : -1;
            int low = i + 2 < text.size ? hex_value(text.data[i + 2]) : -1;

            if (high < 0 || low < 0)
                return HL_PERCENT_INVALID;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && kind == HL_PERCENT_FORM) {
            c = ' ';
        }
        if (c == '\0' || size + 1 >= out_size)
            return HL_PERCENT_INVALID;
        out[size++] = c;
    }
    out[size] = '\0';
    return 0;
}
