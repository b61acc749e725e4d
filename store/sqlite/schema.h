/* Tables of a data file, their versions and the facts about the file itself.
 * The file's user_version is the schema's version; a binary opens its own version, migrates
 * older ones and refuses newer ones. */
#ifndef HL_STORE_SQLITE_SCHEMA_H
#define HL_STORE_SQLITE_SCHEMA_H

#include "base/clock.h"
#include "base/hash.h"
#include "store/chain.h"
#include "store/seal.h"
#include "store/sqlite/file.h"

enum { HL_SQLITE_APPLICATION_ID = 0x686c6f67 /* "hlog" */, HL_SQLITE_SCHEMA_VERSION = 3 };

enum { HL_SQLITE_SCHEMA_NEWER = 1, HL_SQLITE_SCHEMA_FOREIGN };

/* Is this one of ours, and of which version? An empty file has version 0.
 * 0, HL_SQLITE_SCHEMA_NEWER (out_version is set), HL_SQLITE_SCHEMA_FOREIGN, -errno. */
int hl_sqlite_schema_check(sqlite3 *db, int64_t *out_version);

/* Brings the file from its version up to `version`, each step in a transaction of its own.
 * 0, as hl_sqlite_schema_check, -errno. */
int hl_sqlite_schema_migrate(sqlite3 *db, int64_t version);

struct hl_sqlite_meta {
    uint64_t epoch;
    uint64_t boots;
    uint8_t tag_key[HL_HASH_KEY_SIZE];
    struct hl_chain fingerprint; /* of the chain key */
    uint64_t position;           /* of the last entry */
    struct hl_chain seal;        /* closes it; all zero before the first */
};

/* A random epoch: 1 … 2^53 - 1. */
uint64_t hl_sqlite_draw_epoch(void);

enum { HL_SQLITE_META_WITHOUT_KEYS = 1 }; /* a copy whose region's fingerprint is one byte */

/* Counts a boot and reads the file's facts; draws them if the file is new.
 * 0, HL_SQLITE_META_WITHOUT_KEYS, -EKEYREJECTED (another chain or region key), -errno. */
int hl_sqlite_meta_boot(sqlite3 *db, const uint8_t chain_key[HL_CHAIN_KEY_SIZE],
                        const uint8_t region_key[HL_SEAL_KEY_SIZE],
                        struct hl_sqlite_meta *out_meta);
/* 0, -ENOENT, -errno. */
int hl_sqlite_meta_read(sqlite3 *db, struct hl_sqlite_meta *out_meta);

#endif
