/* Erasures that are carried out, and what retention ends: over a real log, its index and a
 * directory, with a clock moved by hand. */
#include "agent-api/person/jobs.h"

#include <sched.h>

#include "tests/unit/store/index_fixture.h"

#include "agent-api/person/job.h"

enum { DAY_MS = 86400000, PATIENCE_MS = 30000 };

struct house {
    struct fixture *store;
    struct hl_fake_loop loop; /* the directory's */
    struct hl_directory *directory;
    struct hl_jobs *jobs;
    bool is_closed;
};

static void fill_random(void *arg, void *out, size_t size)
{
    uint8_t *bytes = out;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)++ * (uint8_t *)arg;
}

static void note_closed(void *arg)
{
    ((struct house *)arg)->is_closed = true;
}

static void create_jobs(struct house *house)
{
    struct hl_jobs_config config = {.log = house->store->log,
                                    .loop = &house->store->client.loop.loop,
                                    .clock = &house->store->clock.clock,
                                    .directory = house->directory,
                                    .index = house->store->index,
                                    .sweep_s = 60};
    assert_int_equal(hl_jobs_create(&config, &house->jobs), 0);
    house->is_closed = false;
}

static void end_jobs(struct house *house)
{
    uint64_t until_ms = hl_clock_mono_ms(hl_clock_system()) + PATIENCE_MS;

    hl_jobs_close(house->jobs, note_closed, house);
    while (!house->is_closed && hl_clock_mono_ms(hl_clock_system()) < until_ms) {
        (void)hl_fake_loop_run_all(&house->loop);
        (void)hl_fake_loop_run_all(&house->store->client.loop);
        (void)sched_yield();
    }
    assert_true(house->is_closed);
}

static void open_house(struct house *house, struct fixture *store)
{
    static uint8_t seed;
    static const struct hl_random random = {.fill = fill_random, .arg = &seed};
    char path[200];
    struct hl_directory_config config = {
        .path = path, .clock = &store->clock.clock, .random = &random};

    (void)snprintf(path, sizeof(path), "%s/directory.db", store->folder.path);
    *house = (struct house){.store = store};
    hl_fake_loop_init(&house->loop);
    assert_int_equal(hl_directory_open(&config, &house->directory), 0);
    assert_int_equal(hl_directory_ensure_site(house->directory, "main"), 0);
}

static void close_house(struct house *house)
{
    end_jobs(house);
    hl_directory_close(house->directory);
    (void)hl_fake_loop_run_all(&house->loop);
    hl_fake_loop_fini(&house->loop);
}

static void apply(struct house *house, enum hl_directory_operation operation,
                  enum hl_record_kind kind, const char *id, const char *document)
{
    struct hl_directory_change change = {
        .operation = operation, .kind = kind, .document = hl_bytes_of(document), .now_ms = 1};

    (void)snprintf(change.id, sizeof(change.id), "%s", id);
    assert_int_equal(hl_directory_apply(house->directory, &change), 0);
    hl_buffer_fini(&change.answer);
}

/* Lets the jobs work until so many conversations are gone, whoever asked. */
static void work_until(struct house *house, uint64_t n_gone)
{
    struct hl_jobs_stats stats = {.erased = 0};
    uint64_t until_ms = hl_clock_mono_ms(hl_clock_system()) + PATIENCE_MS;

    do {
        hl_fake_clock_advance(&house->store->clock, 50);
        hl_jobs_tick(house->jobs);
        (void)hl_fake_loop_run_all(&house->loop);
        (void)hl_fake_loop_run_one(&house->store->client.loop); /* not one too many */
        hl_jobs_count(house->jobs, &stats);
        (void)sched_yield();
    } while (stats.erased + stats.expired < n_gone &&
             hl_clock_mono_ms(hl_clock_system()) < until_ms);
    assert_int_equal(stats.erased + stats.expired, n_gone);
}

/* As above, until the job says so. */
static json_t *work_until_done(struct house *house, const char *id)
{
    uint64_t until_ms = hl_clock_mono_ms(hl_clock_system()) + PATIENCE_MS;
    json_t *document = NULL;

    while (document == NULL && hl_clock_mono_ms(hl_clock_system()) < until_ms) {
        struct hl_directory_query query = {.kind = HL_RECORD_JOB, .limit = 1};
        hl_fake_clock_advance(&house->store->clock, 50);
        hl_jobs_tick(house->jobs);
        (void)hl_fake_loop_run_all(&house->loop);
        (void)hl_fake_loop_run_all(&house->store->client.loop);
        (void)snprintf(query.id, sizeof(query.id), "%s", id);
        assert_int_equal(hl_directory_look(house->directory, &query), 0);
        const json_t *status = json_object_get(query.items[0].document, "status");
        if (strcmp(json_string_value(status), "done") == 0)
            document = json_deep_copy(query.items[0].document);
        hl_directory_query_fini(&query);
        (void)sched_yield();
    }
    assert_non_null(document);
    return document;
}

static bool is_erased(struct fixture *store, uint64_t conversation)
{
    struct hl_log_find find = {.conversation = hl_test_id(conversation)};

    assert_int_equal(hl_log_client_find(&store->client, &find), 0);
    return find.found.is_erased;
}

static void test_retention(void **state)
{
    struct fixture *store = *state;
    struct house house;

    open_house(&house, store);
    apply(&house, HL_DIRECTORY_REPLACE, HL_RECORD_SITE, "main",
          "{\"name\":\"Main\",\"retention_days\":30}");
    hl_directory_start_on(house.directory, &house.loop.loop);
    /* 1 … 60: closed long ago; 61: open; 62: closed, but lately; 63: of another site */
    for (uint64_t i = 1; i <= 62; i++) {
        (void)say(store, i, "hello");
        if (i <= 60)
            (void)act(store, i, 9, HL_ENTRY_CLOSED, "{}");
    }
    (void)put(store, (struct hl_client_entry){.conversation = hl_test_id(63), .site = "other"});
    (void)act(store, 63, 9, HL_ENTRY_CLOSED, "{}");
    hl_fake_clock_advance(&store->clock, 31 * (uint64_t)DAY_MS);
    (void)act(store, 62, 9, HL_ENTRY_CLOSED, "{}");
    struct hl_index_list all = {.sort = HL_INDEX_NEWEST, .limit = 1};
    all.read.at_least = HL_INDEX_LATEST; /* the index has all of it */
    assert_int_equal(ask_list(store, &all), 0);
    hl_index_read_free(&all.read);

    create_jobs(&house);
    work_until(&house, 60);
    for (uint64_t i = 1; i <= 63; i++)
        assert_int_equal(is_erased(store, i), i <= 60);
    /* a day that has come for the last one; found with the next look */
    hl_fake_clock_advance(&store->clock, 31 * (uint64_t)DAY_MS);
    work_until(&house, 61);
    assert_true(is_erased(store, 62));
    assert_false(is_erased(store, 61));
    close_house(&house);
}

static void test_a_job_goes_on_where_it_was(void **state)
{
    static const char era[] = "era_00000000000000000000000000000001";
    struct fixture *store = *state;
    struct house house;
    struct hl_buffer document;

    open_house(&house, store);
    hl_buffer_init(&document, HL_JOB_DOCUMENT_MAX);
    hl_buffer_append_text(&document, "{\"conversations\":[");
    for (uint64_t i = 1; i <= 120; i++) {
        struct hl_id id = hl_test_id(i);
        char text[HL_ID_TEXT_SIZE];
        (void)say(store, i, "hello");
        hl_id_format(&id, HL_ID_CONVERSATION, text);
        hl_buffer_printf(&document, "%s\"%s\"", i > 1 ? "," : "", text);
    }
    hl_buffer_append_text(&document,
                          "],\"reason\":\"asked\",\"results\":[],\"status\":\"queued\"}");
    hl_buffer_append(&document, "", 1);
    apply(&house, HL_DIRECTORY_CREATE, HL_RECORD_JOB, era, document.data);
    hl_buffer_fini(&document);
    hl_directory_start_on(house.directory, &house.loop.loop);

    create_jobs(&house);
    work_until(&house, 70); /* some are kept with the job, some are not */
    end_jobs(&house);
    create_jobs(&house);
    json_t *done = work_until_done(&house, era);
    const json_t *results = json_object_get(done, "results");
    assert_int_equal(json_array_size(results), 120);
    for (size_t i = 0; i < 120; i++) {
        const json_t *result = json_array_get(results, i);
        assert_int_equal(json_integer_value(json_object_get(result, "erased_offset")), 2);
        assert_true(json_integer_value(json_object_get(result, "position")) > 120);
        assert_true(is_erased(store, i + 1));
    }
    json_decref(done);
    struct hl_log_info info;
    hl_log_info(store->log, &info);
    assert_int_equal(info.position, 240); /* each once */
    close_house(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_job_goes_on_where_it_was, setup, teardown),
    };

    return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
