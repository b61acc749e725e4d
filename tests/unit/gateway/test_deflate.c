/* gateway/deflate.h: there and back, bounds, and streams that are none. */
#include "gateway/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int open_codec(void **state)
{
    struct hl_deflate *codec = NULL;
    int r = hl_deflate_create(&codec);

    *state = codec;
    return r;
}

static int close_codec(void **state)
{
    hl_deflate_destroy(*state);
    return 0;
}

static void check_round(struct hl_deflate *codec, const char *data, size_t size)
{
    struct hl_buffer packed;
    struct hl_buffer unpacked;

    hl_buffer_init(&packed, size + size / 1024 + 256);
    hl_buffer_init(&unpacked, size);
    hl_deflate_compress(codec, (struct hl_bytes){.data = data, .size = size}, &packed);
    assert_false(hl_buffer_failed(&packed));
    assert_int_equal(hl_deflate_expand(codec, hl_buffer_bytes(&packed), &unpacked), 0);
    assert_int_equal(unpacked.size, size);
    if (size > 0)
        assert_memory_equal(unpacked.data, data, size);
    hl_buffer_fini(&packed);
    hl_buffer_fini(&unpacked);
}

static void goes_there_and_back(void **state)
{
    static const size_t sizes[] = {0, 1, 5, 1023, 1024, 1025, 16384, 16385, 65536, 1000000};
    char *data = calloc(1, 1000000);
    uint32_t noise = 1;

    assert_non_null(data);
    for (size_t kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
            check_round(*state, data, sizes[i]);
        for (size_t i = 0; i < 1000000; i++) {
            noise = noise * 1664525 + 1013904223;
            data[i] = (char)(noise >> 24);
        }
    }
    free(data);
}

static void stops_at_the_bound(void **state)
{
    char *zeros = calloc(1, 1000000);
    struct hl_buffer packed;
    struct hl_buffer unpacked;

    assert_non_null(zeros);
    hl_buffer_init(&packed, 65536);
    hl_buffer_init(&unpacked, 65536);
    hl_deflate_compress(*state, (struct hl_bytes){.data = zeros, .size = 65536}, &packed);
    assert_int_equal(hl_deflate_expand(*state, hl_buffer_bytes(&packed), &unpacked), 0);
    hl_buffer_clear(&packed);
    hl_buffer_clear(&unpacked);
    hl_deflate_compress(*state, (struct hl_bytes){.data = zeros, .size = 1000000}, &packed);
    assert_int_equal(hl_deflate_expand(*state, hl_buffer_bytes(&packed), &unpacked),
                     HL_DEFLATE_TOO_LARGE);
    hl_buffer_fini(&packed);
    hl_buffer_fini(&unpacked);
    free(zeros);
}

static void refuses_what_is_no_stream(void **state)
{
    struct hl_buffer unpacked;

    hl_buffer_init(&unpacked, 65536);
    assert_int_equal(hl_deflate_expand(*state, hl_bytes_of("\xff\xff\xff\xff"), &unpacked),
                     HL_DEFLATE_INVALID);
    check_round(*state, "the codec is as good as new", 27);
    hl_buffer_fini(&unpacked);
}

/* The example of RFC 7692 section 7.2.3.4, and two final blocks in one message. */
static void reads_on_after_a_final_block(void **state)
{
    static const char once[] = "\xf3\x48\xcd\xc9\xc9\x07\x00";
    static const char twice[] = "\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00";
    struct hl_buffer unpacked;

    /* the terminating NUL is the octet that the sender adds */
    hl_buffer_init(&unpacked, 64);
    assert_int_equal(
        hl_deflate_expand(*state, (struct hl_bytes){.data = once, .size = sizeof(once)}, &unpacked),
        0);
    assert_true(hl_bytes_is(hl_buffer_bytes(&unpacked), "Hello"));
    hl_buffer_clear(&unpacked);
    assert_int_equal(hl_deflate_expand(*state,
                                       (struct hl_bytes){.data = twice, .size = sizeof(twice)},
                                       &unpacked),
                     0);
    assert_true(hl_bytes_is(hl_buffer_bytes(&unpacked), "HelloHello"));
    hl_buffer_fini(&unpacked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_there_and_back),
        cmocka_unit_test(stops_at_the_bound),
        cmocka_unit_test(refuses_what_is_no_stream),
        cmocka_unit_test(reads_on_after_a_final_block),
    };

    return cmocka_run_group_tests(tests, open_codec, close_codec);
}
