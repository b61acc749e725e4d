#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct sim_conversation *sim_conversation_find(struct sim_world *world, const char *id,
                                               size_t *out_index)
{
    for (size_t i = 0; i < world->n_conversations; i++) {
        if (strcmp(world->conversations[i]->id, id) != 0)
            continue;
        *out_index = i;
        return world->conversations[i];
    }
    if (world->n_conversations == SIM_CONVERSATIONS)
        return NULL;
    struct sim_conversation *conversation = calloc(1, sizeof(*conversation));
    HL_CHECK(conversation != NULL && strlen(id) < sizeof(conversation->id));
    memcpy(conversation->id, id, strlen(id) + 1);
    *out_index = world->n_conversations;
    world->conversations[world->n_conversations++] = conversation;
    return conversation;
}

/* What was said names it; the mid of a bug's double does not count. */
static void copy_text(const struct hl_entry *entry, char out_text[SIM_MID_SIZE])
{
    json_t *body;

    HL_CHECK(hl_json_parse(hl_entry_body(entry), NULL, 0, &body) == 0);
    struct hl_bytes text = hl_bytes_of(json_string_value(json_object_get(body, "text")));
    HL_CHECK(text.size < SIM_MID_SIZE);
    memcpy(out_text, text.data, text.size);
    json_decref(body);
}

void sim_truth_add(struct sim_world *world, const struct hl_log_submit *submit)
{
    char id[SIM_ID_SIZE];
    size_t index;
    const struct hl_entry *entry = submit->entry;

    hl_id_format(&entry->conversation, HL_ID_CONVERSATION, id);
    struct sim_conversation *conversation = sim_conversation_find(world, id, &index);
    HL_CHECK(conversation != NULL && conversation->head < SIM_ENTRIES);
    if (submit->offset != conversation->head + 1)
        sim_fail(world, "density", "offset %llu after %llu", (unsigned long long)submit->offset,
                 (unsigned long long)conversation->head);
    struct sim_entry *truth = &conversation->entries[conversation->head++];
    *truth =
        (struct sim_entry){.is_note = entry->kind == HL_ENTRY_NOTE, .position = submit->position};
    copy_text(entry, truth->mid);
    world->position = submit->position;
}

const struct sim_mark *sim_mark_find(const struct sim_marks *marks, const char *participant)
{
    for (size_t i = 0; i < marks->n_items; i++) {
        if (strcmp(marks->items[i].participant, participant) == 0)
            return &marks->items[i];
    }
    return NULL;
}

void sim_mark_raise(struct sim_marks *marks, const char *participant, uint64_t delivered,
                    uint64_t read)
{
    size_t at = 0;

    while (at < marks->n_items && strcmp(marks->items[at].participant, participant) != 0)
        at++;
    HL_CHECK(at < HL_MARKS_MAX && strlen(participant) < SIM_ID_SIZE);
    struct sim_mark *mark = &marks->items[at];
    if (at == marks->n_items) {
        marks->n_items++;
        memcpy(mark->participant, participant, strlen(participant) + 1);
    }
    if (delivered > mark->delivered)
        mark->delivered = delivered;
    if (read > mark->read)
        mark->read = read;
}

static void lower_marks(struct sim_marks *marks, uint64_t head)
{
    for (size_t i = 0; i < marks->n_items; i++) {
        struct sim_mark *mark = &marks->items[i];
        mark->delivered = mark->delivered < head ? mark->delivered : head;
        mark->read = mark->read < head ? mark->read : head;
    }
}

void sim_truth_trim(struct sim_world *world, struct sim_conversation *conversation, uint64_t to)
{
    struct hl_id id;

    HL_CHECK(hl_id_parse(hl_bytes_of(conversation->id), HL_ID_CONVERSATION, &id) == 0);
    if (to <= conversation->floor || to > conversation->head)
        return;
    conversation->floor = to;
    hl_log_memory_trim(world->engine, &id, to);
}

void sim_truth_roll_back(struct sim_world *world, uint64_t position)
{
    for (size_t i = 0; i < world->n_conversations; i++) {
        struct sim_conversation *conversation = world->conversations[i];
        while (conversation->head > 0 &&
               conversation->entries[conversation->head - 1].position > position)
            conversation->head--;
        lower_marks(&conversation->marks, conversation->head);
        if (conversation->head == 0)
            conversation->marks.n_items = 0;
        if (conversation->floor > conversation->head)
            conversation->floor = conversation->head;
    }
    world->position = position;
}

const struct sim_entry *sim_truth_at(const struct sim_conversation *conversation, uint64_t offset)
{
    if (offset == 0 || offset > conversation->head)
        return NULL;
    return &conversation->entries[offset - 1];
}

bool sim_truth_has(const struct sim_conversation *conversation, const char *mid, size_t *out_count)
{
    *out_count = 0;
    for (uint64_t i = 0; i < conversation->head; i++)
        *out_count += strcmp(conversation->entries[i].mid, mid) == 0;
    return *out_count > 0;
}
