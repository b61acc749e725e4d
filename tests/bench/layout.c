/* holdline-layout: which table layout, by measuring. Two layouts of the same rows:
 *   arrival    rowid table in order of arrival, and a narrow unique index (conversation, offset)
 *   clustered  WITHOUT ROWID, primary key (conversation, offset)
 * Written in groups with FULL fsync, read in pages of 50, at growing sizes. A thousand
 * conversations are alive at a time, a hundred entries each, as chats are; ids are ordered in
 * time. Also the floor "bare SQLite at the same batch sizes". One JSON line per figure. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/bench/histogram.h"
#include "tests/bench/process.h"

enum { ALIVE = 1000, ENTRIES_EACH = 100, PAGE = 50, READS = 4000, FILL_GROUP = 4096 };

struct store {
    sqlite3 *db;
    sqlite3_stmt *insert, *page, *begin, *commit;
    uint64_t n_entries;
    uint64_t random;
    uint32_t n_conversations;
    struct {
        uint32_t number, offset;
    } alive[ALIVE];
};

static const char *const schemas[] = {
    "CREATE TABLE entries(position INTEGER PRIMARY KEY, conversation BLOB, offset INTEGER,"
    " author BLOB, kind INTEGER, mid TEXT, wall_ms INTEGER, body TEXT, hash BLOB);"
    "CREATE UNIQUE INDEX by_offset ON entries(conversation, offset)",
    "CREATE TABLE entries(position INTEGER, conversation BLOB, offset INTEGER, author BLOB,"
    " kind INTEGER, mid TEXT, wall_ms INTEGER, body TEXT, hash BLOB,"
    " PRIMARY KEY(conversation, offset)) WITHOUT ROWID"};
static const char *const layout_names[] = {"arrival", "clustered"};

static void check(const struct store *store, int r)
{
    if (r == SQLITE_OK || r == SQLITE_DONE || r == SQLITE_ROW)
        return;
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(store->db));
    exit(1);
}

static uint64_t next_random(struct store *store)
{
    store->random ^= store->random << 13;
    store->random ^= store->random >> 7;
    store->random ^= store->random << 17;
    return store->random;
}

static void make_id(uint32_t number, unsigned char id[16])
{
    uint64_t mixed = number * 0x9E3779B97F4A7C15U;
    for (int i = 0; i < 8; i++)
        id[i] = (unsigned char)((uint64_t)number >> (8 * (7 - i)));
    memcpy(id + 8, &mixed, 8);
}

static void run_sql(struct store *store, const char *sql)
{
    check(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

static void prepare(struct store *store, sqlite3_stmt **out, const char *sql)
{
    check(store, sqlite3_prepare_v2(store->db, sql, -1, out, NULL));
}

static void open_store(struct store *store, const char *path, unsigned layout)
{
    memset(store, 0, sizeof *store);
    store->random = 88172645463325252U;
    check(store, sqlite3_open(path, &store->db));
    run_sql(store, "PRAGMA journal_mode=WAL");
    run_sql(store, "PRAGMA cache_size=-65536");
    run_sql(store, schemas[layout]);
    prepare(store, &store->insert,
            "INSERT INTO entries(position, conversation, offset, author, kind, mid, wall_ms, body,"
            " hash) VALUES(?,?,?,?,1,?,?,?,?)");
    prepare(store, &store->page,
            "SELECT offset, author, kind, mid, wall_ms, body FROM entries"
            " WHERE conversation = ? AND offset > ? ORDER BY offset LIMIT ?");
    prepare(store, &store->begin, "BEGIN IMMEDIATE");
    prepare(store, &store->commit, "COMMIT");
    for (unsigned i = 0; i < ALIVE; i++) { /* of all ages */
        store->alive[i].number = ++store->n_conversations;
        store->alive[i].offset = (uint32_t)(next_random(store) % ENTRIES_EACH);
    }
}

static void close_store(struct store *store)
{
    sqlite3_finalize(store->insert);
    sqlite3_finalize(store->page);
    sqlite3_finalize(store->begin);
    sqlite3_finalize(store->commit);
    check(store, sqlite3_close(store->db));
}

static void run_statement(struct store *store, sqlite3_stmt *statement)
{
    check(store, sqlite3_step(statement));
    sqlite3_reset(statement);
}

static void add_entry(struct store *store)
{
    unsigned char id[16], hash[32] = {0};
    char mid[40], body[100];
    unsigned i = (unsigned)(next_random(store) % ALIVE);
    if (store->alive[i].offset >= ENTRIES_EACH) {
        store->alive[i].number = ++store->n_conversations;
        store->alive[i].offset = 0;
    }
    uint64_t mixed = next_random(store);
    memcpy(hash, &mixed, sizeof mixed);
    make_id(store->alive[i].number, id);
    int mid_size = snprintf(mid, sizeof mid, "%08x-0000-4000-8000-%012" PRIx64,
                            (unsigned)(mixed >> 32), store->n_entries);
    int body_size = snprintf(body, sizeof body,
                             "{\"text\":\"sixty-four bytes of what a visitor might have to"
                             " say to an agent\"}");
    sqlite3_bind_int64(store->insert, 1, (sqlite3_int64)++store->n_entries);
    sqlite3_bind_blob(store->insert, 2, id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_int64(store->insert, 3, ++store->alive[i].offset);
    sqlite3_bind_blob(store->insert, 4, id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_text(store->insert, 5, mid, mid_size, SQLITE_STATIC);
    sqlite3_bind_int64(store->insert, 6, 1700000000000);
    sqlite3_bind_text(store->insert, 7, body, body_size, SQLITE_STATIC);
    sqlite3_bind_blob(store->insert, 8, hash, sizeof hash, SQLITE_STATIC);
    run_statement(store, store->insert);
}

static void add_group(struct store *store, unsigned n)
{
    run_statement(store, store->begin);
    for (unsigned i = 0; i < n; i++)
        add_entry(store);
    run_statement(store, store->commit);
}

static uint64_t own_cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000U +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void measure_writes(struct store *store, const char *layout, unsigned group, double seconds)
{
    struct histogram *commits = calloc(1, sizeof *commits);
    run_sql(store, "PRAGMA synchronous=FULL");
    uint64_t start = now_us(), cpu = own_cpu_us(), n = 0, size = store->n_entries;
    uint64_t end = start + (uint64_t)(seconds * 1e6);
    for (uint64_t now = start; now < end && commits != NULL; now = now_us()) {
        add_group(store, group);
        histogram_add(commits, now_us() - now);
        n += group;
    }
    printf("{\"figure\":\"write\",\"layout\":\"%s\",\"size\":%" PRIu64 ",\"group\":%u,"
           "\"cpu_us\":%.2f,\"per_s\":%.0f,\"group_p50_us\":%" PRIu64 ",\"group_p99_us\":%" PRIu64
           "}\n",
           layout, size, group, (double)(own_cpu_us() - cpu) / (double)n,
           (double)n * 1e6 / (double)(now_us() - start), histogram_at(commits, 0.5),
           histogram_at(commits, 0.99));
    fflush(stdout);
    free(commits);
}

static void measure_reads(struct store *store, const char *layout)
{
    struct histogram *reads = calloc(1, sizeof *reads);
    uint64_t cpu = own_cpu_us(), n_rows = 0;
    for (unsigned i = 0; i < READS && reads != NULL; i++) {
        unsigned char id[16];
        make_id((uint32_t)(next_random(store) % store->n_conversations) + 1, id);
        uint64_t start = now_us();
        sqlite3_bind_blob(store->page, 1, id, sizeof id, SQLITE_STATIC);
        sqlite3_bind_int64(store->page, 2, (sqlite3_int64)(next_random(store) % PAGE));
        sqlite3_bind_int64(store->page, 3, PAGE);
        int r;
        while ((r = sqlite3_step(store->page)) == SQLITE_ROW)
            n_rows += sqlite3_column_bytes(store->page, 5) > 0 ? 1 : 0;
        check(store, r);
        sqlite3_reset(store->page);
        histogram_add(reads, now_us() - start);
    }
    printf("{\"figure\":\"read\",\"layout\":\"%s\",\"size\":%" PRIu64 ",\"page\":%.1f,"
           "\"cpu_us\":%.1f,\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64 "}\n",
           layout, store->n_entries, (double)n_rows / READS, (double)(own_cpu_us() - cpu) / READS,
           histogram_at(reads, 0.5), histogram_at(reads, 0.99));
    fflush(stdout);
    free(reads);
}

static void measure_layout(const char *folder, unsigned layout, uint64_t size_max, double seconds)
{
    char path[1024];
    struct store store;
    snprintf(path, sizeof path, "%s/%s.db", folder, layout_names[layout]);
    open_store(&store, path, layout);
    for (unsigned group = 1; group <= 512; group *= 8)
        measure_writes(&store, layout_names[layout], group, seconds);
    for (uint64_t size = 100000; size <= size_max; size *= 10) {
        run_sql(&store, "PRAGMA synchronous=OFF");
        while (store.n_entries < size)
            add_group(&store, FILL_GROUP);
        run_sql(&store, "PRAGMA wal_checkpoint(TRUNCATE)");
        measure_reads(&store, layout_names[layout]);
        measure_writes(&store, layout_names[layout], 64, seconds);
        measure_writes(&store, layout_names[layout], 512, seconds);
    }
    close_store(&store);
    struct stat file = {0};
    if (stat(path, &file) == 0)
        printf("{\"figure\":\"file\",\"layout\":\"%s\",\"size\":%" PRIu64 ",\"bytes_each\":%.0f}\n",
               layout_names[layout], store.n_entries,
               (double)file.st_size / (double)store.n_entries);
    unlink(path);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: holdline-layout FOLDER ENTRIES_MAX SECONDS\n", stderr);
        return 2;
    }
    uint64_t size_max = strtoull(argv[2], NULL, 10);
    for (unsigned layout = 0; layout < 2; layout++)
        measure_layout(argv[1], layout, size_max, strtod(argv[3], NULL));
    return 0;
}
