/* session/frame.h: the body of POST /v1/poll. */
#include <string.h>

#include "base/check.h"
#include "session/frame.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hl_poll_request request;
    struct hl_fault fault;
    json_t *value = NULL;

    if (hl_json_parse(fuzz_text(data, size), NULL, 0, &value) != 0)
        return 0;
    memset(&fault, 0, sizeof fault);
    int r = hl_poll_request_decode(value, &request, &fault);
    if (r == 0) {
        HL_CHECK(request.rid <= HL_NUMBER_MAX && request.generation <= HL_NUMBER_MAX);
        HL_CHECK(hl_frame_n_positions(request.positions) <= HL_POSITIONS_MAX);
        HL_CHECK(request.frames == NULL || json_is_array(request.frames));
    } else {
        HL_CHECK(r == HL_FRAME_REFUSED);
        HL_CHECK(fault.detail != NULL && fault.code < HL_PROBLEM_END);
    }
    json_decref(value);
    return 0;
}
