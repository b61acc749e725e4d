#include "session/outbox.h"

#include "base/check.h"
#include "session/link.h"

void hl_outbox_init(struct hl_outbox *outbox, size_t size_max)
{
    *outbox = (struct hl_outbox){.n_frames = 0};
    hl_buffer_init(&outbox->text, size_max);
}

void hl_outbox_fini(struct hl_outbox *outbox)
{
    hl_buffer_fini(&outbox->text);
}

struct hl_buffer *hl_outbox_frame(struct hl_outbox *outbox)
{
    static const char scratch[HL_LINK_PRE];

    if (outbox->n_frames == 0) {
        hl_buffer_clear(&outbox->text);
        hl_buffer_append(&outbox->text, scratch, sizeof(scratch));
        hl_buffer_append(&outbox->text, "[", 1);
    } else {
        hl_buffer_append(&outbox->text, ",", 1);
    }
    outbox->n_frames++;
    return &outbox->text;
}

bool hl_outbox_send(struct hl_outbox *outbox, struct hl_link *link)
{
    size_t n_frames = outbox->n_frames;

    HL_CHECK(link->kind == HL_LINK_STREAM);
    outbox->n_frames = 0;
    if (n_frames == 0)
        return true;
    if (n_frames > 1)
        hl_buffer_append(&outbox->text, "]", 1);
    if (hl_buffer_failed(&outbox->text))
        return false;
    size_t start = n_frames > 1 ? HL_LINK_PRE : HL_LINK_PRE + 1;
    link->ops->send(link, (struct hl_bytes){outbox->text.data + start, outbox->text.size - start});
    return true;
}

void hl_outbox_clear(struct hl_outbox *outbox)
{
    outbox->n_frames = 0;
}
