#include "store/index/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"

enum column {
    NUMBER,
    ID,
    SITE,
    INBOX,
    REFERENCE,
    IDENTITY,
    STATUS,
    ASSIGNEE,
    REVISION,
    HEAD,
    FLOOR,
    OPENED,
    UPDATED,
    CLAIMED,
    WAITING,
    IS_ERASED,
    CONTACT,
    NAME,
    EMAIL,
    PHONE,
    VISITOR,
    SEEN,
    TAGS,
    CUSTOM_FIELDS,
    CONTEXT,
    FIRST_RESPONSE,
    CLOSED,
    ERASED,
    DUE,
    LAST_OFFSET,
    LAST_ROLE,
    LAST_MS,
    EXCERPT,
    COLUMNS_END
};
_Static_assert((int)COLUMNS_END == (int)HL_INDEX_WIDTH, "one place for each column");

bool hl_index_column_text(sqlite3_stmt *from, int column, char *out, size_t size)
{
    struct hl_bytes text = hl_sqlite_column_bytes(from, column);

    if (text.size >= size)
        return false;
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

static uint64_t number_of(sqlite3_stmt *from, enum column column)
{
    return (uint64_t)sqlite3_column_int64(from, (int)column);
}

static int load_state(sqlite3_stmt *from, struct hl_conversation *out_state)
{
    out_state->status = (uint8_t)sqlite3_column_int(from, STATUS);
    out_state->revision = number_of(from, REVISION);
    out_state->head = number_of(from, HEAD);
    out_state->floor = number_of(from, FLOOR);
    out_state->opened_ms = sqlite3_column_int64(from, OPENED);
    out_state->updated_ms = sqlite3_column_int64(from, UPDATED);
    out_state->claimed_ms = sqlite3_column_int64(from, CLAIMED);
    out_state->waiting_since_ms = sqlite3_column_int64(from, WAITING);
    out_state->is_erased = sqlite3_column_int(from, IS_ERASED) != 0;
    bool is_good =
        hl_sqlite_column_id(from, ID, &out_state->id) &&
        hl_sqlite_column_id(from, INBOX, &out_state->inbox) &&
        hl_sqlite_column_id(from, ASSIGNEE, &out_state->assignee) &&
        hl_index_column_text(from, SITE, out_state->site, sizeof(out_state->site)) &&
        hl_index_column_text(from, REFERENCE, out_state->reference, sizeof(out_state->reference)) &&
        hl_index_column_text(from, IDENTITY, out_state->identity, sizeof(out_state->identity)) &&
        (out_state->status == HL_STATUS_OPEN || out_state->status == HL_STATUS_CLOSED);
    return is_good ? 0 : -EBADMSG;
}

static bool load_text(sqlite3_stmt *from, enum column column, char **text)
{
    struct hl_bytes value = hl_sqlite_column_bytes(from, (int)column);
    char *copy = strndup(value.size > 0 ? value.data : "", value.size);

    if (copy == NULL)
        return false;
    free(*text);
    *text = copy;
    return true;
}

int hl_index_row_load(sqlite3_stmt *from, struct hl_index_row *out_row)
{
    int r = load_state(from, &out_row->state);

    if (r != 0)
        return r;
    out_row->number = number_of(from, NUMBER);
    out_row->seen_ms = sqlite3_column_int64(from, SEEN);
    out_row->first_response_ms = sqlite3_column_int64(from, FIRST_RESPONSE);
    out_row->closed_ms = sqlite3_column_int64(from, CLOSED);
    out_row->erased_ms = sqlite3_column_int64(from, ERASED);
    out_row->due_ms = sqlite3_column_int64(from, DUE);
    out_row->last_offset = number_of(from, LAST_OFFSET);
    out_row->last_role = (uint8_t)sqlite3_column_int(from, LAST_ROLE);
    out_row->last_ms = sqlite3_column_int64(from, LAST_MS);
    if (!hl_sqlite_column_id(from, CONTACT, &out_row->contact) ||
        !hl_sqlite_column_id(from, VISITOR, &out_row->visitor) ||
        !hl_index_column_text(from, NAME, out_row->name, sizeof(out_row->name)) ||
        !hl_index_column_text(from, EMAIL, out_row->email, sizeof(out_row->email)) ||
        !hl_index_column_text(from, PHONE, out_row->phone, sizeof(out_row->phone)) ||
        !hl_index_column_text(from, EXCERPT, out_row->excerpt, sizeof(out_row->excerpt)))
        return -EBADMSG;
    out_row->old_contact = out_row->contact;
    bool is_copied = load_text(from, TAGS, &out_row->tags) &&
                     load_text(from, CUSTOM_FIELDS, &out_row->custom_fields) &&
                     load_text(from, CONTEXT, &out_row->context);
    return is_copied ? 0 : -ENOMEM;
}

static void bind_number(sqlite3_stmt *to, enum column column, uint64_t value)
{
    hl_sqlite_bind_integer(to, (int)column + 1, (int64_t)value);
}

static void bind_moment(sqlite3_stmt *to, enum column column, int64_t wall_ms)
{
    hl_sqlite_bind_integer(to, (int)column + 1, wall_ms);
}

/* NULL where an index leaves out those that have none. */
static void bind_optional(sqlite3_stmt *to, enum column column, int64_t wall_ms)
{
    if (wall_ms != 0)
        bind_moment(to, column, wall_ms);
    else
        HL_CHECK(sqlite3_bind_null(to, (int)column + 1) == SQLITE_OK);
}

static void bind_text(sqlite3_stmt *to, enum column column, const char *text)
{
    hl_sqlite_bind_text(to, (int)column + 1, hl_bytes_of(text));
}

static void bind_state(sqlite3_stmt *to, const struct hl_conversation *state)
{
    hl_sqlite_bind_id(to, ID + 1, &state->id);
    bind_text(to, SITE, state->site);
    hl_sqlite_bind_id(to, INBOX + 1, &state->inbox);
    bind_text(to, REFERENCE, state->reference);
    bind_text(to, IDENTITY, state->identity);
    bind_number(to, STATUS, state->status);
    hl_sqlite_bind_id(to, ASSIGNEE + 1, &state->assignee);
    bind_number(to, REVISION, state->revision);
    bind_number(to, FLOOR, state->floor);
    bind_moment(to, OPENED, state->opened_ms);
    bind_moment(to, CLAIMED, state->claimed_ms);
    bind_optional(to, WAITING, state->waiting_since_ms);
    bind_number(to, IS_ERASED, state->is_erased ? 1 : 0);
}

void hl_index_row_bind_end(sqlite3_stmt *to, const struct hl_index_row *row)
{
    bind_number(to, NUMBER, row->number);
    bind_number(to, HEAD, row->state.head);
    bind_moment(to, UPDATED, row->state.updated_ms);
    bind_moment(to, SEEN, row->seen_ms);
    bind_moment(to, CLOSED, row->closed_ms);
    bind_number(to, LAST_OFFSET, row->last_offset);
    bind_number(to, LAST_ROLE, row->last_role);
    bind_moment(to, LAST_MS, row->last_ms);
    bind_text(to, EXCERPT, row->excerpt);
}

void hl_index_row_bind(sqlite3_stmt *to, const struct hl_index_row *row)
{
    bind_state(to, &row->state);
    hl_index_row_bind_end(to, row);
    hl_sqlite_bind_id(to, CONTACT + 1, &row->contact);
    bind_text(to, NAME, row->name);
    bind_text(to, EMAIL, row->email);
    bind_text(to, PHONE, row->phone);
    hl_sqlite_bind_id(to, VISITOR + 1, &row->visitor);
    bind_text(to, TAGS, row->tags);
    bind_text(to, CUSTOM_FIELDS, row->custom_fields);
    bind_text(to, CONTEXT, row->context);
    bind_optional(to, FIRST_RESPONSE, row->first_response_ms);
    bind_moment(to, ERASED, row->erased_ms);
    bind_optional(to, DUE, row->due_ms);
}

int hl_index_conversation_load(sqlite3_stmt *from, struct hl_index_memory *memory,
                               struct hl_index_conversation *out_conversation, uint64_t *out_number)
{
    struct hl_index_conversation *to = out_conversation;
    const struct {
        enum column column;
        struct hl_bytes *text;
    } texts[] = {{NAME, &to->name},       {EMAIL, &to->email},
                 {PHONE, &to->phone},     {TAGS, &to->tags},
                 {CONTEXT, &to->context}, {CUSTOM_FIELDS, &to->custom_fields},
                 {EXCERPT, &to->excerpt}};
    int r = load_state(from, &to->state);

    if (r != 0 || !hl_sqlite_column_id(from, CONTACT, &to->contact))
        return -EBADMSG;
    *out_number = number_of(from, NUMBER);
    to->is_verified = to->state.identity[0] != '\0';
    to->first_response_ms = sqlite3_column_int64(from, FIRST_RESPONSE);
    to->closed_ms = sqlite3_column_int64(from, CLOSED);
    to->erased_ms = sqlite3_column_int64(from, ERASED);
    to->due_ms = sqlite3_column_int64(from, DUE);
    to->last_offset = number_of(from, LAST_OFFSET);
    to->last_role = (uint8_t)sqlite3_column_int(from, LAST_ROLE);
    to->last_ms = sqlite3_column_int64(from, LAST_MS);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct hl_bytes text = hl_sqlite_column_bytes(from, (int)texts[i].column);
        if (!hl_index_memory_copy(memory, text, texts[i].text))
            return -ENOMEM;
    }
    if (to->context.size == 0)
        to->context = hl_bytes_of("{}");
    return 0;
}
