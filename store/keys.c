#include "store/keys.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <sqlite3.h>

#include "base/check.h"
#include "base/result.h"

enum { HASH_SIZE = 32, APPLICATION_ID = 0x686c6b31, SCHEMA_VERSION = 1, BUSY_MS = 5000 };

struct cached {
    uint8_t hash[HASH_SIZE];
    struct hl_key key;
};

struct hl_keys {
    pthread_mutex_t refresh_lock; /* over the two below, while loops run */
    sqlite3 *db;
    int64_t data_version; /* as SQLite last told */
    atomic_uint_fast64_t version;
    pthread_mutex_t lock; /* over the two below */
    struct cached *cache; /* active keys, by hash */
    size_t n_cached;
};

static int result_of(int sqlite_code)
{
    switch (sqlite_code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return -EACCES;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return -EBADMSG;
    default:
        return -EIO;
    }
}

static int read_number(sqlite3 *db, const char *sql, int64_t *out_number)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *out_number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? -EIO : result_of(code);
}

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS key("
    " id BLOB PRIMARY KEY CHECK(length(id)=16),"
    " hash BLOB NOT NULL UNIQUE CHECK(length(hash)=32),"
    " role INTEGER NOT NULL, name TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL DEFAULT 0"
    ") WITHOUT ROWID, STRICT;"
    "PRAGMA application_id=1751935793;" /* APPLICATION_ID: PRAGMA takes no parameters */
    "PRAGMA user_version=1;"
    "COMMIT;";

static int prepare_schema(struct hl_keys *keys)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t n_tables = 0;
    int r = read_number(keys->db, "PRAGMA application_id", &application);
    if (r == 0)
        r = read_number(keys->db, "PRAGMA user_version", &version);
    if (r == 0)
        r = read_number(keys->db, "SELECT count(*) FROM sqlite_schema", &n_tables);
    if (r != 0)
        return r;
    if (application != APPLICATION_ID && n_tables > 0)
        return HL_KEYS_NOT_KEYS;
    if (version > SCHEMA_VERSION)
        return HL_KEYS_SCHEMA_NEWER;
    if (application == APPLICATION_ID && version == SCHEMA_VERSION)
        return 0;
    return result_of(sqlite3_exec(keys->db, schema, NULL, NULL, NULL));
}

static int compare_cached(const void *a, const void *b)
{
    return memcmp(((const struct cached *)a)->hash, ((const struct cached *)b)->hash, HASH_SIZE);
}

static void copy_key(sqlite3_stmt *row, struct hl_key *out_key)
{
    memset(out_key, 0, sizeof(*out_key));
    if (sqlite3_column_bytes(row, 0) == (int)sizeof(out_key->id.b))
        memcpy(out_key->id.b, sqlite3_column_blob(row, 0), sizeof(out_key->id.b));
    out_key->role = (uint8_t)sqlite3_column_int(row, 1);
    const unsigned char *name = sqlite3_column_text(row, 2);
    size_t size = (size_t)sqlite3_column_bytes(row, 2);
    if (name != NULL && size <= HL_KEY_NAME_SIZE_MAX)
        memcpy(out_key->name, name, size);
    out_key->created_ms = sqlite3_column_int64(row, 3);
    out_key->revoked_ms = sqlite3_column_int64(row, 4);
}

static int load_cache(struct hl_keys *keys)
{
    struct cached *cache = calloc(HL_KEYS_MAX, sizeof(*cache));
    size_t n_cached = 0;
    sqlite3_stmt *rows = NULL;
    if (cache == NULL)
        return -ENOMEM;
    int code = sqlite3_prepare_v2(keys->db,
                                  "SELECT id, role, name, created_ms, revoked_ms, hash FROM key"
                                  " WHERE revoked_ms=0",
                                  -1, &rows, NULL);
    while (code == SQLITE_OK && n_cached < HL_KEYS_MAX) {
        if ((code = sqlite3_step(rows)) != SQLITE_ROW)
            break;
        copy_key(rows, &cache[n_cached].key);
        if (sqlite3_column_bytes(rows, 5) == HASH_SIZE)
            memcpy(cache[n_cached++].hash, sqlite3_column_blob(rows, 5), HASH_SIZE);
        code = SQLITE_OK;
    }
    sqlite3_finalize(rows);
    if (result_of(code) != 0) {
        free(cache);
        return result_of(code);
    }
    qsort(cache, n_cached, sizeof(*cache), compare_cached);

    pthread_mutex_lock(&keys->lock);
    struct cached *old = keys->cache;
    keys->cache = cache;
    keys->n_cached = n_cached;
    pthread_mutex_unlock(&keys->lock);
    free(old);
    atomic_fetch_add(&keys->version, 1);
    return 0;
}

/* SQLite would make the file with the umask's mode; it must never be readable by others. */
static int touch_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static int open_database(const char *path, int flags, sqlite3 **out_db)
{
    int code = sqlite3_open_v2(path, out_db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(*out_db, BUSY_MS);
    if (code == SQLITE_OK)
        code = sqlite3_exec(*out_db, "PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF;", NULL,
                            NULL, NULL);
    return result_of(code);
}

int hl_keys_open(const char *path, struct hl_keys **out_keys)
{
    int r = touch_file(path);
    if (r != 0)
        return r;
    struct hl_keys *keys = calloc(1, sizeof(*keys));
    if (keys == NULL)
        return -ENOMEM;
    HL_CHECK(pthread_mutex_init(&keys->lock, NULL) == 0);
    HL_CHECK(pthread_mutex_init(&keys->refresh_lock, NULL) == 0);
    r = open_database(path, SQLITE_OPEN_READWRITE, &keys->db);
    if (r == 0)
        r = prepare_schema(keys);
    if (r == 0)
        r = read_number(keys->db, "PRAGMA data_version", &keys->data_version);
    if (r == 0)
        r = load_cache(keys);
    if (r != 0) {
        hl_keys_close(keys);
        return r == -EBADMSG ? HL_KEYS_NOT_KEYS : r;
    }
    *out_keys = keys;
    return 0;
}

void hl_keys_close(struct hl_keys *keys)
{
    if (keys == NULL)
        return;
    sqlite3_close(keys->db);
    pthread_mutex_destroy(&keys->lock);
    pthread_mutex_destroy(&keys->refresh_lock);
    free(keys->cache);
    free(keys);
}

static void hash_secret(struct hl_bytes secret, uint8_t out_hash[HASH_SIZE])
{
    HL_CHECK(crypto_generichash(out_hash, HASH_SIZE, (const uint8_t *)secret.data, secret.size,
                                NULL, 0) == 0);
}

static void make_secret(const struct hl_random *random, char out_secret[HL_KEY_SECRET_SIZE])
{
    uint8_t bytes[32];
    hl_random_fill(random, bytes, sizeof(bytes));
    memcpy(out_secret, "hlk_", 4);
    HL_CHECK(sodium_bin2base64(out_secret + 4, HL_KEY_SECRET_SIZE - 4, bytes, sizeof(bytes),
                               sodium_base64_VARIANT_URLSAFE_NO_PADDING) != NULL);
    sodium_memzero(bytes, sizeof(bytes));
}

static int insert_key(struct hl_keys *keys, const struct hl_key *key, const uint8_t hash[HASH_SIZE])
{
    sqlite3_stmt *insert = NULL;
    int code = sqlite3_prepare_v2(keys->db,
                                  "INSERT INTO key(id, hash, role, name, created_ms)"
                                  " VALUES(?1, ?2, ?3, ?4, ?5)",
                                  -1, &insert, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_blob(insert, 1, key->id.b, (int)sizeof(key->id.b), SQLITE_STATIC);
        sqlite3_bind_blob(insert, 2, hash, HASH_SIZE, SQLITE_STATIC);
        sqlite3_bind_int(insert, 3, key->role);
        sqlite3_bind_text(insert, 4, key->name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 5, key->created_ms);
        code = sqlite3_step(insert);
    }
    sqlite3_finalize(insert);
    return result_of(code);
}

int hl_keys_add(struct hl_keys *keys, const char *name, enum hl_key_role role,
                const struct hl_clock *clock, const struct hl_random *random,
                char out_secret[HL_KEY_SECRET_SIZE], struct hl_key *out_key)
{
    size_t name_size = strlen(name);
    HL_CHECK(name_size >= 1 && name_size <= HL_KEY_NAME_SIZE_MAX);
    HL_CHECK(role >= HL_KEY_AGENT && role < HL_KEY_ROLE_END);
    if (keys->n_cached >= HL_KEYS_MAX)
        return HL_KEYS_FULL;

    uint8_t id_random[10];
    uint8_t hash[HASH_SIZE];
    hl_random_fill(random, id_random, sizeof(id_random));
    memset(out_key, 0, sizeof(*out_key));
    out_key->created_ms = hl_clock_wall_ms(clock);
    out_key->id = hl_id_v7(out_key->created_ms, id_random);
    out_key->role = (uint8_t)role;
    memcpy(out_key->name, name, name_size);
    make_secret(random, out_secret);
    hash_secret(hl_bytes_of(out_secret), hash);
    int r = insert_key(keys, out_key, hash);
    if (r == 0)
        r = load_cache(keys);
    if (r != 0)
        sodium_memzero(out_secret, HL_KEY_SECRET_SIZE);
    return r;
}

int hl_keys_revoke(struct hl_keys *keys, const struct hl_id *id, int64_t now_ms)
{
    sqlite3_stmt *update = NULL;
    int code = sqlite3_prepare_v2(
        keys->db, "UPDATE key SET revoked_ms=?2 WHERE id=?1 AND revoked_ms=0", -1, &update, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_blob(update, 1, id->b, (int)sizeof(id->b), SQLITE_STATIC);
        sqlite3_bind_int64(update, 2, now_ms);
        code = sqlite3_step(update);
    }
    sqlite3_finalize(update);
    if (result_of(code) != 0)
        return result_of(code);
    if (sqlite3_changes(keys->db) == 0)
        return HL_KEYS_UNKNOWN;
    return load_cache(keys);
}

int hl_keys_list(struct hl_keys *keys, struct hl_key **out_items, size_t *out_n_items)
{
    int64_t n_rows = 0;
    int r = read_number(keys->db, "SELECT count(*) FROM key", &n_rows);
    if (r != 0)
        return r;
    struct hl_key *items = calloc((size_t)n_rows + 1, sizeof(*items));
    size_t n_items = 0;
    if (items == NULL)
        return -ENOMEM;
    sqlite3_stmt *rows = NULL;
    int code = sqlite3_prepare_v2(keys->db,
                                  "SELECT id, role, name, created_ms, revoked_ms FROM key"
                                  " ORDER BY created_ms, id LIMIT ?1",
                                  -1, &rows, NULL);
    if (code == SQLITE_OK)
        sqlite3_bind_int64(rows, 1, n_rows);
    while (code == SQLITE_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        copy_key(rows, &items[n_items++]);
        code = SQLITE_OK;
    }
    sqlite3_finalize(rows);
    if (result_of(code) != 0) {
        free(items);
        return result_of(code);
    }
    *out_items = items;
    *out_n_items = n_items;
    return 0;
}

static int refresh_cache(struct hl_keys *keys)
{
    int64_t data_version = 0;
    int r = read_number(keys->db, "PRAGMA data_version", &data_version);
    if (r != 0 || data_version == keys->data_version)
        return r;
    r = load_cache(keys);
    if (r != 0)
        return r;
    keys->data_version = data_version;
    return HL_KEYS_CHANGED;
}

int hl_keys_refresh(struct hl_keys *keys)
{
    pthread_mutex_lock(&keys->refresh_lock);
    int r = refresh_cache(keys);
    pthread_mutex_unlock(&keys->refresh_lock);
    return r;
}

static int find_cached(struct hl_keys *keys, const struct cached *wanted, struct hl_key *out_key)
{
    pthread_mutex_lock(&keys->lock);
    const struct cached *found =
        bsearch(wanted, keys->cache, keys->n_cached, sizeof(*keys->cache), compare_cached);
    if (found != NULL)
        *out_key = found->key;
    pthread_mutex_unlock(&keys->lock);
    return found != NULL ? 0 : HL_KEYS_UNKNOWN;
}

int hl_keys_find(struct hl_keys *keys, struct hl_bytes secret, struct hl_key *out_key)
{
    struct cached wanted;
    if (secret.size != HL_KEY_SECRET_SIZE - 1)
        return HL_KEYS_UNKNOWN;
    hash_secret(secret, wanted.hash);
    if (find_cached(keys, &wanted, out_key) == 0)
        return 0;
    /* it may have been added a moment ago, by another process */
    (void)hl_keys_refresh(keys);
    return find_cached(keys, &wanted, out_key);
}

int hl_keys_find_id(struct hl_keys *keys, const struct hl_id *id, struct hl_key *out_key)
{
    int r = HL_KEYS_UNKNOWN;
    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->n_cached && r != 0; i++) {
        if (!hl_id_equal(&keys->cache[i].key.id, id))
            continue;
        *out_key = keys->cache[i].key;
        r = 0;
    }
    pthread_mutex_unlock(&keys->lock);
    return r;
}

uint64_t hl_keys_version(struct hl_keys *keys)
{
    return atomic_load(&keys->version);
}

int hl_keys_backup(const char *path, const char *target)
{
    if (access(target, F_OK) == 0)
        return -EEXIST;
    int r = touch_file(target);
    if (r != 0)
        return r;
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;
    r = open_database(path, SQLITE_OPEN_READWRITE, &from);
    if (r == 0)
        r = open_database(target, SQLITE_OPEN_READWRITE, &to);
    if (r == 0) {
        sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
        int code = copy != NULL ? sqlite3_backup_step(copy, -1) : sqlite3_errcode(to);
        sqlite3_backup_finish(copy);
        r = code == SQLITE_DONE ? 0 : result_of(code);
    }
    sqlite3_close(from);
    sqlite3_close(to);
    if (r != 0)
        unlink(target);
    return r;
}

static const char *const role_names[HL_KEY_ROLE_END] = {
    [HL_KEY_AGENT] = "agent",
    [HL_KEY_INTEGRATION] = "integration",
    [HL_KEY_ADMIN] = "admin",
};

const char *hl_key_role_name(enum hl_key_role role)
{
    if (role < HL_KEY_AGENT || role >= HL_KEY_ROLE_END)
        return "unknown";
    return role_names[role];
}

enum hl_key_role hl_key_role_find(const char *name)
{
    for (enum hl_key_role role = HL_KEY_AGENT; role < HL_KEY_ROLE_END; role++) {
        if (strcmp(role_names[role], name) == 0)
            return role;
    }
    return HL_KEY_ROLE_END;
}
