#include "store/index/applier.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "store/index/person.h"
#include "store/index/schema.h"
#include "store/index/table.h"

#define OFFSET_MAX ((UINT64_C(1) << HL_INDEX_OFFSET_BITS) - 1)

/* A text to be searched for, under its place: number of the conversation, then offset; offset 0
 * is the conversation's own card. */
struct hl_index_doc {
    int64_t place;
    const struct hl_index_row *row;
    bool is_card;
    struct hl_buffer words;
};

int hl_index_applier_init(struct hl_index_applier *applier, sqlite3 *db)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } table[HL_INDEX_APPLIER_STATEMENTS] = {
        {&applier->begin, "BEGIN IMMEDIATE"},
        {&applier->commit, "COMMIT"},
        {&applier->rollback, "ROLLBACK"},
        {&applier->set_position,
         "UPDATE meta SET position = ?1, needs_scrub = max(needs_scrub, ?2)"},
        {&applier->load, "SELECT " HL_INDEX_COLUMNS " FROM conversations c WHERE c.id = ?1"},
        {&applier->store, HL_INDEX_STORE_SQL},
        {&applier->store_end, HL_INDEX_STORE_END_SQL},
        {&applier->add_heard, "INSERT OR IGNORE INTO heard VALUES(?1, ?2)"},
        {&applier->add_voice, "INSERT INTO voices VALUES(?1, ?2, ?3) ON CONFLICT(number, agent) "
                              "DO UPDATE SET offset = excluded.offset"},
        {&applier->add_address, "INSERT OR IGNORE INTO addresses VALUES(?2, ?1)"},
        {&applier->add_tag, "INSERT OR IGNORE INTO tags(tag, number, site) VALUES(?2, ?1, ?3)"},
        {&applier->drop_tags, "DELETE FROM tags WHERE number = ?1"},
        {&applier->drop_heard, "DELETE FROM heard WHERE number = ?1"},
        {&applier->drop_voices, "DELETE FROM voices WHERE number = ?1"},
        {&applier->drop_addresses, "DELETE FROM addresses WHERE number = ?1"},
        {&applier->drop_texts, "DELETE FROM texts WHERE rowid BETWEEN ?1 AND ?2"},
        {&applier->find_site, "SELECT search_text FROM sites WHERE site = ?1"},
        {&applier->add_site, "INSERT INTO sites VALUES(?1, ?2)"},
        {&applier->add_text, "INSERT INTO texts(rowid, body) VALUES(?1, ?2)"},
        {&applier->drop_text, "DELETE FROM texts WHERE rowid = ?1"},
        {&applier->contact_parts, "SELECT site, name, email, phone, identity, opened_ms, seen_ms "
                                  "FROM conversations WHERE contact = ?1 ORDER BY number"},
        {&applier->find_contact,
         "SELECT number, name, email, phone, identity FROM contacts WHERE id = ?1"},
        {&applier->store_contact,
         "INSERT OR REPLACE INTO contacts VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"},
        {&applier->drop_contact, "DELETE FROM contacts WHERE id = ?1"},
        {&applier->add_person, "INSERT INTO people(rowid, body) VALUES(?1, ?2)"},
        {&applier->drop_person, "DELETE FROM people WHERE rowid = ?1"},
    };
    int64_t needs_scrub = 0;
    int r = 0;

    applier->db = db;
    for (size_t i = 0; r == 0 && i < HL_INDEX_APPLIER_STATEMENTS; i++) {
        r = hl_sqlite_prepare(db, table[i].sql, table[i].statement);
        applier->prepared[applier->n_prepared++] = *table[i].statement;
    }
    if (r == 0)
        r = hl_sqlite_query_integer(db, "SELECT needs_scrub FROM meta", &needs_scrub);
    applier->needs_scrub = needs_scrub != 0;
    return r;
}

static void forget_batch(struct hl_index_applier *applier)
{
    struct hl_index_row *row = NULL;
    struct hl_index_row *next = NULL;

    HASH_ITER(hh, applier->rows, row, next)
    {
        HASH_DEL(applier->rows, row);
        hl_index_row_free(row);
    }
    for (size_t i = 0; i < applier->n_docs; i++)
        hl_buffer_fini(&applier->docs[i].words);
    applier->n_docs = 0;
    applier->erased = false;
}

void hl_index_applier_fini(struct hl_index_applier *applier)
{
    forget_batch(applier);
    free(applier->docs);
    applier->docs = NULL;
    applier->docs_capacity = 0;
    for (size_t i = 0; i < applier->n_prepared; i++)
        (void)sqlite3_finalize(applier->prepared[i]);
    applier->n_prepared = 0;
    hl_index_file_close(applier->db);
    applier->db = NULL;
}

/* A conversation that the file does not have. */
static void open_row(const struct hl_entry *entry, struct hl_index_row *row)
{
    row->is_new = true;
    row->is_changed = true;
    row->person_changed = true;
    row->number = entry->position;
    row->asks_opening = entry->offset == 1;
    row->asks_state = entry->offset > 1; /* what came before was trimmed */
}

static int load_row(struct hl_index_applier *applier, const struct hl_entry *entry,
                    struct hl_index_row *row)
{
    hl_sqlite_bind_id(applier->load, 1, &entry->conversation);
    int r = hl_sqlite_step(applier->load);

    if (r == HL_SQLITE_NO_ROW) {
        open_row(entry, row);
        return 0;
    }
    if (r == 0)
        r = hl_index_row_load(applier->load, row);
    (void)sqlite3_reset(applier->load);
    row->asks_state = entry->offset > row->state.head + 1;
    return r;
}

static struct hl_index_row *row_of(struct hl_index_applier *applier, const struct hl_entry *entry)
{
    struct hl_index_row *row = NULL;

    HASH_FIND(hh, applier->rows, entry->conversation.b, sizeof(entry->conversation.b), row);
    return row;
}

static int load_rows(struct hl_index_applier *applier, const struct hl_batch *batch,
                     size_t *out_n_asked)
{
    for (size_t i = 0; i < batch->n_entries; i++) {
        if (row_of(applier, batch->entries[i]) != NULL)
            continue;
        struct hl_index_row *row = hl_index_row_create(&batch->entries[i]->conversation);
        int r = row == NULL ? -ENOMEM : load_row(applier, batch->entries[i], row);
        if (r != 0) {
            hl_index_row_free(row);
            return r;
        }
        *out_n_asked += row->asks_opening || row->asks_state ? 1 : 0;
        HASH_ADD(hh, applier->rows, state.id.b, sizeof(row->state.id.b), row);
    }
    return 0;
}

/* The log's own fold goes on where entries are missing; else only what no entry tells is taken,
 * since the log is ahead of this batch. */
static void fill_row(struct hl_index_row *row, const struct hl_conversation *found)
{
    if (row->asks_state) {
        row->state = *found;
        return;
    }
    memcpy(row->state.site, found->site, sizeof(found->site));
    memcpy(row->state.reference, found->reference, sizeof(found->reference));
    memcpy(row->state.identity, found->identity, sizeof(found->identity));
    row->state.inbox = found->inbox;
}

/* All at once: each answer of the log alone would cost two switches of threads. */
static int fill_rows(struct hl_index_applier *applier, size_t n_asked)
{
    struct hl_id *ids = calloc(n_asked, sizeof(*ids));
    struct hl_conversation *found = calloc(n_asked, sizeof(*found));
    int r = ids == NULL || found == NULL ? -ENOMEM : 0;
    size_t n = 0;

    for (struct hl_index_row *row = applier->rows; r == 0 && row != NULL; row = row->hh.next) {
        if (row->asks_opening || row->asks_state)
            ids[n++] = row->state.id;
    }
    if (r == 0)
        r = applier->find(applier->arg, ids, n_asked, found);
    n = 0;
    for (struct hl_index_row *row = applier->rows; r == 0 && row != NULL; row = row->hh.next) {
        if (row->asks_opening || row->asks_state)
            fill_row(row, &found[n++]);
    }
    free(ids);
    free(found);
    return r;
}

static struct hl_index_doc *add_doc(struct hl_index_applier *applier,
                                    const struct hl_index_row *row, uint64_t offset)
{
    if (applier->n_docs == applier->docs_capacity) {
        size_t capacity = applier->docs_capacity == 0 ? 64 : applier->docs_capacity * 2;
        struct hl_index_doc *docs = realloc(applier->docs, capacity * sizeof(*docs));
        if (docs == NULL)
            return NULL;
        applier->docs = docs;
        applier->docs_capacity = capacity;
    }
    struct hl_index_doc *doc = &applier->docs[applier->n_docs++];
    *doc = (struct hl_index_doc){
        .place = (int64_t)(row->number << HL_INDEX_OFFSET_BITS | offset),
        .row = row,
        .is_card = offset == 0,
    };
    hl_buffer_init(&doc->words, HL_INDEX_TEXT_SIZE_MAX);
    return doc;
}

/* Whether what is said on this site may be searched: as it was when the site was first seen. */
static int look_at_site(struct hl_index_applier *applier, const char *site, bool *out_is_searched)
{
    const struct hl_index_policy *policy = &applier->policy;

    hl_sqlite_bind_text(applier->find_site, 1, hl_bytes_of(site));
    int r = hl_sqlite_step(applier->find_site);
    if (r == 0) {
        *out_is_searched = sqlite3_column_int(applier->find_site, 0) != 0;
        (void)sqlite3_reset(applier->find_site);
        return 0;
    }
    if (r != HL_SQLITE_NO_ROW)
        return r;
    *out_is_searched = policy->search_text == NULL || policy->search_text(policy->arg, site);
    hl_sqlite_bind_text(applier->add_site, 1, hl_bytes_of(site));
    hl_sqlite_bind_integer(applier->add_site, 2, *out_is_searched ? 1 : 0);
    return hl_sqlite_finish(applier->add_site);
}

static int note_words(struct hl_index_applier *applier, const struct hl_entry *entry,
                      const struct hl_index_row *row, const struct hl_index_body *body)
{
    bool is_searched = false;
    int r = 0;

    if (body->json == NULL || entry->offset > OFFSET_MAX || row->state.is_erased)
        return 0;
    r = look_at_site(applier, row->state.site, &is_searched);
    if (r != 0 || !is_searched)
        return r;
    struct hl_index_doc *doc = add_doc(applier, row, entry->offset);
    if (doc == NULL)
        return -ENOMEM;
    hl_index_body_append_words(body, &doc->words);
    return hl_buffer_failed(&doc->words) ? -ENOMEM : 0;
}

static int note_email(struct hl_index_applier *applier, const struct hl_index_row *row,
                      const struct hl_index_body *body)
{
    char folded[HL_INDEX_PERSON_SIZE_MAX + 1];

    if (!hl_index_email_fold(body->email, folded, sizeof(folded)))
        return 0;
    hl_sqlite_bind_integer(applier->add_address, 1, (int64_t)row->number);
    hl_sqlite_bind_text(applier->add_address, 2, hl_bytes_of(folded));
    return hl_sqlite_finish(applier->add_address);
}

/* Who spoke up to where: unread counts are made of it. */
static int note_speaker(struct hl_index_applier *applier, const struct hl_entry *entry,
                        const struct hl_index_row *row)
{
    bool is_word = entry->kind == HL_ENTRY_MESSAGE || entry->kind == HL_ENTRY_FORM;
    sqlite3_stmt *add = NULL;

    if (entry->author.role == HL_ROLE_VISITOR && is_word)
        add = applier->add_heard;
    else if (entry->author.role == HL_ROLE_AGENT && (is_word || entry->kind == HL_ENTRY_NOTE))
        add = applier->add_voice;
    else
        return 0;
    hl_sqlite_bind_integer(add, 1, (int64_t)row->number);
    if (add == applier->add_voice)
        hl_sqlite_bind_id(add, 2, &entry->author.id);
    hl_sqlite_bind_integer(add, add == applier->add_voice ? 3 : 2, (int64_t)entry->offset);
    return hl_sqlite_finish(add);
}

static int apply_entry(struct hl_index_applier *applier, const struct hl_entry *entry)
{
    struct hl_index_row *row = row_of(applier, entry);
    struct hl_index_body body;

    if (entry->offset > row->state.head + 1)
        return -EBADMSG;
    hl_index_body_read(entry, &body);
    int r = hl_index_row_apply(row, entry, &body);
    if (r == 0 && !row->state.is_erased)
        r = note_speaker(applier, entry, row);
    if (r == 0 && !row->state.is_erased)
        r = note_email(applier, row, &body);
    if (r == 0)
        r = note_words(applier, entry, row, &body);
    hl_index_body_fini(&body);
    return r;
}

static int add_tags(struct hl_index_applier *applier, const struct hl_index_row *row)
{
    json_t *tags = NULL;
    int r = 0;

    if (hl_json_parse(hl_bytes_of(row->tags), NULL, 0, &tags) != 0)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        struct hl_bytes text = {json_string_value(tag), json_string_length(tag)};
        if (text.size == 0 || text.size > HL_INDEX_TAG_SIZE_MAX)
            continue;
        hl_sqlite_bind_integer(applier->add_tag, 1, (int64_t)row->number);
        hl_sqlite_bind_text(applier->add_tag, 2, text);
        hl_sqlite_bind_text(applier->add_tag, 3, hl_bytes_of(row->state.site));
        r = hl_sqlite_finish(applier->add_tag);
    }
    json_decref(tags);
    return r;
}

static int drop_all(sqlite3_stmt *drop, const struct hl_index_row *row)
{
    hl_sqlite_bind_integer(drop, 1, (int64_t)row->number);
    return hl_sqlite_finish(drop);
}

static int drop_erased(struct hl_index_applier *applier, const struct hl_index_row *row)
{
    sqlite3_stmt *const drops[] = {applier->drop_tags, applier->drop_heard, applier->drop_voices,
                                   applier->drop_addresses};
    int r = 0;

    applier->erased = true;
    for (size_t i = 0; r == 0 && i < sizeof(drops) / sizeof(drops[0]); i++)
        r = drop_all(drops[i], row);
    if (r != 0)
        return r;
    uint64_t first = row->number << HL_INDEX_OFFSET_BITS;
    hl_sqlite_bind_integer(applier->drop_texts, 1, (int64_t)first);
    hl_sqlite_bind_integer(applier->drop_texts, 2, (int64_t)(first | OFFSET_MAX));
    return hl_sqlite_finish(applier->drop_texts);
}

static int64_t due_of(const struct hl_index_policy *policy, const struct hl_index_row *row)
{
    struct hl_index_wait wait = {.site = row->state.site,
                                 .inbox = row->state.inbox,
                                 .opened_ms = row->state.opened_ms,
                                 .waiting_since_ms = row->state.waiting_since_ms,
                                 .first_response_ms = row->first_response_ms};

    if (policy->due == NULL || wait.waiting_since_ms == 0)
        return 0;
    return policy->due(policy->arg, &wait);
}

/* What the conversation itself can be found by. */
static int note_card(struct hl_index_applier *applier, const struct hl_index_row *row)
{
    if (!row->person_changed || row->state.is_erased)
        return 0;
    struct hl_index_doc *card = add_doc(applier, row, 0);
    if (card == NULL)
        return -ENOMEM;
    hl_buffer_printf(&card->words, "%s\n%s\n%s\n%s\n%s", row->state.reference, row->name,
                     row->email, row->phone, row->state.identity);
    return hl_buffer_failed(&card->words) ? -ENOMEM : 0;
}

static int store_row(struct hl_index_applier *applier, struct hl_index_row *row)
{
    int r = 0;

    if (row->erased_now)
        r = drop_erased(applier, row);
    else if (row->tags_changed && (r = drop_all(applier->drop_tags, row)) == 0)
        r = add_tags(applier, row);
    if (r == 0)
        r = note_card(applier, row);
    if (r != 0)
        return r;
    hl_index_row_set_contact(row, applier->contact_key);
    row->due_ms = due_of(&applier->policy, row);
    if (row->is_changed) {
        hl_index_row_bind(applier->store, row);
        return hl_sqlite_finish(applier->store);
    }
    hl_index_row_bind_end(applier->store_end, row);
    return hl_sqlite_finish(applier->store_end);
}

static int store_rows(struct hl_index_applier *applier)
{
    int r = 0;

    for (struct hl_index_row *row = applier->rows; r == 0 && row != NULL; row = row->hh.next)
        r = store_row(applier, row);
    for (struct hl_index_row *row = applier->rows; r == 0 && row != NULL; row = row->hh.next) {
        r = hl_index_person_refresh(applier, &row->contact);
        if (r == 0 && !hl_id_equal(&row->contact, &row->old_contact))
            r = hl_index_person_refresh(applier, &row->old_contact);
    }
    return r;
}

static int compare_docs(const void *a, const void *b)
{
    int64_t left = ((const struct hl_index_doc *)a)->place;
    int64_t right = ((const struct hl_index_doc *)b)->place;

    return left < right ? -1 : left > right;
}

/* In rising order: FTS5 begins a new piece of its tree whenever the order falls. */
static int store_docs(struct hl_index_applier *applier)
{
    int r = 0;

    if (applier->n_docs > 0)
        qsort(applier->docs, applier->n_docs, sizeof(*applier->docs), compare_docs);
    for (size_t i = 0; r == 0 && i < applier->n_docs; i++) {
        const struct hl_index_doc *doc = &applier->docs[i];
        if (doc->row->state.is_erased || doc->words.size == 0)
            continue;
        if (doc->is_card && !doc->row->is_new) {
            hl_sqlite_bind_integer(applier->drop_text, 1, doc->place);
            r = hl_sqlite_finish(applier->drop_text);
        }
        if (r != 0)
            return r;
        hl_sqlite_bind_integer(applier->add_text, 1, doc->place);
        hl_sqlite_bind_text(applier->add_text, 2, hl_buffer_bytes(&doc->words));
        r = hl_sqlite_finish(applier->add_text);
    }
    return r;
}

static int apply_batch(struct hl_index_applier *applier, const struct hl_batch *batch)
{
    size_t n_asked = 0;
    int r = load_rows(applier, batch, &n_asked);

    if (r == 0 && n_asked > 0)
        r = fill_rows(applier, n_asked);
    for (size_t i = 0; r == 0 && i < batch->n_entries; i++)
        r = apply_entry(applier, batch->entries[i]);
    if (r == 0)
        r = store_rows(applier);
    if (r == 0)
        r = store_docs(applier);
    if (r != 0)
        return r;
    uint64_t position = batch->entries[batch->n_entries - 1]->position;
    hl_sqlite_bind_integer(applier->set_position, 1, (int64_t)position);
    hl_sqlite_bind_integer(applier->set_position, 2, applier->erased ? 1 : 0);
    return hl_sqlite_finish(applier->set_position);
}

/* A statement that failed may have ended the transaction already. */
static int end_transaction(struct hl_index_applier *applier, int r)
{
    if (r == 0)
        r = hl_sqlite_finish(applier->commit);
    if (sqlite3_get_autocommit(applier->db) == 0)
        (void)hl_sqlite_finish(applier->rollback);
    return r;
}

int hl_index_applier_apply(struct hl_index_applier *applier, const struct hl_batch *batch)
{
    if (batch->n_entries == 0)
        return 0;
    int r = hl_sqlite_finish(applier->begin);
    if (r == 0)
        r = end_transaction(applier, apply_batch(applier, batch));
    if (r == 0 && applier->erased)
        applier->needs_scrub = true;
    forget_batch(applier);
    return r;
}
