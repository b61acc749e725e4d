#include "store/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static const char *const kind_names[HL_ENTRY_KIND_END] = {
    [HL_ENTRY_MESSAGE] = "message",   [HL_ENTRY_NOTE] = "note",
    [HL_ENTRY_FORM] = "form",         [HL_ENTRY_CLAIMED] = "claimed",
    [HL_ENTRY_RELEASED] = "released", [HL_ENTRY_TRANSFERRED] = "transferred",
    [HL_ENTRY_CLOSED] = "closed",     [HL_ENTRY_REOPENED] = "reopened",
    [HL_ENTRY_UPDATED] = "updated",   [HL_ENTRY_RATED] = "rated",
    [HL_ENTRY_ERASED] = "erased",     [HL_ENTRY_MOVED] = "moved",
    [HL_ENTRY_AUDIT] = "audit",
};

struct hl_entry *hl_entry_create(const struct hl_entry_fields *fields)
{
    HL_CHECK(fields->mid.size <= HL_MID_SIZE_MAX);
    HL_CHECK(fields->body.size <= HL_ENTRY_BODY_SIZE_MAX);
    HL_CHECK(fields->kind >= HL_ENTRY_MESSAGE && fields->kind < HL_ENTRY_KIND_END);
    struct hl_entry *entry = malloc(sizeof(*entry) + fields->body.size);
    if (entry == NULL)
        return NULL;

    *entry = (struct hl_entry){
        .kind = (uint8_t)fields->kind,
        .author = fields->author,
        .conversation = fields->conversation,
        .subject = fields->subject,
        .mid_size = (uint8_t)fields->mid.size,
        .body_size = (uint32_t)fields->body.size,
    };
    atomic_init(&entry->refs, 1);
    if (fields->mid.size > 0)
        memcpy(entry->mid, fields->mid.data, fields->mid.size);
    if (fields->body.size > 0 && fields->body.data != NULL)
        memcpy(entry->body, fields->body.data, fields->body.size);
    return entry;
}

struct hl_entry *hl_entry_ref(struct hl_entry *entry)
{
    unsigned refs = atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);

    HL_CHECK(refs > 0);
    return entry;
}

void hl_entry_unref(struct hl_entry *entry)
{
    if (entry == NULL)
        return;
    unsigned refs = atomic_fetch_sub_explicit(&entry->refs, 1, memory_order_acq_rel);
    HL_CHECK(refs > 0);
    if (refs == 1)
        free(entry);
}

struct hl_bytes hl_entry_body(const struct hl_entry *entry)
{
    return (struct hl_bytes){.data = entry->body, .size = entry->body_size};
}

struct hl_bytes hl_entry_mid(const struct hl_entry *entry)
{
    return (struct hl_bytes){.data = entry->mid, .size = entry->mid_size};
}

bool hl_entry_is_internal(const struct hl_entry *entry)
{
    return entry->kind == HL_ENTRY_NOTE || entry->kind == HL_ENTRY_UPDATED ||
           entry->kind == HL_ENTRY_MOVED || entry->kind == HL_ENTRY_AUDIT;
}

bool hl_entry_is_open_to_visitors(const struct hl_entry *entry)
{
    if (entry->kind == HL_ENTRY_FORM)
        return entry->author.role == HL_ROLE_VISITOR;
    return entry->kind == HL_ENTRY_MESSAGE || entry->kind == HL_ENTRY_RATED;
}

bool hl_author_equal(const struct hl_author *a, const struct hl_author *b)
{
    return a->role == b->role && hl_id_equal(&a->id, &b->id);
}

bool hl_mid_is_valid(struct hl_bytes mid)
{
    if (mid.size == 0 || mid.size > HL_MID_SIZE_MAX)
        return false;
    for (size_t i = 0; i < mid.size; i++) {
        if (mid.data[i] <= 0x20 || mid.data[i] >= 0x7f)
            return false;
    }
    return true;
}

const char *hl_entry_kind_name(enum hl_entry_kind kind)
{
    HL_CHECK(kind >= HL_ENTRY_MESSAGE && kind < HL_ENTRY_KIND_END);
    return kind_names[kind];
}

enum hl_entry_kind hl_entry_kind_find(struct hl_bytes name)
{
    for (enum hl_entry_kind kind = HL_ENTRY_MESSAGE; kind < HL_ENTRY_KIND_END; kind++) {
        if (hl_bytes_is(name, kind_names[kind]))
            return kind;
    }
    return HL_ENTRY_KIND_END;
}

const char *hl_role_name(enum hl_role role)
{
    switch (role) {
    case HL_ROLE_VISITOR:
        return "visitor";
    case HL_ROLE_AGENT:
        return "agent";
    case HL_ROLE_INTEGRATION:
        return "integration";
    case HL_ROLE_SYSTEM:
        return "system";
    }
    HL_NEVER("a role");
}

struct hl_batch *hl_batch_create(uint64_t epoch, size_t n_entries)
{
    struct hl_batch *batch = calloc(1, sizeof(*batch) + n_entries * sizeof(batch->entries[0]));

    if (batch == NULL)
        return NULL;
    atomic_init(&batch->refs, 1);
    batch->epoch = epoch;
    batch->n_entries = n_entries;
    return batch;
}

struct hl_batch *hl_batch_ref(struct hl_batch *batch)
{
    unsigned refs = atomic_fetch_add_explicit(&batch->refs, 1, memory_order_relaxed);

    HL_CHECK(refs > 0);
    return batch;
}

void hl_batch_unref(struct hl_batch *batch)
{
    if (batch == NULL)
        return;
    unsigned refs = atomic_fetch_sub_explicit(&batch->refs, 1, memory_order_acq_rel);
    HL_CHECK(refs > 0);
    if (refs > 1)
        return;
    for (size_t i = 0; i < batch->n_entries; i++)
        hl_entry_unref(batch->entries[i]);
    free(batch);
}
