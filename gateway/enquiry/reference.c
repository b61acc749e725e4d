#include "gateway/enquiry/reference.h"

#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* no I, L, O, U */

static void format_reference(const char symbols[12], char out_reference[HL_REFERENCE_TEXT_SIZE])
{
    snprintf(out_reference, HL_REFERENCE_TEXT_SIZE, "HL-%.4s-%.4s-%.4s", symbols, symbols + 4,
             symbols + 8);
}

void hl_enquiry_names(const uint8_t reference_key[HL_SECRET_SIZE], struct hl_bytes site,
                      struct hl_bytes idempotency_key, struct hl_enquiry_names *out_names)
{
    uint8_t hash[64];
    char symbols[12];
    memset(out_names, 0, sizeof(*out_names));
    hl_secrets_derive(reference_key, "enquiry", site, idempotency_key, hash);
    memcpy(out_names->conversation.b, hash, 16);
    memcpy(out_names->participant.b, hash + 16, 16);
    for (size_t i = 0; i < 16; i++)
        snprintf(out_names->mid + 4 + 2 * i, 3, "%02x", hash[32 + i]);
    memcpy(out_names->mid, "enq-", 4);
    for (size_t i = 0; i < sizeof(symbols); i++)
        symbols[i] = digits[hash[48 + i] & 31];
    format_reference(symbols, out_names->reference);
}

static int symbol_of(char c)
{
    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    if (c == 'O')
        c = '0';
    if (c == 'I' || c == 'L')
        c = '1';
    const char *digit = c != '\0' ? strchr(digits, c) : NULL;
    return digit != NULL ? (int)(digit - digits) : -1;
}

bool hl_reference_parse(struct hl_bytes text, char out_reference[HL_REFERENCE_TEXT_SIZE])
{
    char symbols[12];
    size_t n_symbols = 0;
    if (text.size < 2 || (text.data[0] | 0x20) != 'h' || (text.data[1] | 0x20) != 'l')
        return false;
    for (size_t i = 2; i < text.size; i++) {
        int symbol = symbol_of(text.data[i]);
        if (text.data[i] == '-')
            continue;
        if (symbol < 0 || n_symbols == sizeof(symbols))
            return false;
        symbols[n_symbols++] = digits[symbol];
    }
    if (n_symbols != sizeof(symbols))
        return false;
    format_reference(symbols, out_reference);
    return true;
}
