/* Applies entries of the log to the file, a batch in one transaction together with the position
 * it reaches. Knows nothing of threads and waiting.
 * Thread: the projector's, which owns it. */
#ifndef HL_STORE_INDEX_APPLIER_H
#define HL_STORE_INDEX_APPLIER_H

#include "store/index/row.h"
#include "store/sqlite/file.h"

struct hl_index_doc;

enum { HL_INDEX_APPLIER_STATEMENTS = 26 };

struct hl_index_applier {
    sqlite3 *db; /* its own */
    uint8_t contact_key[HL_HASH_KEY_SIZE];
    struct hl_index_policy policy;
    /* Tells of n conversations what the log knows of them now. 0, -errno. */
    int (*find)(void *arg, const struct hl_id *ids, size_t n, struct hl_conversation *out_found);
    void *arg;
    bool needs_scrub; /* text was deleted: see upkeep.h */
    /* of the batch */
    struct hl_index_row *rows; /* uthash, in order of first touch */
    struct hl_index_doc *docs;
    size_t n_docs, docs_capacity;
    bool erased;
    /* statements, and all of them for the end */
    size_t n_prepared;
    sqlite3_stmt *prepared[HL_INDEX_APPLIER_STATEMENTS];
    sqlite3_stmt *begin, *commit, *rollback, *set_position;
    sqlite3_stmt *load, *store, *store_end, *add_heard, *add_voice, *add_address, *add_tag;
    sqlite3_stmt *drop_tags, *drop_heard, *drop_voices, *drop_addresses, *drop_texts;
    sqlite3_stmt *find_site, *add_site, *add_text, *drop_text;
    sqlite3_stmt *contact_parts, *find_contact, *store_contact, *drop_contact, *add_person,
        *drop_person;
};

/* Takes db. 0, -errno; fini in either case. */
int hl_index_applier_init(struct hl_index_applier *applier, sqlite3 *db);
void hl_index_applier_fini(struct hl_index_applier *applier); /* accepts a zeroed one */

/* Entries in order of position, all above what was applied before. Nothing is changed unless
 * 0; -errno. */
int hl_index_applier_apply(struct hl_index_applier *applier, const struct hl_batch *batch);

#endif
