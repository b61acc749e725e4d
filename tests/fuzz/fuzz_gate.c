/* gateway/gate.h: a head that is accepted lies within the input, and every part of it cut short
 * waits for more; so what is read never depends on how the bytes came in. */
#include "base/check.h"
#include "gateway/gate.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD_BYTES_MAX = 8192 };

static void check_within(struct hl_bytes input, struct hl_bytes view)
{
    if (view.size == 0)
        return;
    HL_CHECK(view.data >= input.data);
    HL_CHECK(view.data + view.size <= input.data + input.size);
}

static void check_head(struct hl_bytes input, const struct hl_gate_head *head)
{
    HL_CHECK(head->size > 0 && head->size <= input.size && head->size <= HEAD_BYTES_MAX);
    HL_CHECK(head->method < HL_METHOD_END);
    struct hl_bytes within = {.data = input.data, .size = head->size};
    check_within(within, head->path);
    check_within(within, head->query);
    check_within(within, head->upgrade.key);
    for (size_t i = 0; i < HL_HEADER_END; i++)
        check_within(within, head->headers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hl_bytes input = fuzz_text(data, size);
    struct hl_gate_head head;
    struct hl_gate_head again;
    struct hl_gate_refusal refusal = {.detail = NULL};

    int r = hl_gate_read(input, HEAD_BYTES_MAX, &head, &refusal);
    HL_CHECK(r == 0 || r == HL_GATE_MORE || r == HL_GATE_REFUSED);
    if (r == HL_GATE_REFUSED)
        HL_CHECK(refusal.detail != NULL && refusal.code < HL_PROBLEM_END);
    if (r != 0)
        return 0;
    check_head(input, &head);
    input.size = head.size;
    HL_CHECK(hl_gate_read(input, HEAD_BYTES_MAX, &again, &refusal) == 0);
    HL_CHECK(again.size == head.size && again.content_length == head.content_length);
    for (size_t cut = 0; cut < head.size; cut += 1 + cut / 8) {
        input.size = cut;
        HL_CHECK(hl_gate_read(input, HEAD_BYTES_MAX, &again, &refusal) == HL_GATE_MORE);
    }
    return 0;
}
