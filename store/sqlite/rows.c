#include "store/sqlite/rows.h"

#include <string.h>

#include "base/result.h"

/* Copies a text column into a field of size_max + 1 bytes. */
static bool read_text(sqlite3_stmt *statement, int column, char *out_text, size_t size_max)
{
    struct hl_bytes text = hl_sqlite_column_bytes(statement, column);

    if (text.size > size_max || (text.size > 0 && memchr(text.data, '\0', text.size) != NULL))
        return false;
    if (text.size > 0)
        memcpy(out_text, text.data, text.size);
    out_text[text.size] = '\0';
    return true;
}

int hl_sqlite_read_conversation(sqlite3_stmt *statement, struct hl_conversation *out_conversation,
                                uint64_t *out_number)
{
    struct hl_conversation *to = out_conversation;
    int64_t status = sqlite3_column_int64(statement, 4);
    bool is_erased = sqlite3_column_int64(statement, 13) != 0;

    *to = (struct hl_conversation){.status = (uint8_t)status, .is_erased = is_erased};
    *out_number = (uint64_t)sqlite3_column_int64(statement, 0);
    if (!hl_sqlite_column_id(statement, 1, &to->id) || hl_id_is_zero(&to->id) ||
        !read_text(statement, 2, to->site, HL_SITE_SIZE_MAX) ||
        !read_text(statement, 3, to->reference, HL_REFERENCE_SIZE_MAX) ||
        (status != HL_STATUS_OPEN && status != HL_STATUS_CLOSED) ||
        !hl_sqlite_column_id(statement, 5, &to->assignee) ||
        !hl_sqlite_column_id(statement, 11, &to->inbox) ||
        (!is_erased && !read_text(statement, 12, to->identity, HL_IDENTITY_SIZE_MAX)))
        return -EBADMSG;
    to->revision = (uint64_t)sqlite3_column_int64(statement, 6);
    to->floor = (uint64_t)sqlite3_column_int64(statement, 7);
    to->opened_ms = sqlite3_column_int64(statement, 8);
    to->claimed_ms = sqlite3_column_int64(statement, 9);
    to->waiting_since_ms = sqlite3_column_int64(statement, 10);
    to->head = (uint64_t)sqlite3_column_int64(statement, 14);
    to->updated_ms = sqlite3_column_int64(statement, 15);
    return 0;
}

int hl_sqlite_read_entry(sqlite3_stmt *statement, const struct hl_id *conversation,
                         struct hl_entry **out_entry)
{
    int64_t kind = sqlite3_column_int64(statement, 2);
    int64_t role = sqlite3_column_int64(statement, 3);
    struct hl_entry_fields fields = {
        .conversation = *conversation,
        .author.role = (uint8_t)role,
        .kind = (enum hl_entry_kind)kind,
    };

    if (kind < HL_ENTRY_MESSAGE || kind >= HL_ENTRY_KIND_END || role < HL_ROLE_VISITOR ||
        role > HL_ROLE_SYSTEM || !hl_sqlite_column_id(statement, 4, &fields.author.id) ||
        !hl_sqlite_column_id(statement, 5, &fields.subject))
        return -EBADMSG;
    fields.mid = hl_sqlite_column_bytes(statement, 7);
    fields.body = hl_sqlite_column_bytes(statement, 8);
    if (!hl_mid_is_valid(fields.mid) || fields.body.size > HL_ENTRY_BODY_SIZE_MAX)
        return -EBADMSG;
    struct hl_entry *entry = hl_entry_create(&fields);
    if (entry == NULL)
        return -ENOMEM;
    entry->position = (uint64_t)sqlite3_column_int64(statement, 0);
    entry->offset = (uint64_t)sqlite3_column_int64(statement, 1);
    entry->wall_ms = sqlite3_column_int64(statement, 6);
    *out_entry = entry;
    return 0;
}

int hl_sqlite_read_place(sqlite3_stmt *statement, int column, struct hl_place *out_place)
{
    *out_place = (struct hl_place){0};
    return read_text(statement, column, out_place->site, HL_SITE_SIZE_MAX) &&
                   hl_sqlite_column_id(statement, column + 1, &out_place->inbox)
               ? 0
               : -EBADMSG;
}

bool hl_sqlite_column_chain(sqlite3_stmt *statement, int column, struct hl_chain *out_chain)
{
    struct hl_bytes bytes = hl_sqlite_column_bytes(statement, column);

    if (bytes.size != sizeof(out_chain->b))
        return false;
    memcpy(out_chain->b, bytes.data, bytes.size);
    return true;
}
