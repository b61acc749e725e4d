/* Rows of a data file as the structs of this project. Values are checked on the way in: a
 * damaged file is an error (-EBADMSG), never a failed check.
 * Thread: that of the statement's connection. */
#ifndef HL_STORE_SQLITE_ROWS_H
#define HL_STORE_SQLITE_ROWS_H

#include "store/chain.h"
#include "store/log.h"
#include "store/seal.h"
#include "store/sqlite/file.h"

/* Columns of a conversation `c` whose last entry is `l`, and where both come from. CROSS JOIN
 * keeps the order of the two: first the conversation, then one look at its end. */
#define HL_SQLITE_CONVERSATION_COLUMNS                                                             \
    "c.number, c.id, c.site, c.reference, c.status, c.assignee, c.revision, c.floor, "             \
    "c.opened_ms, c.claimed_ms, c.waiting_since_ms, c.inbox, c.identity, c.erased, k.wrapped, "    \
    "l.offset, l.wall_ms"
#define HL_SQLITE_CONVERSATION_SOURCE                                                              \
    "conversations c CROSS JOIN entries l ON l.conversation = c.number AND l.offset = "            \
    "(SELECT max(offset) FROM entries WHERE conversation = c.number) " HL_SQLITE_KEY_SOURCE
/* Where the wrapped key `k` of a conversation comes from: it may have none. */
#define HL_SQLITE_KEY_SOURCE "LEFT JOIN conversation_keys k ON k.number = c.key"
enum { HL_SQLITE_CONVERSATION_WIDTH = 17, HL_SQLITE_CONVERSATION_IDENTITY = 12 };

/* A conversation whose key is destroyed counts as erased, whatever its entries say: so it is
 * after an older copy of the log was restored. out_seal may be NULL; region_key may be NULL:
 * then the identity stays empty and the seal shut. 0, -EBADMSG. */
int hl_sqlite_read_conversation(sqlite3_stmt *statement, const uint8_t *region_key,
                                struct hl_conversation *out_conversation, uint64_t *out_number,
                                struct hl_seal *out_seal);

#define HL_SQLITE_ENTRY_COLUMNS                                                                    \
    "e.position, e.offset, e.kind, e.role, e.author, e.subject, e.wall_ms, e.mid, e.body, e.sealed"
enum { HL_SQLITE_ENTRY_WIDTH = 10 };

/* Seal NULL: the body is left empty. 0, -ENOMEM, -EBADMSG. The reference is the caller's. */
int hl_sqlite_read_entry(sqlite3_stmt *statement, const struct hl_id *conversation,
                         const struct hl_seal *seal, struct hl_entry **out_entry);

/* The body of that row as it lies there. */
struct hl_sqlite_stored {
    struct hl_bytes bytes; /* until the next step */
    bool is_sealed;
    bool is_blank; /* it was plain, and is erased */
};
struct hl_sqlite_stored hl_sqlite_read_stored(sqlite3_stmt *statement);

/* Of the columns site and inbox. 0, -EBADMSG. */
int hl_sqlite_read_place(sqlite3_stmt *statement, int column, struct hl_place *out_place);

/* False if the column does not hold a link. */
bool hl_sqlite_column_chain(sqlite3_stmt *statement, int column, struct hl_chain *out_chain);

#endif
