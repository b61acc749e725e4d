#include "store/index/person.h"

#include <string.h>

#include "base/result.h"
#include "store/index/table.h"

struct person {
    uint64_t number; /* 0: not in the file */
    char site[HL_SITE_SIZE_MAX + 1];
    char name[HL_INDEX_PERSON_SIZE_MAX + 1];
    char email[HL_INDEX_PERSON_SIZE_MAX + 1];
    char phone[HL_INDEX_PERSON_SIZE_MAX + 1];
    char identity[HL_IDENTITY_SIZE_MAX + 1];
    int64_t first_ms, last_ms;
    uint64_t n_conversations;
};

/* The newest that was told; "" tells nothing. */
static bool take_text(sqlite3_stmt *row, int column, char *out, size_t size)
{
    return sqlite3_column_bytes(row, column) == 0 || hl_index_column_text(row, column, out, size);
}

static int take_part(sqlite3_stmt *row, struct person *person)
{
    int64_t opened_ms = sqlite3_column_int64(row, 5);
    int64_t seen_ms = sqlite3_column_int64(row, 6);

    if (person->n_conversations++ == 0 || opened_ms < person->first_ms)
        person->first_ms = opened_ms;
    if (seen_ms < opened_ms)
        seen_ms = opened_ms;
    if (seen_ms > person->last_ms)
        person->last_ms = seen_ms;
    bool is_good = take_text(row, 0, person->site, sizeof(person->site)) &&
                   take_text(row, 1, person->name, sizeof(person->name)) &&
                   take_text(row, 2, person->email, sizeof(person->email)) &&
                   take_text(row, 3, person->phone, sizeof(person->phone)) &&
                   take_text(row, 4, person->identity, sizeof(person->identity));
    return is_good ? 0 : -EBADMSG;
}

static int gather_parts(sqlite3_stmt *parts, const struct hl_id *contact, struct person *person)
{
    int r = 0;

    hl_sqlite_bind_id(parts, 1, contact);
    while (r == 0 && (r = hl_sqlite_step(parts)) == 0)
        r = take_part(parts, person);
    (void)sqlite3_reset(parts);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

/* Its number, and whether what it can be found by is as it was. */
static int compare_stored(sqlite3_stmt *find, const struct hl_id *contact, struct person *person,
                          bool *out_is_same)
{
    const char *const now[] = {person->name, person->email, person->phone, person->identity};

    hl_sqlite_bind_id(find, 1, contact);
    int r = hl_sqlite_step(find);
    *out_is_same = r == 0;
    if (r != 0)
        return r == HL_SQLITE_NO_ROW ? 0 : r;
    person->number = (uint64_t)sqlite3_column_int64(find, 0);
    for (int i = 0; i < 4; i++) {
        if (!hl_bytes_is(hl_sqlite_column_bytes(find, i + 1), now[i]))
            *out_is_same = false;
    }
    (void)sqlite3_reset(find);
    return 0;
}

static int store_person(struct hl_index_applier *applier, const struct hl_id *contact,
                        struct person *person)
{
    sqlite3_stmt *store = applier->store_contact;

    if (person->number == 0)
        (void)sqlite3_bind_null(store, 1);
    else
        hl_sqlite_bind_integer(store, 1, (int64_t)person->number);
    hl_sqlite_bind_id(store, 2, contact);
    hl_sqlite_bind_text(store, 3, hl_bytes_of(person->site));
    hl_sqlite_bind_text(store, 4, hl_bytes_of(person->name));
    hl_sqlite_bind_text(store, 5, hl_bytes_of(person->email));
    hl_sqlite_bind_text(store, 6, hl_bytes_of(person->phone));
    hl_sqlite_bind_text(store, 7, hl_bytes_of(person->identity));
    hl_sqlite_bind_integer(store, 8, person->first_ms);
    hl_sqlite_bind_integer(store, 9, person->last_ms);
    hl_sqlite_bind_integer(store, 10, (int64_t)person->n_conversations);
    int r = hl_sqlite_finish(store);
    if (r == 0 && person->number == 0)
        person->number = (uint64_t)sqlite3_last_insert_rowid(applier->db);
    return r;
}

static int drop_words(struct hl_index_applier *applier, const struct person *person)
{
    hl_sqlite_bind_integer(applier->drop_person, 1, (int64_t)person->number);
    return hl_sqlite_finish(applier->drop_person);
}

static int add_words(struct hl_index_applier *applier, const struct person *person)
{
    struct hl_buffer words;

    if (person->name[0] == '\0' && person->email[0] == '\0' && person->phone[0] == '\0' &&
        person->identity[0] == '\0')
        return 0;
    hl_buffer_init(&words, sizeof(*person));
    hl_buffer_printf(&words, "%s\n%s\n%s\n%s", person->name, person->email, person->phone,
                     person->identity);
    int r = hl_buffer_failed(&words) ? -ENOMEM : 0;
    if (r == 0) {
        hl_sqlite_bind_integer(applier->add_person, 1, (int64_t)person->number);
        hl_sqlite_bind_text(applier->add_person, 2, hl_buffer_bytes(&words));
        r = hl_sqlite_finish(applier->add_person);
    }
    hl_buffer_fini(&words);
    return r;
}

int hl_index_person_refresh(struct hl_index_applier *applier, const struct hl_id *contact)
{
    struct person person = {.number = 0};
    bool is_same = false;

    if (hl_id_is_zero(contact))
        return 0;
    int r = gather_parts(applier->contact_parts, contact, &person);
    if (r == 0)
        r = compare_stored(applier->find_contact, contact, &person, &is_same);
    if (r != 0)
        return r;
    if (!is_same && person.number != 0)
        r = drop_words(applier, &person);
    if (r == 0 && person.n_conversations == 0) {
        hl_sqlite_bind_id(applier->drop_contact, 1, contact);
        return hl_sqlite_finish(applier->drop_contact);
    }
    if (r == 0)
        r = store_person(applier, contact, &person);
    return r == 0 && !is_same ? add_words(applier, &person) : r;
}
