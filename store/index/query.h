/* Reads of an index file: what each request of index.h gets out of it. The caller has begun a
 * transaction. Results go to the request's out fields; text to read.memory.
 * Thread: that of the connection. */
#ifndef HL_STORE_INDEX_QUERY_H
#define HL_STORE_INDEX_QUERY_H

#include "store/index.h"
#include "store/sqlite/file.h"

/* Each: 0, HL_INDEX_UNKNOWN where index.h names it, -errno. `out_numbers` gets the places of
 * the items in the file: HL_INDEX_LIMIT_MAX of them. */
int hl_index_query_list(sqlite3 *db, struct hl_index_list *list, uint64_t *out_numbers);
int hl_index_query_get(sqlite3 *db, struct hl_index_get *get, uint64_t *out_number);
int hl_index_query_contacts(sqlite3 *db, struct hl_index_contacts *contacts);
int hl_index_query_person(sqlite3 *db, struct hl_index_person *person);
int hl_index_query_tags(sqlite3 *db, struct hl_index_tags *tags);
int hl_index_query_queue(sqlite3 *db, struct hl_index_queue *queue);

#endif
