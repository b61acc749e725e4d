#include "tests/history/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static void *grow(void *memory, size_t n, size_t size)
{
    void *grown = realloc(memory, n * size);
    if (grown == NULL) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return grown;
}

static uint32_t hash_text(const char *text)
{
    uint32_t hash = 2166136261U;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    return hash;
}

static void widen_slots(struct names *names)
{
    names->n_slots = names->n_slots == 0 ? 1024 : names->n_slots * 2;
    free(names->slots);
    names->slots = grow(NULL, names->n_slots, sizeof(uint32_t));
    memset(names->slots, 0, names->n_slots * sizeof(uint32_t));
    for (uint32_t name = 1; name < names->n_texts; name++) {
        uint32_t slot = hash_text(names->texts[name]) & (names->n_slots - 1);
        while (names->slots[slot] != 0)
            slot = (slot + 1) & (names->n_slots - 1);
        names->slots[slot] = name;
    }
}

static uint32_t name_text(struct names *names, const char *text)
{
    if (text == NULL)
        return 0;
    if (names->n_texts * 2 >= names->n_slots)
        widen_slots(names);
    uint32_t slot = hash_text(text) & (names->n_slots - 1);
    while (names->slots[slot] != 0) {
        if (strcmp(names->texts[names->slots[slot]], text) == 0)
            return names->slots[slot];
        slot = (slot + 1) & (names->n_slots - 1);
    }
    if (names->n_texts == names->capacity) {
        names->capacity = names->capacity * 2 + 1024;
        names->texts = grow(names->texts, names->capacity, sizeof(char *));
    }
    names->texts[names->n_texts] = grow(NULL, strlen(text) + 1, 1);
    memcpy(names->texts[names->n_texts], text, strlen(text) + 1);
    names->slots[slot] = names->n_texts;
    return names->n_texts++;
}

void history_init(struct history *history)
{
    memset(history, 0, sizeof *history);
    history->names.capacity = 1024;
    history->names.texts = grow(NULL, history->names.capacity, sizeof(char *));
    history->names.texts[0] = NULL;
    history->names.n_texts = 1;
    widen_slots(&history->names);
}

void history_fini(struct history *history)
{
    for (uint32_t i = 1; i < history->names.n_texts; i++)
        free(history->names.texts[i]);
    free(history->names.texts);
    free(history->names.slots);
    free(history->files);
    free(history->events);
    free(history->entries);
}

const char *history_text(const struct history *history, uint32_t name)
{
    return name == 0 ? "-" : history->names.texts[name];
}

static uint32_t name_member(struct history *history, const json_t *object, const char *key)
{
    return name_text(&history->names, json_string_value(json_object_get(object, key)));
}

static int64_t number_member(const json_t *object, const char *key, int64_t absent)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : absent;
}

static bool member_is(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL && strcmp(value, text) == 0;
}

static enum op find_op(const json_t *object)
{
    static const char *const ops[OP_END] = {
        [OP_OTHER] = "",          [OP_SEND] = "send",     [OP_ACKED] = "acked",
        [OP_REFUSED] = "refused", [OP_FAILED] = "failed", [OP_VERDICT] = "verdict",
        [OP_DELIVER] = "deliver", [OP_GAP] = "gap",       [OP_SYNCED] = "synced",
        [OP_START] = "start",     [OP_FINAL] = "final",
    };
    for (int op = OP_SEND; op < OP_END; op++)
        if (member_is(object, "op", ops[op]))
            return (enum op)op;
    return OP_OTHER;
}

static enum verdict find_verdict(const json_t *object)
{
    if (member_is(object, "verdict", "resumed"))
        return VERDICT_RESUMED;
    if (member_is(object, "verdict", "gap"))
        return VERDICT_GAP;
    return member_is(object, "verdict", "reset") ? VERDICT_RESET : VERDICT_NONE;
}

/* Which members an op cannot be judged without. */
static bool is_complete(const struct event *event)
{
    bool needs_mid = event->op == OP_SEND || event->op == OP_ACKED || event->op == OP_FAILED ||
                     event->op == OP_DELIVER;
    bool needs_offset = event->op != OP_SEND && event->op != OP_FAILED && event->op != OP_REFUSED;
    bool needs_body = event->op == OP_SEND || event->op == OP_DELIVER;
    if (event->client == 0 || event->conversation == 0)
        return event->op == OP_REFUSED;
    return !(needs_mid && event->mid == 0) && !(needs_offset && event->offset < 0) &&
           !(needs_body && event->body == 0) &&
           !(event->op == OP_VERDICT && event->verdict == VERDICT_NONE);
}

static int add_event(struct history *history, const json_t *object, uint32_t file, uint32_t line)
{
    enum op op = find_op(object);
    if (op == OP_OTHER)
        return 0;
    const char *offset_key = op == OP_VERDICT ? "pos" : op == OP_GAP ? "to" : "o";
    struct event event = {
        .op = op,
        .verdict = find_verdict(object),
        .file = file,
        .line = line,
        .client = name_member(history, object, "client"),
        .conversation = name_member(history, object, "c"),
        .mid = name_member(history, object, "mid"),
        .author = name_member(history, object, "author"),
        .body = name_member(history, object, "body"),
        .epoch = name_member(history, object, "e"),
        .my_epoch = name_member(history, object, "pe"),
        .offset = number_member(object, offset_key, -1),
        .head = number_member(object, "head", -1),
        .after = number_member(object, "after", -1),
        .is_agent = member_is(object, "role", "agent"),
    };
    if (!is_complete(&event))
        return -1;
    if (history->n_events == history->events_capacity) {
        history->events_capacity = history->events_capacity * 2 + 1024;
        history->events = grow(history->events, history->events_capacity, sizeof event);
    }
    history->events[history->n_events++] = event;
    return 0;
}

static int add_entry(struct history *history, const json_t *object, uint32_t file, uint32_t line)
{
    bool has_kind = json_object_get(object, "kind") != NULL;
    bool is_internal = member_is(object, "kind", "note");
    struct entry entry = {
        .file = file,
        .line = line,
        .conversation = name_member(history, object, "c"),
        .mid = name_member(history, object, "mid"),
        .author = name_member(history, object, "author"),
        .body = name_member(history, object, "body"),
        .epoch = name_member(history, object, "e"),
        .offset = number_member(object, "o", -1),
        .is_internal = is_internal,
        .is_change = has_kind && !is_internal && !member_is(object, "kind", "message") &&
                     !member_is(object, "kind", "form"),
    };
    if (entry.conversation == 0 || entry.offset < 0 || (entry.mid == 0 && !entry.is_change))
        return -1;
    if (history->n_entries == history->entries_capacity) {
        history->entries_capacity = history->entries_capacity * 2 + 1024;
        history->entries = grow(history->entries, history->entries_capacity, sizeof entry);
    }
    history->entries[history->n_entries++] = entry;
    return 0;
}

typedef int add_line(struct history *history, const json_t *object, uint32_t file, uint32_t line);

static int read_lines(struct history *history, const char *path, add_line *add)
{
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        perror(path);
        return -1;
    }
    history->files = grow(history->files, history->n_files + 1, sizeof(char *));
    history->files[history->n_files] = path;
    uint32_t file = history->n_files++;
    char *text = NULL;
    size_t capacity = 0;
    uint32_t line = 0;
    int r = 0;
    for (ssize_t size; r == 0 && (size = getline(&text, &capacity, stream)) > 0;) {
        line++;
        if (text[0] == '\n')
            continue;
        json_t *object = json_loadb(text, (size_t)size, 0, NULL);
        r = json_is_object(object) ? add(history, object, file, line) : -1;
        json_decref(object);
    }
    if (r != 0)
        fprintf(stderr, "%s:%u: not a line of this format\n", path, line);
    free(text);
    fclose(stream);
    return r;
}

int history_read_events(struct history *history, const char *path)
{
    return read_lines(history, path, add_event);
}

int history_read_transcript(struct history *history, const char *path)
{
    history->has_transcript = true;
    return read_lines(history, path, add_entry);
}
