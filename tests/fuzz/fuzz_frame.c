/* session/frame.h: a message of frames, as a WebSocket brings it. What is accepted keeps the bounds
 * its header names; what is refused says why. */
#include <string.h>

#include "base/check.h"
#include "session/frame.h"
#include "tests/fuzz/fuzz.h"

static void check_positions(const json_t *positions)
{
    size_t n_positions = hl_frame_n_positions(positions);

    HL_CHECK(n_positions <= HL_POSITIONS_MAX);
    for (size_t i = 0; i < n_positions; i++)
        HL_CHECK(hl_frame_position(positions, i).offset <= HL_NUMBER_MAX);
}

static void check_accepted(const struct hl_frame *frame)
{
    HL_CHECK(frame->type < HL_FRAME_END);
    HL_CHECK(hl_json_is_utf8(frame->name));
    switch (frame->type) {
    case HL_FRAME_HELLO:
        HL_CHECK(frame->hello.seq <= HL_NUMBER_MAX);
        check_positions(frame->hello.positions);
        break;
    case HL_FRAME_PUB:
        HL_CHECK(hl_mid_is_valid(frame->pub.mid));
        HL_CHECK(frame->pub.kind > 0 && frame->pub.kind < HL_ENTRY_KIND_END);
        HL_CHECK(json_is_object(frame->pub.body));
        break;
    case HL_FRAME_ACK:
        HL_CHECK(frame->ack.offset <= HL_NUMBER_MAX);
        break;
    case HL_FRAME_CREDIT:
        HL_CHECK(frame->credit >= 1 && frame->credit <= HL_CREDIT_MAX);
        break;
    default:
        break;
    }
}

static void decode(const json_t *value)
{
    struct hl_frame frame;
    struct hl_fault fault;

    memset(&fault, 0, sizeof fault);
    int r = hl_frame_decode(value, &frame, &fault);
    if (r == 0) {
        check_accepted(&frame);
        return;
    }
    HL_CHECK(r == HL_FRAME_REFUSED);
    HL_CHECK(fault.detail != NULL && fault.code < HL_PROBLEM_END);
    HL_CHECK(memchr(fault.pointer, '\0', sizeof fault.pointer) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *value = NULL;

    if (hl_json_parse(fuzz_text(data, size), NULL, 0, &value) != 0)
        return 0;
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++)
        decode(json_array_get(value, i));
    decode(value);
    json_decref(value);
    return 0;
}
