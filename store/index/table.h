/* Rows of an index file as the structs of this project, and back.
 * Thread: that of the statement's connection. */
#ifndef HL_STORE_INDEX_TABLE_H
#define HL_STORE_INDEX_TABLE_H

#include "store/index/memory.h"
#include "store/index/row.h"
#include "store/sqlite/file.h"

/* Columns of a conversation `c`, in the order in which both sides know them. */
#define HL_INDEX_COLUMNS                                                                           \
    "c.number, c.id, c.site, c.inbox, c.reference, c.identity, c.status, c.assignee, c.revision, " \
    "c.head, c.floor, c.opened_ms, c.updated_ms, c.claimed_ms, c.waiting_ms, c.is_erased, "        \
    "c.contact, c.name, c.email, c.phone, c.visitor, c.seen_ms, c.tags, c.custom_fields, "         \
    "c.context, c.first_response_ms, c.closed_ms, c.erased_ms, c.due_ms, c.last_offset, "          \
    "c.last_role, c.last_ms, c.excerpt"
enum { HL_INDEX_WIDTH = 33 };
#define HL_INDEX_STORE_SQL                                                                         \
    "INSERT OR REPLACE INTO conversations VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,"  \
    "?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26,?27,?28,?29,?30,?31,?32,?33)"
#define HL_INDEX_STORE_END_SQL                                                                     \
    "UPDATE conversations SET head = ?10, updated_ms = ?13, seen_ms = ?22, closed_ms = ?27, "      \
    "last_offset = ?30, last_role = ?31, last_ms = ?32, excerpt = ?33 WHERE number = ?1"

/* The projector's. 0, -ENOMEM, -EBADMSG. */
int hl_index_row_load(sqlite3_stmt *from, struct hl_index_row *out_row);
/* Binds all columns, or those of HL_INDEX_STORE_END_SQL; lent until the statement is reset. */
void hl_index_row_bind(sqlite3_stmt *to, const struct hl_index_row *row);
void hl_index_row_bind_end(sqlite3_stmt *to, const struct hl_index_row *row);

/* The readers'. Text goes to `memory`. 0, -ENOMEM, -EBADMSG. */
int hl_index_conversation_load(sqlite3_stmt *from, struct hl_index_memory *memory,
                               struct hl_index_conversation *out_conversation,
                               uint64_t *out_number);

/* Text of a column into a buffer of `size`; false: it is longer. */
bool hl_index_column_text(sqlite3_stmt *from, int column, char *out, size_t size);

#endif
