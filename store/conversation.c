#include "store/conversation.h"

#include <string.h>

#include "base/check.h"

/* 0 stands for "never" in the fold's times. */
static int64_t time_of(const struct hl_entry *entry)
{
    return entry->wall_ms != 0 ? entry->wall_ms : 1;
}

static bool set_status(struct hl_conversation *conversation, enum hl_status status)
{
    bool changed = conversation->status != status;

    conversation->status = (uint8_t)status;
    return changed;
}

static bool set_assignee(struct hl_conversation *conversation, const struct hl_id *assignee)
{
    bool changed = !hl_id_equal(&conversation->assignee, assignee);

    conversation->assignee = *assignee;
    return changed;
}

static bool set_waiting_since(struct hl_conversation *conversation, int64_t wall_ms)
{
    bool changed = conversation->waiting_since_ms != wall_ms;

    conversation->waiting_since_ms = wall_ms;
    return changed;
}

static bool apply_visitor_word(struct hl_conversation *conversation, const struct hl_entry *entry)
{
    bool reopened = set_status(conversation, HL_STATUS_OPEN);

    if (conversation->waiting_since_ms != 0)
        return reopened;
    return set_waiting_since(conversation, time_of(entry)) || reopened;
}

static bool apply_word(struct hl_conversation *conversation, const struct hl_entry *entry)
{
    if (entry->author.role == HL_ROLE_VISITOR)
        return apply_visitor_word(conversation, entry);
    if (entry->author.role == HL_ROLE_AGENT && entry->kind == HL_ENTRY_MESSAGE)
        return set_waiting_since(conversation, 0);
    return false;
}

static bool apply_assignment(struct hl_conversation *conversation, const struct hl_entry *entry)
{
    bool changed = set_assignee(conversation, &entry->subject);

    if (changed)
        conversation->claimed_ms = time_of(entry);
    return changed;
}

static bool apply_close(struct hl_conversation *conversation)
{
    bool ended = set_waiting_since(conversation, 0);

    return set_status(conversation, HL_STATUS_CLOSED) || ended;
}

static bool apply_move(struct hl_conversation *conversation, const struct hl_entry *entry)
{
    static const struct hl_id nobody;

    conversation->inbox = entry->subject;
    (void)set_assignee(conversation, &nobody);
    return true;
}

static bool apply_erasure(struct hl_conversation *conversation)
{
    (void)apply_close(conversation);
    memset(conversation->identity, 0, sizeof(conversation->identity));
    conversation->is_erased = true;
    return true;
}

static bool apply_kind(struct hl_conversation *conversation, const struct hl_entry *entry)
{
    static const struct hl_id nobody;

    switch ((enum hl_entry_kind)entry->kind) {
    case HL_ENTRY_MESSAGE:
    case HL_ENTRY_FORM:
        return apply_word(conversation, entry);
    case HL_ENTRY_CLAIMED:
    case HL_ENTRY_TRANSFERRED:
        return apply_assignment(conversation, entry);
    case HL_ENTRY_RELEASED:
        return set_assignee(conversation, &nobody);
    case HL_ENTRY_CLOSED:
        return apply_close(conversation);
    case HL_ENTRY_REOPENED:
        return set_status(conversation, HL_STATUS_OPEN);
    case HL_ENTRY_MOVED:
        return apply_move(conversation, entry);
    case HL_ENTRY_UPDATED:
        return true;
    case HL_ENTRY_ERASED:
        return apply_erasure(conversation);
    case HL_ENTRY_NOTE:
    case HL_ENTRY_RATED:
    case HL_ENTRY_AUDIT:
    case HL_ENTRY_KIND_END:
        return false;
    }
    return false; /* a kind of a newer holdline changes nothing that this one knows */
}

bool hl_conversation_apply(struct hl_conversation *conversation, const struct hl_entry *entry)
{
    bool first = conversation->head == 0;

    HL_CHECK(entry->offset == conversation->head + 1);
    HL_CHECK(hl_id_equal(&entry->conversation, &conversation->id));
    if (first) {
        conversation->status = HL_STATUS_OPEN;
        conversation->opened_ms = entry->wall_ms;
    }
    conversation->head = entry->offset;
    conversation->updated_ms = entry->wall_ms;
    bool changed = apply_kind(conversation, entry) || first;
    if (changed)
        conversation->revision = entry->offset;
    return changed;
}

const char *hl_status_name(enum hl_status status)
{
    switch (status) {
    case HL_STATUS_OPEN:
        return "open";
    case HL_STATUS_CLOSED:
        return "closed";
    }
    HL_NEVER("a status");
}

struct hl_place hl_conversation_place(const struct hl_conversation *conversation)
{
    struct hl_place place = {.inbox = conversation->inbox};
    memcpy(place.site, conversation->site, sizeof(place.site));
    return place;
}
