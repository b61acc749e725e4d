/* Views of bytes, and buffers that cannot grow past a bound given at birth.
 * Thread: none of its own; a buffer belongs to one thread at a time. */
#ifndef HL_BASE_BYTES_H
#define HL_BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view: lent, never freed, not NUL-terminated. data may be NULL when size is 0. */
struct hl_bytes {
    const char *data;
    size_t size;
};

struct hl_bytes hl_bytes_of(const char *text); /* view of a NUL-terminated string */
bool hl_bytes_equal(struct hl_bytes a, struct hl_bytes b);
bool hl_bytes_is(struct hl_bytes bytes, const char *text);
struct hl_bytes hl_bytes_trim(struct hl_bytes text); /* without spaces and tabs around it */

/* A growing buffer with a maximum. Its failure is sticky: after an append that did not fit
 * (or ran out of memory) nothing more is written and hl_buffer_failed() stays true until
 * hl_buffer_clear(); an encoder appends freely and asks once at its end. */
struct hl_buffer {
    char *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    bool failed;
};

void hl_buffer_init(struct hl_buffer *buffer, size_t size_max); /* allocates nothing yet */
void hl_buffer_fini(struct hl_buffer *buffer);                  /* accepts a zeroed buffer */
void hl_buffer_clear(struct hl_buffer *buffer);                 /* keeps the memory */
bool hl_buffer_failed(const struct hl_buffer *buffer);
void hl_buffer_append(struct hl_buffer *buffer, const void *data, size_t size);
void hl_buffer_append_bytes(struct hl_buffer *buffer, struct hl_bytes bytes);
void hl_buffer_append_text(struct hl_buffer *buffer, const char *text);
void hl_buffer_append_u64(struct hl_buffer *buffer, uint64_t value); /* decimal, fast path */
void hl_buffer_append_i64(struct hl_buffer *buffer, int64_t value);
void hl_buffer_printf(struct hl_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct hl_bytes hl_buffer_bytes(const struct hl_buffer *buffer); /* view until next append */

#endif
