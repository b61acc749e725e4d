#include "store/engine.h"

#include <string.h>

#include "base/check.h"

bool hl_engine_same_content(const struct hl_entry *a, const struct hl_entry *b)
{
    if (a->kind != b->kind || !hl_id_equal(&a->subject, &b->subject))
        return false;
    return a->is_erased || b->is_erased || hl_bytes_equal(hl_entry_body(a), hl_entry_body(b));
}

int hl_engine_check_conditions(const struct hl_log_conditions *when,
                               const struct hl_conversation *conversation, uint64_t last_foreign)
{
    if (when->has_if_seen && last_foreign > when->if_seen)
        return HL_LOG_STALE;
    if (when->if_unassigned && !hl_id_is_zero(&conversation->assignee))
        return HL_LOG_ASSIGNED;
    if (when->has_if_revision && conversation->revision != when->if_revision)
        return HL_LOG_REVISION;
    return 0;
}

void hl_engine_open_conversation(const struct hl_id *id, const struct hl_log_opening *opening,
                                 struct hl_conversation *out_conversation)
{
    HL_CHECK(opening->site.size <= HL_SITE_SIZE_MAX);
    HL_CHECK(opening->reference.size <= HL_REFERENCE_SIZE_MAX);
    HL_CHECK(opening->identity.size <= HL_IDENTITY_SIZE_MAX);
    *out_conversation =
        (struct hl_conversation){.id = *id, .status = HL_STATUS_OPEN, .inbox = opening->inbox};
    if (opening->identity.size > 0)
        memcpy(out_conversation->identity, opening->identity.data, opening->identity.size);
    if (opening->site.size > 0)
        memcpy(out_conversation->site, opening->site.data, opening->site.size);
    if (opening->reference.size > 0)
        memcpy(out_conversation->reference, opening->reference.data, opening->reference.size);
}

bool hl_engine_raise_mark(struct hl_log_mark *mark, const struct hl_log_mark *by)
{
    bool raised = false;

    if (by->delivered > mark->delivered) {
        mark->delivered = by->delivered;
        raised = true;
    }
    if (by->read > mark->read) {
        mark->read = by->read;
        raised = true;
    }
    return raised;
}

void hl_engine_fill_submit(struct hl_log_submit *submit, const struct hl_entry *entry,
                           bool duplicate)
{
    submit->offset = entry->offset;
    submit->position = entry->position;
    submit->wall_ms = entry->wall_ms;
    submit->duplicate = duplicate;
}
