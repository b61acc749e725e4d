#include "base/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"

/* Objects up to this many members are sorted without asking for memory. */
enum { MEMBERS_ON_STACK = 16, REAL_TEXT_SIZE = 32 };

static void write_reason(char *why, size_t why_size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void write_reason(char *why, size_t why_size, const char *format, ...)
{
    va_list args;

    if (why == NULL || why_size == 0)
        return;
    va_start(args, format);
    (void)vsnprintf(why, why_size, format, args);
    va_end(args);
    /* it may quote the text, and a cut may have split a character */
    for (char *c = why; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = '?';
    }
}

/* Position of the bracket that nests too deeply, or text.size. Looks at brackets outside of
 * strings only, so that it can run before the parser recurses. */
static size_t find_too_deep(struct hl_bytes text)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
            continue;
        }
        if (c == '"')
            in_string = true;
        else if ((c == '{' || c == '[') && ++depth > HL_JSON_DEPTH_MAX)
            return i;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return text.size;
}

int hl_json_parse(struct hl_bytes text, char *why, size_t why_size, json_t **out_value)
{
    size_t deep = find_too_deep(text);
    if (deep < text.size) {
        write_reason(why, why_size, "nested deeper than %d at byte %zu", (int)HL_JSON_DEPTH_MAX,
                     deep);
        return HL_JSON_INVALID;
    }
    /* jansson takes a NUL byte behind the value for its end */
    const char *nul = text.size == 0 ? NULL : memchr(text.data, '\0', text.size);
    if (nul != NULL) {
        write_reason(why, why_size, "NUL at byte %td", nul - text.data);
        return HL_JSON_INVALID;
    }
    json_error_t error;
    json_t *value = json_loadb(text.size == 0 ? "" : text.data, text.size,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL && json_error_code(&error) == json_error_out_of_memory)
        return -ENOMEM;
    if (value == NULL) {
        /* not what jansson quotes of the text: it may end within a character, and is the client's
         */
        const char *quote = strstr(error.text, " near '");
        int size = quote != NULL ? (int)(quote - error.text) : (int)strlen(error.text);

        write_reason(why, why_size, "%.*s at byte %d", size, error.text, error.position);
        return HL_JSON_INVALID;
    }
    *out_value = value;
    return 0;
}

static void append_real(struct hl_buffer *buffer, double real)
{
    char text[REAL_TEXT_SIZE];

    HL_CHECK(isfinite(real)); /* the parser refuses what overflows */
    /* the shortest text that reads back as the same number */
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, real);
        double back = strtod(text, NULL);
        if (memcmp(&back, &real, sizeof(real)) == 0)
            break;
    }
    hl_buffer_append_text(buffer, text);
    if (strpbrk(text, ".e") == NULL)
        hl_buffer_append_text(buffer, ".0");
}

struct member {
    const char *key;
    const json_t *value;
};

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void append_object(struct hl_buffer *buffer, const json_t *object)
{
    struct member on_stack[MEMBERS_ON_STACK];
    struct member *members = on_stack;
    size_t n_members = 0;

    if (json_object_size(object) > MEMBERS_ON_STACK)
        members = malloc(json_object_size(object) * sizeof(*members));
    if (members == NULL) {
        buffer->failed = true;
        return;
    }
    /* jansson iterates through pointers to non-const, but changes nothing */
    json_t *source = (json_t *)(uintptr_t)object;
    for (void *at = json_object_iter(source); at != NULL; at = json_object_iter_next(source, at))
        members[n_members++] =
            (struct member){.key = json_object_iter_key(at), .value = json_object_iter_value(at)};
    qsort(members, n_members, sizeof(*members), compare_members);

    hl_buffer_append(buffer, "{", 1);
    for (size_t i = 0; i < n_members; i++) {
        if (i > 0)
            hl_buffer_append(buffer, ",", 1);
        hl_json_append_string(buffer, hl_bytes_of(members[i].key));
        hl_buffer_append(buffer, ":", 1);
        hl_json_append_canonical(buffer, members[i].value);
    }
    hl_buffer_append(buffer, "}", 1);
    if (members != on_stack)
        free(members);
}

static void append_array(struct hl_buffer *buffer, const json_t *array)
{
    hl_buffer_append(buffer, "[", 1);
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            hl_buffer_append(buffer, ",", 1);
        hl_json_append_canonical(buffer, json_array_get(array, i));
    }
    hl_buffer_append(buffer, "]", 1);
}

void hl_json_append_canonical(struct hl_buffer *buffer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        append_object(buffer, value);
        break;
    case JSON_ARRAY:
        append_array(buffer, value);
        break;
    case JSON_STRING:
        hl_json_append_string(buffer, (struct hl_bytes){.data = json_string_value(value),
                                                        .size = json_string_length(value)});
        break;
    case JSON_INTEGER:
        hl_buffer_append_i64(buffer, json_integer_value(value));
        break;
    case JSON_REAL:
        append_real(buffer, json_real_value(value));
        break;
    case JSON_TRUE:
        hl_buffer_append_text(buffer, "true");
        break;
    case JSON_FALSE:
        hl_buffer_append_text(buffer, "false");
        break;
    case JSON_NULL:
        hl_buffer_append_text(buffer, "null");
        break;
    }
}

static void append_escape(struct hl_buffer *buffer, char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char short_from[] = "\"\\\b\f\n\r\t";
    static const char short_to[] = "\"\\bfnrt";
    const char *found = c == '\0' ? NULL : strchr(short_from, c);

    if (found != NULL) {
        char escape[2] = {'\\', short_to[found - short_from]};
        hl_buffer_append(buffer, escape, sizeof(escape));
        return;
    }
    unsigned char code = (unsigned char)c;
    char escape[6] = {'\\', 'u', '0', '0', digits[code >> 4], digits[code & 0x0f]};
    hl_buffer_append(buffer, escape, sizeof(escape));
}

void hl_json_append_string(struct hl_buffer *buffer, struct hl_bytes text)
{
    size_t plain = 0; /* start of the run that needs no escape */

    hl_buffer_append(buffer, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        hl_buffer_append(buffer, text.data + plain, i - plain);
        append_escape(buffer, text.data[i]);
        plain = i + 1;
    }
    if (plain < text.size)
        hl_buffer_append(buffer, text.data + plain, text.size - plain);
    hl_buffer_append(buffer, "\"", 1);
}

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Size of the valid sequence of two or more bytes at the start of `text`, or 0. */
static size_t measure_sequence(const unsigned char *text, size_t size)
{
    unsigned char lead = text[0];

    if (lead >= 0xc2 && lead <= 0xdf)
        return size >= 2 && is_continuation(text[1]) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (size < 3 || !is_continuation(text[1]) || !is_continuation(text[2]))
            return 0;
        bool overlong = lead == 0xe0 && text[1] < 0xa0;
        bool surrogate = lead == 0xed && text[1] > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (size < 4 || !is_continuation(text[1]) || !is_continuation(text[2]) ||
            !is_continuation(text[3]))
            return 0;
        bool overlong = lead == 0xf0 && text[1] < 0x90;
        bool beyond = lead == 0xf4 && text[1] > 0x8f;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

bool hl_json_is_utf8(struct hl_bytes text)
{
    const unsigned char *data = (const unsigned char *)text.data;
    size_t i = 0;

    while (i < text.size) {
        uint64_t word;
        if (text.size - i >= sizeof(word)) {
            memcpy(&word, data + i, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        size_t size = data[i] < 0x80 ? 1 : measure_sequence(data + i, text.size - i);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}
