#include "store/index/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "store/index/search.h"

static bool set_text(char **text, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return false;
    free(*text);
    *text = copy;
    return true;
}

struct hl_index_row *hl_index_row_create(const struct hl_id *id)
{
    struct hl_index_row *row = calloc(1, sizeof(*row));

    if (row == NULL)
        return NULL;
    row->state.id = *id;
    if (set_text(&row->tags, "[]") && set_text(&row->custom_fields, "{}") &&
        set_text(&row->context, ""))
        return row;
    hl_index_row_free(row);
    return NULL;
}

void hl_index_row_free(struct hl_index_row *row)
{
    if (row == NULL)
        return;
    free(row->tags);
    free(row->custom_fields);
    free(row->context);
    free(row);
}

static void copy_text(char *out, size_t out_size, struct hl_bytes text)
{
    struct hl_bytes cut = hl_index_cut(text, out_size - 1);

    if (cut.size > 0)
        memcpy(out, cut.data, cut.size);
    out[cut.size] = '\0';
}

static void tell_person(struct hl_index_row *row, char *out, struct hl_bytes told)
{
    if (told.size == 0 || hl_bytes_equal(told, hl_bytes_of(out)))
        return;
    copy_text(out, HL_INDEX_PERSON_SIZE_MAX + 1, told);
    row->person_changed = true;
    row->is_changed = true;
}

static void apply_person(struct hl_index_row *row, const struct hl_entry *entry,
                         const struct hl_index_body *body)
{
    tell_person(row, row->name, body->name);
    tell_person(row, row->email, body->email);
    tell_person(row, row->phone, body->phone);
    if (entry->author.role != HL_ROLE_VISITOR)
        return;
    row->seen_ms = entry->wall_ms;
    if (!hl_id_is_zero(&row->visitor))
        return;
    row->visitor = entry->author.id;
    row->is_changed = true;
}

/* What is to be merged may have come before: an entry tells it once. */
static int apply_objects(struct hl_index_row *row, const struct hl_index_body *body)
{
    const struct {
        char **text;
        const json_t *patch;
    } merges[] = {{&row->context, body->context}, {&row->custom_fields, body->custom_fields}};
    struct hl_buffer tags;

    for (size_t i = 0; i < sizeof(merges) / sizeof(merges[0]); i++) {
        char *merged =
            merges[i].patch == NULL ? NULL : hl_index_body_merge(*merges[i].text, merges[i].patch);
        if (merged == NULL)
            continue;
        free(*merges[i].text);
        *merges[i].text = merged;
        row->is_changed = true;
    }
    if (body->tags == NULL)
        return 0;
    row->tags_changed = true;
    row->is_changed = true;
    hl_buffer_init(&tags, HL_INDEX_OBJECT_SIZE_MAX);
    hl_json_append_canonical(&tags, body->tags);
    hl_buffer_append(&tags, "", 1);
    bool is_set = hl_buffer_failed(&tags) || set_text(&row->tags, tags.data);
    hl_buffer_fini(&tags);
    return is_set ? 0 : -ENOMEM;
}

static void apply_word(struct hl_index_row *row, const struct hl_entry *entry,
                       const struct hl_index_body *body)
{
    if (entry->kind != HL_ENTRY_MESSAGE && entry->kind != HL_ENTRY_FORM)
        return;
    row->last_offset = entry->offset;
    row->last_role = entry->author.role;
    row->last_ms = entry->wall_ms;
    copy_text(row->excerpt, sizeof(row->excerpt), body->text);
    if (entry->kind == HL_ENTRY_MESSAGE && entry->author.role == HL_ROLE_AGENT &&
        row->first_response_ms == 0) {
        row->first_response_ms = entry->wall_ms;
        row->is_changed = true;
    }
}

/* Forgets all that could tell of a person. */
static int erase_row(struct hl_index_row *row, int64_t wall_ms)
{
    if (!set_text(&row->tags, "[]") || !set_text(&row->custom_fields, "{}") ||
        !set_text(&row->context, ""))
        return -ENOMEM;
    memset(row->name, 0, sizeof(row->name));
    memset(row->email, 0, sizeof(row->email));
    memset(row->phone, 0, sizeof(row->phone));
    memset(row->excerpt, 0, sizeof(row->excerpt));
    memset(row->state.identity, 0, sizeof(row->state.identity));
    row->contact = (struct hl_id){{0}};
    row->visitor = (struct hl_id){{0}};
    row->state.is_erased = true;
    row->erased_ms = wall_ms;
    row->erased_now = true;
    row->last_offset = 0;
    row->last_role = 0;
    row->last_ms = 0;
    row->seen_ms = 0;
    return 0;
}

int hl_index_row_apply(struct hl_index_row *row, const struct hl_entry *entry,
                       const struct hl_index_body *body)
{
    HL_CHECK(entry->offset <= row->state.head + 1);
    if (entry->offset > row->state.head && hl_conversation_apply(&row->state, entry))
        row->is_changed = true;
    if (row->state.status == HL_STATUS_OPEN)
        row->closed_ms = 0;
    else if (row->closed_ms == 0)
        row->closed_ms = entry->wall_ms;
    if (entry->kind == HL_ENTRY_ERASED)
        return erase_row(row, entry->wall_ms);
    if (row->state.is_erased)
        return 0;
    apply_person(row, entry, body);
    apply_word(row, entry, body);
    return apply_objects(row, body);
}

/* 128 bits of a keyed hash of kind, site and value. */
static struct hl_id hash_contact(const uint8_t key[HL_HASH_KEY_SIZE], char kind, const char *site,
                                 struct hl_bytes value)
{
    char text[1 + HL_SITE_SIZE_MAX + 2 + HL_INDEX_PERSON_SIZE_MAX + 1];
    struct hl_id id;
    int head = snprintf(text, sizeof(text), "0%c%s", kind, site);

    HL_CHECK(head > 0 && (size_t)head + 1 + value.size <= sizeof(text));
    memcpy(text + head + 1, value.data, value.size); /* behind the NUL of the site */
    for (size_t half = 0; half < 2; half++) {
        text[0] = (char)('0' + half);
        uint64_t hash = hl_hash(key, text, (size_t)head + 1 + value.size);
        memcpy(id.b + 8 * half, &hash, sizeof(hash));
    }
    return id;
}

void hl_index_row_set_contact(struct hl_index_row *row, const uint8_t key[HL_HASH_KEY_SIZE])
{
    char folded[HL_INDEX_PERSON_SIZE_MAX + 1];
    const char *site = row->state.site;
    struct hl_bytes visitor = {(const char *)row->visitor.b, sizeof(row->visitor.b)};

    if (row->state.is_erased)
        return;
    if (row->state.identity[0] != '\0')
        row->contact = hash_contact(key, 'i', site, hl_bytes_of(row->state.identity));
    else if (hl_index_email_fold(hl_bytes_of(row->email), folded, sizeof(folded)))
        row->contact = hash_contact(key, 'e', site, hl_bytes_of(folded));
    else if (hl_index_phone_fold(hl_bytes_of(row->phone), folded, sizeof(folded)))
        row->contact = hash_contact(key, 'p', site, hl_bytes_of(folded));
    else if (!hl_id_is_zero(&row->visitor))
        row->contact = hash_contact(key, 'v', site, visitor);
}
