#include "agent-api/feed/recent.h"

#include <string.h>

void hl_recent_init(struct hl_recent *recent)
{
    memset(recent, 0, sizeof(*recent));
    for (size_t i = 0; i < HL_RECENT_TEXTS; i++)
        hl_buffer_init(&recent->texts[i].text, HL_RECENT_TEXT_MAX * 2);
}

static void forget_all(struct hl_recent *recent)
{
    hl_batch_unref(recent->joined);
    recent->joined = NULL;
    for (size_t i = 0; i < HL_RECENT_BATCHES; i++) {
        hl_batch_unref(recent->batches[i]);
        recent->batches[i] = NULL;
    }
    for (size_t i = 0; i < HL_RECENT_TEXTS; i++) {
        hl_buffer_fini(&recent->texts[i].text);
        hl_buffer_init(&recent->texts[i].text, HL_RECENT_TEXT_MAX * 2);
        recent->texts[i].position = 0;
    }
}

void hl_recent_fini(struct hl_recent *recent)
{
    forget_all(recent);
}

void hl_recent_pass(struct hl_recent *recent, const struct hl_batch *batch)
{
    for (size_t i = 0; i < batch->n_entries; i++) {
        if (batch->entries[i]->kind == HL_ENTRY_ERASED)
            forget_all(recent);
    }
}

void hl_recent_add(struct hl_recent *recent, struct hl_batch *batch)
{
    hl_recent_pass(recent, batch);
    hl_batch_unref(recent->batches[recent->next]);
    recent->batches[recent->next] = hl_batch_ref(batch);
    recent->next = (recent->next + 1) % HL_RECENT_BATCHES;
}

static uint64_t last_of(const struct hl_batch *batch)
{
    return batch->entries[batch->n_entries - 1]->position;
}

static bool has(const struct hl_batch *batch, uint64_t position)
{
    return batch != NULL && batch->entries[0]->position <= position && last_of(batch) >= position;
}

static struct hl_batch *find_single(const struct hl_recent *recent, uint64_t position)
{
    for (size_t i = 0; i < HL_RECENT_BATCHES; i++) {
        if (has(recent->batches[i], position))
            return recent->batches[i];
    }
    return NULL;
}

void hl_recent_join(struct hl_recent *recent, uint64_t position)
{
    const struct hl_batch *batch;
    size_t n_entries = 0;
    hl_batch_unref(recent->joined);
    recent->joined = NULL;
    for (uint64_t at = position; (batch = find_single(recent, at)) != NULL; at = last_of(batch) + 1)
        n_entries += batch->n_entries;
    if (n_entries == 0)
        return;
    struct hl_batch *joined = hl_batch_create(find_single(recent, position)->epoch, n_entries);
    if (joined == NULL)
        return; /* they are given out one by one */
    size_t n = 0;
    for (uint64_t at = position; n < n_entries; at = last_of(batch) + 1) {
        batch = find_single(recent, at);
        for (size_t i = 0; i < batch->n_entries; i++)
            joined->entries[n++] = hl_entry_ref(batch->entries[i]);
    }
    recent->joined = joined;
}

const struct hl_batch *hl_recent_find(const struct hl_recent *recent, uint64_t position)
{
    return has(recent->joined, position) ? recent->joined : find_single(recent, position);
}

struct hl_buffer *hl_recent_text(struct hl_recent *recent, uint64_t position, size_t size)
{
    size_t slot = position % HL_RECENT_TEXTS;
    if (size > HL_RECENT_TEXT_MAX)
        return NULL;
    if (recent->texts[slot].position != position)
        hl_buffer_clear(&recent->texts[slot].text);
    recent->texts[slot].position = position;
    return &recent->texts[slot].text;
}
