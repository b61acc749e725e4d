#include "store/memory_state.h"

#include <stdlib.h>
#include <string.h>

#include "store/engine.h"

struct mid_key {
    struct hl_id conversation;
    struct hl_id author;
    uint8_t role;
    uint8_t mid_size;
    char mid[HL_MID_SIZE_MAX];
};

struct hl_memory_mid {
    struct mid_key key;
    struct hl_entry *entry; /* lent by its conversation */
    UT_hash_handle hh;
};

static struct mid_key make_mid_key(const struct hl_entry *entry)
{
    struct mid_key key;

    memset(&key, 0, sizeof(key)); /* compared as bytes */
    key.conversation = entry->conversation;
    key.author = entry->author.id;
    key.role = entry->author.role;
    key.mid_size = entry->mid_size;
    memcpy(key.mid, entry->mid, entry->mid_size);
    return key;
}

static struct hl_memory_mid *find_mid(struct hl_memory_state *state, const struct hl_entry *entry)
{
    struct mid_key key = make_mid_key(entry);
    struct hl_memory_mid *mid = NULL;

    HASH_FIND(hh, state->mids, &key, sizeof(key), mid);
    return mid;
}

static void push_entry(struct hl_entry ***entries, size_t *capacity, uint64_t n,
                       struct hl_entry *entry)
{
    if (n == *capacity) {
        *capacity = *capacity == 0 ? 8 : *capacity * 2;
        *entries = realloc(*entries, *capacity * sizeof(**entries));
        HL_CHECK(*entries != NULL);
    }
    (*entries)[n] = entry;
}

void hl_memory_state_init(struct hl_memory_state *state, uint64_t epoch)
{
    *state = (struct hl_memory_state){.epoch = epoch};
}

static void remove_conversation(struct hl_memory_state *state,
                                struct hl_memory_conversation *conversation)
{
    HASH_DELETE(by_id, state->by_id, conversation);
    if (conversation->state.reference[0] != '\0')
        HASH_DELETE(by_reference, state->by_reference, conversation);
    free(conversation->entries);
    free(conversation);
}

/* Forgets the newest entry of a conversation; its fold is the caller's to mend. */
static void pop_entry(struct hl_memory_state *state, struct hl_memory_conversation *conversation)
{
    struct hl_entry *entry = conversation->entries[--conversation->state.head];
    struct hl_memory_mid *mid = find_mid(state, entry);

    HL_CHECK(mid != NULL && mid->entry == entry);
    HASH_DEL(state->mids, mid);
    free(mid);
    hl_entry_unref(entry);
}

void hl_memory_state_fini(struct hl_memory_state *state)
{
    struct hl_memory_conversation *conversation = NULL;
    struct hl_memory_conversation *next = NULL;

    HASH_ITER(by_id, state->by_id, conversation, next)
    {
        while (conversation->state.head > 0)
            pop_entry(state, conversation);
        remove_conversation(state, conversation);
    }
    HL_CHECK(state->mids == NULL);
    free(state->entries);
    hl_memory_state_init(state, 0);
}

struct hl_memory_conversation *hl_memory_state_find(struct hl_memory_state *state,
                                                    const struct hl_id *id)
{
    struct hl_memory_conversation *conversation = NULL;

    HASH_FIND(by_id, state->by_id, id->b, sizeof(id->b), conversation);
    return conversation;
}

struct hl_memory_conversation *hl_memory_state_find_reference(struct hl_memory_state *state,
                                                              const char *reference)
{
    struct hl_memory_conversation *conversation = NULL;

    HASH_FIND(by_reference, state->by_reference, reference, strlen(reference), conversation);
    return conversation;
}

static uint64_t find_last_foreign(const struct hl_memory_conversation *conversation,
                                  const struct hl_author *author)
{
    uint64_t offset = conversation->state.head;

    while (offset > 0 && hl_author_equal(&conversation->entries[offset - 1]->author, author))
        offset--;
    return offset;
}

static struct hl_memory_conversation *add_conversation(struct hl_memory_state *state,
                                                       const struct hl_conversation *opened)
{
    struct hl_memory_conversation *conversation = calloc(1, sizeof(*conversation));

    HL_CHECK(conversation != NULL);
    conversation->state = *opened;
    conversation->opened = *opened;
    conversation->number = ++state->n_numbers;
    HASH_ADD(by_id, state->by_id, state.id, sizeof(struct hl_id), conversation);
    if (opened->reference[0] != '\0')
        HASH_ADD(by_reference, state->by_reference, state.reference, strlen(opened->reference),
                 conversation);
    return conversation;
}

static void append_entry(struct hl_memory_state *state, struct hl_memory_conversation *conversation,
                         struct hl_entry *entry, int64_t wall_ms)
{
    struct hl_memory_mid *mid = calloc(1, sizeof(*mid));

    HL_CHECK(mid != NULL);
    entry->offset = conversation->state.head + 1;
    entry->position = state->position + 1;
    entry->wall_ms = wall_ms;
    push_entry(&conversation->entries, &conversation->capacity, conversation->state.head,
               hl_entry_ref(entry));
    push_entry(&state->entries, &state->capacity, state->position, entry);
    state->position++;
    (void)hl_conversation_apply(&conversation->state, entry);
    entry->place = hl_conversation_place(&conversation->state);
    mid->key = make_mid_key(entry);
    mid->entry = entry;
    HASH_ADD(hh, state->mids, key, sizeof(mid->key), mid);
}

static struct hl_entry *copy_without_body(const struct hl_entry *entry)
{
    struct hl_entry *copy =
        hl_entry_create(&(struct hl_entry_fields){.conversation = entry->conversation,
                                                  .author = entry->author,
                                                  .kind = (enum hl_entry_kind)entry->kind,
                                                  .subject = entry->subject,
                                                  .mid = hl_entry_mid(entry),
                                                  .body = hl_bytes_of("{}")});

    HL_CHECK(copy != NULL);
    copy->is_erased = true;
    copy->place = entry->place;
    copy->offset = entry->offset;
    copy->position = entry->position;
    copy->wall_ms = entry->wall_ms;
    return copy;
}

/* Entries are shared and never written to: others take their places. */
static void erase_bodies(struct hl_memory_state *state, struct hl_memory_conversation *conversation)
{
    for (uint64_t i = 0; i + 1 < conversation->state.head; i++) {
        struct hl_entry *was = conversation->entries[i];
        struct hl_entry *copy = copy_without_body(was);
        find_mid(state, was)->entry = copy;
        conversation->entries[i] = copy;
        state->entries[copy->position - 1] = copy;
        hl_entry_unref(was);
    }
    memset(conversation->opened.identity, 0, sizeof(conversation->opened.identity));
}

static int repeat_submit(struct hl_log_submit *submit, const struct hl_entry *first)
{
    if (!hl_engine_same_content(submit->entry, first))
        return HL_LOG_MID_CONFLICT;
    submit->entry->offset = first->offset;
    submit->entry->position = first->position;
    submit->entry->wall_ms = first->wall_ms;
    hl_engine_fill_submit(submit, first, true);
    return 0;
}

int hl_memory_state_submit(struct hl_memory_state *state, struct hl_log_submit *submit,
                           int64_t wall_ms)
{
    struct hl_entry *entry = submit->entry;
    struct hl_memory_conversation *conversation = hl_memory_state_find(state, &entry->conversation);
    struct hl_memory_mid *mid = find_mid(state, entry);

    if (conversation == NULL && submit->opening == NULL)
        return HL_LOG_UNKNOWN;
    if (conversation != NULL)
        submit->conversation = conversation->state;
    else
        hl_engine_open_conversation(&entry->conversation, submit->opening, &submit->conversation);
    if (mid != NULL)
        return repeat_submit(submit, mid->entry);

    if (submit->conversation.is_erased)
        return HL_LOG_ERASED;
    uint64_t last_foreign =
        conversation == NULL ? 0 : find_last_foreign(conversation, &entry->author);
    int r = hl_engine_check_conditions(&submit->when, &submit->conversation, last_foreign);
    if (r != 0)
        return r;
    if (conversation == NULL) {
        const char *reference = submit->conversation.reference;
        if (reference[0] != '\0' && hl_memory_state_find_reference(state, reference) != NULL)
            return HL_LOG_REFERENCE_TAKEN;
        conversation = add_conversation(state, &submit->conversation);
    }
    append_entry(state, conversation, entry, wall_ms);
    if (entry->kind == HL_ENTRY_ERASED)
        erase_bodies(state, conversation);
    submit->conversation = conversation->state;
    hl_engine_fill_submit(submit, entry, false);
    return 0;
}

/* A batch of n entries from `entries`, each referenced. */
static struct hl_batch *copy_entries(const struct hl_memory_state *state,
                                     struct hl_entry *const *entries, size_t n)
{
    struct hl_batch *batch = hl_batch_create(state->epoch, n);

    HL_CHECK(batch != NULL);
    for (size_t i = 0; i < n; i++)
        batch->entries[i] = hl_entry_ref(entries[i]);
    return batch;
}

void hl_memory_state_read(struct hl_memory_state *state,
                          struct hl_memory_conversation *conversation, struct hl_log_read *read)
{
    const struct hl_conversation *is = &conversation->state;
    /* the page is (low, high] */
    uint64_t low = read->backward || read->after < is->floor ? is->floor : read->after;
    uint64_t high = is->head;
    size_t bytes = 0;

    if (read->backward && read->after > 0 && read->after <= high)
        high = read->after - 1;
    if (low > high)
        low = high;
    uint64_t from = read->backward ? high : low;
    uint64_t n = 0;
    while (n < high - low && n < read->limit) {
        uint64_t index = read->backward ? from - n - 1 : from + n;
        bytes += conversation->entries[index]->body_size;
        if (n > 0 && bytes > read->bytes_max)
            break;
        n++;
    }
    struct hl_entry *const *first = conversation->entries + (read->backward ? from - n : from);
    read->batch = copy_entries(state, first, n);
    read->found = *is;
    if (read->marks != NULL)
        hl_memory_state_marks(conversation, read->marks);
}

void hl_memory_state_marks(const struct hl_memory_conversation *conversation,
                           struct hl_log_marks *marks)
{
    marks->conversation = conversation->state.id;
    memcpy(marks->items, conversation->marks, conversation->n_marks * sizeof(marks->items[0]));
    marks->n_items = conversation->n_marks;
}

void hl_memory_state_scan(struct hl_memory_state *state, struct hl_log_scan *scan)
{
    struct hl_entry **page = calloc(scan->limit, sizeof(struct hl_entry *));
    size_t n = 0;
    size_t bytes = 0;

    HL_CHECK(page != NULL);
    for (uint64_t at = scan->after; at < state->position && n < scan->limit; at++) {
        struct hl_entry *entry = state->entries[at];
        if (entry->offset <= hl_memory_state_find(state, &entry->conversation)->state.floor)
            continue;
        bytes += entry->body_size;
        if (n > 0 && bytes > scan->bytes_max)
            break;
        page[n++] = entry;
    }
    scan->batch = copy_entries(state, page, n);
    scan->head = state->position;
    free(page);
}

bool hl_memory_state_mark(struct hl_memory_state *state, struct hl_log_mark *io_mark)
{
    struct hl_memory_conversation *conversation =
        hl_memory_state_find(state, &io_mark->conversation);
    struct hl_log_mark raised = *io_mark;

    if (conversation == NULL)
        return false;
    struct hl_log_mark *marks = conversation->marks;
    size_t n = conversation->n_marks;
    size_t at = 0;
    while (at < n && !hl_author_equal(&marks[at].participant, &io_mark->participant))
        at++;
    if (at < n) {
        raised = marks[at];
        if (!hl_engine_raise_mark(&raised, io_mark))
            return false;
    } else if (n == HL_MARKS_MAX) {
        at = 0; /* the one raised longest ago makes room */
    } else {
        conversation->n_marks = n = n + 1;
    }
    memmove(&marks[at], &marks[at + 1], (n - at - 1) * sizeof(marks[0]));
    marks[n - 1] = raised;
    *io_mark = raised;
    return true;
}

/* Folds a conversation again from the entries it has left. */
static void refold_conversation(struct hl_memory_conversation *conversation, uint64_t n_entries)
{
    const struct hl_conversation *was = &conversation->state;
    struct hl_conversation again = {.id = was->id,
                                    .inbox = conversation->opened.inbox,
                                    .floor = was->floor < n_entries ? was->floor : n_entries};

    memcpy(again.site, was->site, sizeof(again.site));
    memcpy(again.identity, conversation->opened.identity, sizeof(again.identity));
    memcpy(again.reference, was->reference, sizeof(again.reference));
    for (uint64_t i = 0; i < n_entries; i++)
        (void)hl_conversation_apply(&again, conversation->entries[i]);
    conversation->state = again;
    for (size_t i = 0; i < conversation->n_marks; i++) {
        struct hl_log_mark *mark = &conversation->marks[i];
        mark->delivered = mark->delivered < n_entries ? mark->delivered : n_entries;
        mark->read = mark->read < n_entries ? mark->read : n_entries;
    }
}

void hl_memory_state_roll_back(struct hl_memory_state *state, uint64_t position, uint64_t new_epoch)
{
    struct hl_memory_conversation *conversation = NULL;
    struct hl_memory_conversation *next = NULL;

    HASH_ITER(by_id, state->by_id, conversation, next)
    {
        uint64_t *head = &conversation->state.head;
        while (*head > 0 && conversation->entries[*head - 1]->position > position)
            pop_entry(state, conversation);
        if (*head == 0)
            remove_conversation(state, conversation);
        else
            refold_conversation(conversation, *head);
    }
    if (state->position > position)
        state->position = position;
    state->epoch = new_epoch;
}
