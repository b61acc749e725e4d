/* hl_index_query_contacts and hl_index_query_person. */
#include "base/result.h"
#include "store/index/body.h"
#include "store/index/query.h"
#include "store/index/search.h"
#include "store/index/sql.h"
#include "store/index/table.h"

enum { FOUND_MAX = 20000, QUERY_TEXT_MAX = 2048 };

static void write_contacts(struct hl_index_sql *sql, const struct hl_index_contacts *contacts,
                           struct hl_bytes query)
{
    const struct hl_index_scope *scope = &contacts->read.scope;

    hl_index_sql_add(sql, "SELECT k.number, k.id, k.site, k.name, k.email, k.phone, k.identity, "
                          "k.first_ms, k.last_ms, k.n_conversations FROM contacts k WHERE 1");
    if (!hl_id_is_zero(&contacts->contact))
        hl_index_sql_add_id(sql, " AND k.id = ", &contacts->contact);
    if (contacts->site[0] != '\0')
        hl_index_sql_add_text(sql, " AND k.site = ", hl_bytes_of(contacts->site));
    if (scope->site[0] != '\0')
        hl_index_sql_add_text(sql, " AND k.site = ", hl_bytes_of(scope->site));
    if (scope->n_inboxes > 0) {
        hl_index_sql_add(sql, " AND EXISTS (SELECT 1 FROM conversations c WHERE c.contact = k.id");
        hl_index_sql_add_scope(sql, scope);
        hl_index_sql_add(sql, ")");
    }
    if (query.size > 0) {
        hl_index_sql_add_text(sql, " AND k.number IN (SELECT rowid FROM people WHERE people MATCH ",
                              query);
        hl_index_sql_add_integer(sql, " ORDER BY rowid DESC LIMIT ", FOUND_MAX);
        hl_index_sql_add(sql, ")");
    }
    if (contacts->has_cursor) {
        hl_index_sql_add_integer(sql, " AND (k.last_ms, k.number) < (", contacts->cursor_key);
        hl_index_sql_add_integer(sql, ", ", (int64_t)contacts->cursor_number);
        hl_index_sql_add(sql, ")");
    }
    hl_index_sql_add_integer(sql, " ORDER BY k.last_ms DESC, k.number DESC LIMIT ",
                             (int64_t)contacts->limit + 1);
}

static int load_contact(sqlite3_stmt *row, struct hl_index_memory *memory,
                        struct hl_index_contact *out_contact)
{
    struct hl_bytes *const texts[] = {&out_contact->name, &out_contact->email, &out_contact->phone,
                                      &out_contact->identity};

    if (!hl_sqlite_column_id(row, 1, &out_contact->id) ||
        !hl_index_column_text(row, 2, out_contact->site, sizeof(out_contact->site)))
        return -EBADMSG;
    for (int i = 0; i < 4; i++) {
        if (!hl_index_memory_copy(memory, hl_sqlite_column_bytes(row, 3 + i), texts[i]))
            return -ENOMEM;
    }
    out_contact->is_verified = out_contact->identity.size > 0;
    out_contact->first_seen_ms = sqlite3_column_int64(row, 7);
    out_contact->last_seen_ms = sqlite3_column_int64(row, 8);
    out_contact->n_conversations = (uint64_t)sqlite3_column_int64(row, 9);
    return 0;
}

static int collect_contacts(sqlite3_stmt *rows, struct hl_index_contacts *contacts)
{
    struct hl_index_memory *memory = contacts->read.memory;
    int r = 0;

    contacts->n_items = 0;
    contacts->has_more = false;
    contacts->items = hl_index_memory_take(memory, contacts->limit * sizeof(*contacts->items));
    if (contacts->items == NULL)
        return -ENOMEM;
    while ((r = hl_sqlite_step(rows)) == 0) {
        if (contacts->n_items == contacts->limit) {
            contacts->has_more = true;
            return 0;
        }
        r = load_contact(rows, memory, &contacts->items[contacts->n_items]);
        if (r != 0)
            return r;
        contacts->next_key = contacts->items[contacts->n_items++].last_seen_ms;
        contacts->next_number = (uint64_t)sqlite3_column_int64(rows, 0);
    }
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_index_query_contacts(sqlite3 *db, struct hl_index_contacts *contacts)
{
    struct hl_index_sql sql;
    struct hl_buffer query;
    sqlite3_stmt *rows = NULL;

    hl_buffer_init(&query, QUERY_TEXT_MAX);
    hl_index_search_write(hl_bytes_of(contacts->query), &query);
    if (hl_buffer_failed(&query)) {
        hl_buffer_fini(&query);
        return -ENOMEM;
    }
    hl_index_sql_init(&sql);
    write_contacts(&sql, contacts, hl_bytes_of(query.data));
    int r = hl_index_sql_prepare(&sql, db, &rows);
    if (r == 0)
        r = collect_contacts(rows, contacts);
    (void)sqlite3_finalize(rows);
    hl_index_sql_fini(&sql);
    hl_buffer_fini(&query);
    if (r == 0 && contacts->n_items == 0 && !hl_id_is_zero(&contacts->contact))
        r = HL_INDEX_UNKNOWN;
    return r;
}

static bool widen_ids(struct hl_index_person *person, size_t *capacity)
{
    size_t wider = *capacity == 0 ? 64 : *capacity * 2;
    struct hl_id *ids = hl_index_memory_take(person->read.memory, wider * sizeof(*ids));

    if (ids == NULL)
        return false;
    for (size_t i = 0; i < person->n_conversations; i++)
        ids[i] = person->conversations[i];
    person->conversations = ids;
    *capacity = wider;
    return true;
}

static int collect_ids(sqlite3_stmt *rows, struct hl_index_person *person)
{
    size_t capacity = 0;
    int r = 0;

    while ((r = hl_sqlite_step(rows)) == 0) {
        if (person->n_conversations == capacity && !widen_ids(person, &capacity))
            return -ENOMEM;
        if (!hl_sqlite_column_id(rows, 0, &person->conversations[person->n_conversations++]))
            return -EBADMSG;
    }
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_index_query_person(sqlite3 *db, struct hl_index_person *person)
{
    struct hl_index_sql sql;
    sqlite3_stmt *rows = NULL;
    char email[HL_INDEX_PERSON_SIZE_MAX + 1];

    person->conversations = NULL;
    person->n_conversations = 0;
    bool has_email = hl_index_email_fold(hl_bytes_of(person->email), email, sizeof(email));
    if (hl_id_is_zero(&person->contact) && !has_email)
        return 0; /* no address at all: nobody told it */
    hl_index_sql_init(&sql);
    if (!hl_id_is_zero(&person->contact)) {
        hl_index_sql_add_id(
            &sql, "SELECT c.id FROM conversations c WHERE c.contact = ", &person->contact);
    } else {
        hl_index_sql_add_text(&sql,
                              "SELECT c.id FROM addresses a CROSS JOIN conversations c "
                              "ON c.number = a.number WHERE a.address = ",
                              hl_bytes_of(email));
    }
    hl_index_sql_add_scope(&sql, &person->read.scope);
    hl_index_sql_add(&sql, " ORDER BY c.number");
    int r = hl_index_sql_prepare(&sql, db, &rows);
    if (r == 0)
        r = collect_ids(rows, person);
    (void)sqlite3_finalize(rows);
    hl_index_sql_fini(&sql);
    return r;
}
