/* The keys of conversations, inside the transaction of a group: makes them, seals with them,
 * destroys them.
 * Thread: the writer's. Owner: the appender. */
#ifndef HL_STORE_SQLITE_SEALER_H
#define HL_STORE_SQLITE_SEALER_H

#include "store/sqlite/rows.h"

struct hl_sqlite_sealer {
    uint8_t region_key[HL_SEAL_KEY_SIZE];
    struct hl_seal_nonces nonces;
    uint64_t number, began_number; /* last key made */
    bool has_destroyed;            /* since begin */
    sqlite3_stmt *insert_key, *set_key, *destroy_key, *list_plain, *blank_body;
    uint8_t sealed[HL_ENTRY_BODY_SIZE_MAX + HL_SEAL_OVERHEAD];
    uint8_t identity[HL_IDENTITY_SIZE_MAX + HL_SEAL_OVERHEAD];
};

/* 0, -errno. The statements go with their connection. */
int hl_sqlite_sealer_init(struct hl_sqlite_sealer *sealer, sqlite3 *db,
                          const uint8_t region_key[HL_SEAL_KEY_SIZE]);
void hl_sqlite_sealer_fini(struct hl_sqlite_sealer *sealer);
void hl_sqlite_sealer_begin(struct hl_sqlite_sealer *sealer);
void hl_sqlite_sealer_roll_back(struct hl_sqlite_sealer *sealer);

/* Draws a key and stores it as *out_number. 0, -errno. */
int hl_sqlite_sealer_make(struct hl_sqlite_sealer *sealer, const struct hl_id *conversation,
                          struct hl_seal *out_seal, uint64_t *out_number);
/* The body as it is to lie on the disk, lent until the next one: sealed, but for what an erasure
 * says. A conversation from before there were keys is given one. 0, -EBADMSG, -errno. */
int hl_sqlite_sealer_body(struct hl_sqlite_sealer *sealer, uint64_t conversation_number,
                          struct hl_seal *seal, const struct hl_entry *entry,
                          struct hl_sqlite_stored *out_stored);
/* Empty if there is none; lent until the next one. */
struct hl_bytes hl_sqlite_sealer_identity(struct hl_sqlite_sealer *sealer,
                                          const struct hl_seal *seal,
                                          const struct hl_conversation *conversation);

/* Destroys the key of a conversation that counts as erased in its row, and overwrites the plain
 * bodies it has below an offset. 0, -errno. */
int hl_sqlite_sealer_destroy(struct hl_sqlite_sealer *sealer, uint64_t conversation_number,
                             uint64_t below, struct hl_seal *seal);

#endif
