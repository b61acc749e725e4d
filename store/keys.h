/* API keys of agents and integrations: a small SQLite file (DATA/keys.db) and, for a running
 * server, a copy of it in memory that every loop asks.
 *
 * A secret is "hlk_" and 43 base64url characters: 256 random bits. Only its BLAKE2b hash is
 * stored. A fast hash is right here: slow hashes exist to make guessing of weak secrets
 * expensive, and 256 random bits cannot be guessed at any speed.
 *
 * Thread: one thread opens, changes and closes; hl_keys_refresh, hl_keys_find, hl_keys_find_id
 * and hl_keys_version may be called from any thread meanwhile. */
#ifndef HL_STORE_KEYS_H
#define HL_STORE_KEYS_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/id.h"

enum hl_key_role { HL_KEY_AGENT = 1, HL_KEY_INTEGRATION, HL_KEY_ADMIN, HL_KEY_ROLE_END };

enum { HL_KEY_NAME_SIZE_MAX = 64, HL_KEY_SECRET_SIZE = 4 + 43 + 1, HL_KEYS_MAX = 4096 };

/* Outcomes. */
enum {
    HL_KEYS_UNKNOWN = 1,  /* no active key like that */
    HL_KEYS_FULL,         /* HL_KEYS_MAX keys are active */
    HL_KEYS_SCHEMA_NEWER, /* the file was written by a newer holdline */
    HL_KEYS_NOT_KEYS,     /* the file is something else, or damaged */
    HL_KEYS_CHANGED,      /* hl_keys_refresh: the copy in memory is new */
};

struct hl_key {
    struct hl_id id; /* "agt_…": also the author of what is written with it */
    uint8_t role;    /* enum hl_key_role */
    char name[HL_KEY_NAME_SIZE_MAX + 1];
    int64_t created_ms;
    int64_t revoked_ms; /* 0: active */
};

struct hl_keys;

/* Makes the file (mode 0600) if it is missing, and reads it into memory.
 * 0, HL_KEYS_SCHEMA_NEWER, HL_KEYS_NOT_KEYS, -errno. */
int hl_keys_open(const char *path, struct hl_keys **out_keys);
void hl_keys_close(struct hl_keys *keys); /* accepts NULL */

/* The secret is given out this once. `name`: 1 to 64 bytes of UTF-8 without control bytes,
 * checked by the caller. 0, HL_KEYS_FULL, -errno. */
int hl_keys_add(struct hl_keys *keys, const char *name, enum hl_key_role role,
                const struct hl_clock *clock, const struct hl_random *random,
                char out_secret[HL_KEY_SECRET_SIZE], struct hl_key *out_key);
/* 0, HL_KEYS_UNKNOWN (no such key, or revoked before), -errno. */
int hl_keys_revoke(struct hl_keys *keys, const struct hl_id *id, int64_t now_ms);
/* All keys, revoked ones too, oldest first. out_items is the caller's, free(). 0, -errno. */
int hl_keys_list(struct hl_keys *keys, struct hl_key **out_items, size_t *out_n_items);

/* Reads the file again if another process changed it. 0, HL_KEYS_CHANGED, -errno (the copy in
 * memory stays as it was). */
int hl_keys_refresh(struct hl_keys *keys);

/* Any thread; a short lock. Only active keys are found. A secret that is not known makes it look
 * at the file's version again: a key is good from the moment it was added. 0, HL_KEYS_UNKNOWN. */
int hl_keys_find(struct hl_keys *keys, struct hl_bytes secret, struct hl_key *out_key);
int hl_keys_find_id(struct hl_keys *keys, const struct hl_id *id, struct hl_key *out_key);
/* Rises with every change of the copy in memory. Any thread. */
uint64_t hl_keys_version(struct hl_keys *keys);

/* Copies the file at `path`, which may be in use, to a new file. 0, -EEXIST, -errno. */
int hl_keys_backup(const char *path, const char *target);

const char *hl_key_role_name(enum hl_key_role role); /* "agent", "integration", "admin" */
/* HL_KEY_ROLE_END if there is none of that name. */
enum hl_key_role hl_key_role_find(const char *name);

#endif
