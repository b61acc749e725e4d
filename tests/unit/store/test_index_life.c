/* The index is a projection: killed at any moment, damaged, of another log, it ends up as if it
 * had been built in one go. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "store/index/schema.h"
#include "store/sqlite/file.h"
#include "tests/unit/store/index_fixture.h"

enum { ROUNDS = 6, CONVERSATIONS = 40, DUMP_SIZE_MAX = 64 * 1024 * 1024 };

/* A day's work in many conversations, different with each step. */
static void work(struct fixture *f, uint64_t step)
{
    uint64_t conversation = 1 + step * 7 % CONVERSATIONS + step / 400 * CONVERSATIONS;
    char body[256];

    switch (step % 9) {
    case 0:
        (void)snprintf(body, sizeof(body),
                       "{\"contact\":{\"name\":\"P%u\",\"email\":\"p%u@example.com\"},"
                       "\"message\":{\"text\":\"form %u\"},\"context\":{\"n\":%u}}",
                       (unsigned)(step % 11), (unsigned)(step % 13), (unsigned)step,
                       (unsigned)step);
        (void)put(f, (struct hl_client_entry){
                         .conversation = hl_test_id(conversation),
                         .author = {HL_ROLE_VISITOR, hl_test_id(1000 + conversation)},
                         .kind = HL_ENTRY_FORM,
                         .body = body});
        return;
    case 4:
        (void)snprintf(
            body, sizeof(body), "{\"tags\":[\"t%u\",\"u%u\"],\"custom_fields\":{\"k%u\":%u}}",
            (unsigned)(step % 5), (unsigned)(step % 3), (unsigned)(step % 4), (unsigned)step);
        say(f, conversation, "before tags");
        act(f, conversation, 7, HL_ENTRY_UPDATED, body);
        return;
    case 6:
        say(f, conversation, "before an answer");
        act(f, conversation, 7 + step % 2, HL_ENTRY_MESSAGE, "{\"text\":\"answer\"}");
        return;
    case 8:
        say(f, 9000 + step, "to be erased");
        act(f, 9000 + step, 7, HL_ENTRY_ERASED, "{}");
        return;
    default:
        say(f, conversation, "words of a visitor");
        return;
    }
}

/* Never returns: works, and tells of each step, until it is killed. */
static void work_until_killed(struct fixture *f, uint64_t first_step, int told)
{
    open_log(f);
    open_index(f);
    for (uint64_t step = first_step;; step++) {
        struct hl_index_list list = {.sort = HL_INDEX_NEWEST, .limit = 5};
        work(f, step);
        list.read.at_least = step % 16 == 0 ? HL_INDEX_LATEST : HL_INDEX_AS_IS;
        if (ask_list(f, &list) == 0)
            hl_index_read_free(&list.read);
        if (write(told, "x", 1) != 1)
            _exit(1);
    }
}

/* Kills a child that works, after it told of so many steps. */
static void kill_at_work(struct fixture *f, uint64_t first_step, unsigned n_steps)
{
    int ends[2];
    char byte = 0;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        work_until_killed(f, first_step, ends[1]);
    }
    (void)close(ends[1]);
    for (unsigned i = 0; i < n_steps; i++)
        assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ends[0]);
}

static void await_level(struct fixture *f)
{
    struct hl_index_stats stats;

    do {
        hl_index_stats(f->index, &stats);
        assert_int_equal(stats.failure, 0);
    } while (stats.applied < stats.log || stats.is_scrubbing);
}

static void dump_query(sqlite3 *db, const char *sql, struct hl_buffer *out)
{
    sqlite3_stmt *rows = NULL;

    assert_int_equal(hl_sqlite_prepare(db, sql, &rows), 0);
    while (hl_sqlite_step(rows) == 0) {
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            struct hl_bytes value = hl_sqlite_column_bytes(rows, i);
            hl_buffer_append_bytes(out, value);
            hl_buffer_append_text(out, "|");
        }
        hl_buffer_append_text(out, "\n");
    }
    (void)sqlite3_finalize(rows);
}

/* All that the file tells. Numbers of contacts depend on the batches and are left out. */
static void dump_index(struct fixture *f, struct hl_buffer *out)
{
    static const char *const queries[] = {
        "SELECT epoch, position, needs_scrub FROM meta",
        "SELECT * FROM sites ORDER BY 1",
        "SELECT * FROM conversations ORDER BY number",
        "SELECT * FROM tags ORDER BY 1, 2",
        "SELECT * FROM addresses ORDER BY 1, 2",
        "SELECT * FROM heard ORDER BY 1, 2",
        "SELECT * FROM voices ORDER BY 1, 2",
        ("SELECT id, site, name, email, phone, identity, first_ms, last_ms, n_conversations "
         "FROM contacts ORDER BY id"),
        "SELECT c.id, p.body FROM people p JOIN contacts c ON c.number = p.rowid ORDER BY c.id",
        "SELECT rowid, body FROM texts ORDER BY rowid",
        "SELECT rowid FROM texts WHERE texts MATCH 'words OR answer OR form' ORDER BY rowid",
    };
    sqlite3 *db = NULL;
    uint64_t position = 0;
    struct hl_log_info info;

    hl_log_info(f->log, &info);
    assert_int_equal(hl_index_file_open(f->index_path, info.epoch, &db, &position), 0);
    hl_buffer_init(out, DUMP_SIZE_MAX);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
        dump_query(db, queries[i], out);
    hl_index_file_close(db);
    assert_false(hl_buffer_failed(out));
}

/* Whether the index, brought level, tells the same as one built from the beginning. */
static bool equals_a_rebuild(struct fixture *f)
{
    struct hl_buffer grown;
    struct hl_buffer built;

    open_index(f);
    await_level(f);
    close_index(f);
    dump_index(f, &grown);
    assert_int_equal(hl_index_file_remove(f->index_path), 0);
    open_index(f);
    await_level(f);
    close_index(f);
    dump_index(f, &built);
    bool is_same = hl_bytes_equal(hl_buffer_bytes(&grown), hl_buffer_bytes(&built));
    hl_buffer_fini(&grown);
    hl_buffer_fini(&built);
    return is_same;
}

static void stop_all(struct fixture *f)
{
    close_index(f);
    close_log(f);
}

/* What teardown expects. */
static void start_all(struct fixture *f)
{
    open_log(f);
    open_index(f);
}

static void test_killed_at_any_moment(void **state)
{
    struct fixture *f = *state;

    stop_all(f);
    for (unsigned round = 0; round < ROUNDS; round++) {
        kill_at_work(f, 1000 * round, 50 + round * 83);
        open_log(f);
        assert_true(equals_a_rebuild(f));
        close_log(f);
    }
    start_all(f);
}

/* The test above must be able to fail: a position that runs ahead of its rows is found. */
static void test_a_planted_fault_is_found(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = NULL;

    for (uint64_t step = 0; step < 50; step++)
        work(f, step);
    await_level(f);
    close_index(f);
    say(f, 1, "this one is missed");
    assert_int_equal(hl_sqlite_file_open(f->index_path, NULL, HL_SQLITE_WRITE, &db), 0);
    assert_int_equal(hl_sqlite_run(db, "UPDATE meta SET position = position + 1"), 0);
    hl_sqlite_file_close(db);
    assert_false(equals_a_rebuild(f));
    assert_true(equals_a_rebuild(f));
    open_index(f);
}

static void test_of_another_log(void **state)
{
    static const char *const lies[] = {
        "UPDATE meta SET epoch = epoch + 1", "UPDATE meta SET position = position + 5",
        "PRAGMA user_version = 99", "PRAGMA application_id = 1", "DROP TABLE meta"};
    struct fixture *f = *state;
    struct hl_index_stats stats;

    say(f, 1, "hello");
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        sqlite3 *db = NULL;
        close_index(f);
        assert_int_equal(hl_sqlite_file_open(f->index_path, NULL, HL_SQLITE_WRITE, &db), 0);
        assert_int_equal(hl_sqlite_run(db, lies[i]), 0);
        hl_sqlite_file_close(db);
        open_index(f);
        await_level(f);
        hl_index_stats(f->index, &stats);
        assert_int_equal(stats.rebuilds, 1);
        assert_string_equal(find(f, "hello"), "1");
    }
}

/* Damage that shows only when it is read: the file is built again while it is served. */
static void test_damaged_pages(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    struct hl_index_list list = {.sort = HL_INDEX_UPDATED, .limit = 200};
    int r = 0;

    for (uint64_t i = 1; i <= 200; i++)
        say(f, i, "hello");
    await_level(f);
    close_index(f);
    sqlite3 *db = NULL;
    assert_int_equal(hl_sqlite_file_open(f->index_path, NULL, HL_SQLITE_WRITE, &db), 0);
    assert_int_equal(hl_sqlite_run(db, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
    hl_sqlite_file_close(db);
    assert_int_equal(stat(f->index_path, &status), 0);
    int fd = open(f->index_path, O_WRONLY);
    char *garbage = malloc((size_t)status.st_size);
    memset(garbage, 0xa5, (size_t)status.st_size);
    off_t half = status.st_size / 2 / 4096 * 4096;
    assert_true(pwrite(fd, garbage, (size_t)(status.st_size - half), half) > 0);
    free(garbage);
    (void)close(fd);

    open_index(f);
    do {
        list.read.at_least = HL_INDEX_LATEST;
        r = ask_list(f, &list);
    } while (r == HL_INDEX_BEHIND);
    assert_int_equal(r, 0);
    assert_int_equal(list.n_items, 200);
    hl_index_read_free(&list.read);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_killed_at_any_moment),
        TEST(test_a_planted_fault_is_found),
        TEST(test_of_another_log),
        TEST(test_damaged_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
