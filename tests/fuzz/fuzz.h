/* The entry point of a fuzz target, as libFuzzer names it. It must accept any bytes; what it
 * finds wrong it reports by HL_CHECK. */
#ifndef HL_TESTS_FUZZ_H
#define HL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* 0 */

static inline struct hl_bytes fuzz_text(const uint8_t *data, size_t size)
{
    return (struct hl_bytes){.data = (const char *)data, .size = size};
}

#endif
