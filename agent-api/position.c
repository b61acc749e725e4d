#include "agent-api/position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/reply.h"

enum { TEXT_SIZE_MAX = 48 };

static bool parse_position(struct hl_bytes value, uint64_t *out_epoch, uint64_t *out_position)
{
    char text[TEXT_SIZE_MAX];
    char end = '\0';
    if (value.size >= sizeof(text))
        return false;
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    return strspn(text, "0123456789.") == value.size &&
           sscanf(text, "%16" SCNu64 ".%16" SCNu64 "%c", out_epoch, out_position, &end) == 2;
}

bool hl_position_check(struct hl_exchange *exchange, struct hl_log *log)
{
    struct hl_bytes value = exchange->headers[HL_HEADER_MIN_POSITION];
    struct hl_log_info info;
    uint64_t epoch = 0;
    uint64_t position = 0;
    if (value.size == 0)
        return true;
    if (!parse_position(value, &epoch, &position)) {
        hl_exchange_problem(exchange, HL_PROBLEM_BAD_REQUEST,
                            "Holdline-Min-Position is a Holdline-Position as given out.");
        return false;
    }
    hl_log_info(log, &info);
    if (epoch != info.epoch)
        hl_exchange_problem(exchange, HL_PROBLEM_CURSOR_EXPIRED,
                            "The position is of epoch %" PRIu64 ", this log is of epoch %" PRIu64
                            ": read again without it.",
                            epoch, info.epoch);
    else if (position > info.position)
        hl_exchange_problem(exchange, HL_PROBLEM_NODE_BEHIND,
                            "This node has come to position %" PRIu64 ".", info.position);
    else
        return true;
    return false;
}
