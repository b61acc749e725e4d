#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { CAPACITY_MIN = 64, DECIMAL_SIZE_MAX = 20 };

struct hl_bytes hl_bytes_of(const char *text)
{
    return (struct hl_bytes){.data = text, .size = strlen(text)};
}

bool hl_bytes_equal(struct hl_bytes a, struct hl_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool hl_bytes_is(struct hl_bytes bytes, const char *text)
{
    return hl_bytes_equal(bytes, hl_bytes_of(text));
}

struct hl_bytes hl_bytes_trim(struct hl_bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

void hl_buffer_init(struct hl_buffer *buffer, size_t size_max)
{
    *buffer = (struct hl_buffer){.size_max = size_max};
}

void hl_buffer_fini(struct hl_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct hl_buffer){.size_max = 0};
}

void hl_buffer_clear(struct hl_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

bool hl_buffer_failed(const struct hl_buffer *buffer)
{
    return buffer->failed;
}

/* Makes room for `size` more bytes; false, and the buffer failed, if that cannot be. */
static bool reserve_room(struct hl_buffer *buffer, size_t size)
{
    if (buffer->failed)
        return false;
    if (size <= buffer->capacity - buffer->size)
        return true;
    buffer->failed = true;
    if (size > buffer->size_max - buffer->size)
        return false;

    size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
    while (capacity < buffer->size + size)
        capacity = capacity > SIZE_MAX / 2 ? SIZE_MAX : capacity * 2;
    if (capacity > buffer->size_max)
        capacity = buffer->size_max;
    char *data = realloc(buffer->data, capacity);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    buffer->failed = false;
    return true;
}

void hl_buffer_append(struct hl_buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || !reserve_room(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void hl_buffer_append_bytes(struct hl_buffer *buffer, struct hl_bytes bytes)
{
    hl_buffer_append(buffer, bytes.data, bytes.size);
}

void hl_buffer_append_text(struct hl_buffer *buffer, const char *text)
{
    hl_buffer_append(buffer, text, strlen(text));
}

void hl_buffer_append_u64(struct hl_buffer *buffer, uint64_t value)
{
    char digits[DECIMAL_SIZE_MAX];
    size_t start = sizeof(digits);

    do {
        digits[--start] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    hl_buffer_append(buffer, digits + start, sizeof(digits) - start);
}

void hl_buffer_append_i64(struct hl_buffer *buffer, int64_t value)
{
    if (value >= 0) {
        hl_buffer_append_u64(buffer, (uint64_t)value);
        return;
    }
    hl_buffer_append(buffer, "-", 1);
    hl_buffer_append_u64(buffer, 0 - (uint64_t)value);
}

void hl_buffer_printf(struct hl_buffer *buffer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    HL_CHECK(size >= 0);
    /* vsnprintf ends its text with a NUL, which needs room but is not part of the contents */
    char text[256];
    char *target = (size_t)size < sizeof(text) ? text : malloc((size_t)size + 1);
    if (target == NULL) {
        buffer->failed = true;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(target, (size_t)size + 1, format, args);
    va_end(args);
    hl_buffer_append(buffer, target, (size_t)size);
    if (target != text)
        free(target);
}

struct hl_bytes hl_buffer_bytes(const struct hl_buffer *buffer)
{
    return (struct hl_bytes){.data = buffer->data, .size = buffer->size};
}
