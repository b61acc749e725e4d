#include "tests/history/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* First difference decides; events read earlier come first. */
static int order_event(const struct event *a, const struct event *b, int first, int second)
{
    if (first != 0)
        return first;
    return second != 0 ? second : (a > b) - (a < b);
}

static int order_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int first = compare(a->conversation, b->conversation);
    return first != 0 ? first : compare(a->offset, b->offset);
}

static int order_entry_mids(const void *left, const void *right)
{
    const struct entry *a = *(struct entry *const *)left, *b = *(struct entry *const *)right;
    int order = compare(a->conversation, b->conversation);
    if (order == 0)
        order = compare(a->mid, b->mid);
    if (order == 0)
        order = compare(a->author, b->author);
    return order != 0 ? order : compare(a->offset, b->offset);
}

static int order_client(const void *left, const void *right)
{
    const struct event *a = *(struct event *const *)left, *b = *(struct event *const *)right;
    return order_event(a, b, compare(a->client, b->client),
                       compare(a->conversation, b->conversation));
}

static int order_mid(const void *left, const void *right)
{
    const struct event *a = *(struct event *const *)left, *b = *(struct event *const *)right;
    return order_event(a, b, compare(a->conversation, b->conversation), compare(a->mid, b->mid));
}

static int order_place(const struct event *a, const struct event *b)
{
    int order = compare(a->conversation, b->conversation);
    if (order == 0)
        order = compare(a->epoch, b->epoch);
    return order != 0 ? order : compare(a->offset, b->offset);
}

static int order_told(const void *left, const void *right)
{
    const struct event *a = *(struct event *const *)left, *b = *(struct event *const *)right;
    return order_event(a, b, order_place(a, b), 0);
}

static int order_callback(const struct event *a, const struct event *b)
{
    int order = compare(a->client, b->client);
    if (order == 0)
        order = compare(a->conversation, b->conversation);
    return order != 0 ? order : compare(a->incarnation, b->incarnation);
}

int index_order_callback_offset(const void *left, const void *right)
{
    const struct event *a = *(struct event *const *)left, *b = *(struct event *const *)right;
    int order = order_callback(a, b);
    return order != 0 ? order : compare(a->offset, b->offset);
}

int index_order_callback_mid(const void *left, const void *right)
{
    const struct event *a = *(struct event *const *)left, *b = *(struct event *const *)right;
    int order = order_callback(a, b);
    if (order == 0)
        order = compare(a->author, b->author);
    return order != 0 ? order : compare(a->mid, b->mid);
}

static void *allocate(size_t n, size_t size)
{
    void *memory = calloc(n + 1, size);
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

/* OP_END: all events. */
static struct event **select_events(struct history *history, enum op op, index_order *order,
                                    size_t *out_n)
{
    struct event **selected = allocate(history->n_events, sizeof *selected);
    size_t n = 0;
    for (size_t i = 0; i < history->n_events; i++)
        if (op == OP_END || history->events[i].op == op)
            selected[n++] = &history->events[i];
    qsort(selected, n, sizeof *selected, order);
    *out_n = n;
    return selected;
}

void index_init(struct index *index, struct history *history)
{
    memset(index, 0, sizeof *index);
    index->history = history;
    index->n_entries = history->n_entries;
    if (history->n_entries > 0)
        qsort(history->entries, history->n_entries, sizeof(struct entry), order_entries);
    index->by_mid = allocate(history->n_entries, sizeof(struct entry *));
    index->visible = allocate(history->n_entries + 1, sizeof(int64_t));
    for (size_t i = 0; i < history->n_entries; i++) {
        index->by_mid[i] = &history->entries[i];
        index->visible[i + 1] = index->visible[i] + (history->entries[i].is_internal ? 0 : 1);
    }
    qsort(index->by_mid, history->n_entries, sizeof(struct entry *), order_entry_mids);
    index->by_client = select_events(history, OP_END, order_client, &index->n_events);
    index->sends = select_events(history, OP_SEND, order_mid, &index->n_sends);
    index->acks = select_events(history, OP_ACKED, order_mid, &index->n_acks);
    index->told = select_events(history, OP_DELIVER, order_told, &index->n_delivers);
}

void index_sort_delivers(struct index *index)
{
    index->by_callback_offset = allocate(index->n_delivers, sizeof(struct event *));
    index->by_callback_mid = allocate(index->n_delivers, sizeof(struct event *));
    memcpy(index->by_callback_offset, index->told, index->n_delivers * sizeof(struct event *));
    memcpy(index->by_callback_mid, index->told, index->n_delivers * sizeof(struct event *));
    qsort(index->by_callback_offset, index->n_delivers, sizeof(struct event *),
          index_order_callback_offset);
    qsort(index->by_callback_mid, index->n_delivers, sizeof(struct event *),
          index_order_callback_mid);
}

void index_fini(struct index *index)
{
    free(index->by_mid);
    free(index->visible);
    free(index->by_client);
    free(index->sends);
    free(index->acks);
    free(index->told);
    free(index->by_callback_offset);
    free(index->by_callback_mid);
}

static const struct event *find_mid_event(struct event *const *events, size_t n,
                                          uint32_t conversation, uint32_t mid)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct event *event = events[middle];
        int order = compare(event->conversation, conversation);
        if (order == 0)
            order = compare(event->mid, mid);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < n && events[low]->conversation == conversation && events[low]->mid == mid;
    return is_found ? events[low] : NULL;
}

const struct event *index_find_send(const struct index *index, uint32_t conversation, uint32_t mid)
{
    return find_mid_event(index->sends, index->n_sends, conversation, mid);
}

const struct event *index_find_ack(const struct index *index, uint32_t conversation, uint32_t mid)
{
    return find_mid_event(index->acks, index->n_acks, conversation, mid);
}

bool index_has_conversation(const struct index *index, uint32_t conversation)
{
    size_t low = 0, high = index->n_sends;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->sends[middle]->conversation < conversation)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->n_sends && index->sends[low]->conversation == conversation;
}

const struct event *index_find_told(const struct index *index, const struct event *event)
{
    size_t low = 0, high = index->n_delivers;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order_place(index->told[middle], event) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return index->told[low];
}

const struct entry *index_find_mid(const struct index *index, uint32_t conversation, uint32_t mid)
{
    size_t low = 0, high = index->n_entries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct entry *entry = index->by_mid[middle];
        int order = compare(entry->conversation, conversation);
        if (order == 0)
            order = compare(entry->mid, mid);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct entry *found = low < index->n_entries ? index->by_mid[low] : NULL;
    return found != NULL && found->conversation == conversation && found->mid == mid ? found : NULL;
}

/* Index of the first entry of the conversation with offset >= `offset`, or one past its end. */
static size_t find_place(const struct index *index, uint32_t conversation, int64_t offset)
{
    size_t low = 0, high = index->n_entries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct entry *entry = &index->history->entries[middle];
        int order = compare(entry->conversation, conversation);
        if (order == 0)
            order = compare(entry->offset, offset);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct entry *index_find_offset(const struct index *index, uint32_t conversation,
                                      int64_t offset)
{
    size_t place = find_place(index, conversation, offset);
    if (place == index->n_entries)
        return NULL;
    const struct entry *entry = &index->history->entries[place];
    return entry->conversation == conversation && entry->offset == offset ? entry : NULL;
}

int64_t index_head(const struct index *index, uint32_t conversation)
{
    size_t place = find_place(index, conversation, INT64_MAX);
    if (place == 0)
        return 0;
    const struct entry *entry = &index->history->entries[place - 1];
    return entry->conversation == conversation ? entry->offset : 0;
}

int64_t index_count_visible(const struct index *index, uint32_t conversation, int64_t after,
                            int64_t to, bool is_agent)
{
    if (to <= after)
        return 0;
    size_t from = find_place(index, conversation, after + 1);
    size_t end = find_place(index, conversation, to + 1);
    return is_agent ? (int64_t)(end - from) : index->visible[end] - index->visible[from];
}
