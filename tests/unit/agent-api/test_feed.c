#include "agent-api/feed/feed.h"

#include "tests/unit/agent-api/api_fixture.h"

/* Starts what was prepared; it may stay open. */
static void start(struct fixture *f)
{
    hl_api_handle(f->api, &f->exchange.exchange);
    hl_fake_loop_run_all(&f->loop);
}

static void test_without_a_cursor_it_says_where_to_start(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"a\"}");
    prepare(f, ANN, HL_GET, "/v1/events");
    assert_int_equal(run(f), 200);
    assert_string_equal(
        hl_fake_exchange_text(&f->exchange),
        "{\"data\":[],\"ephemeral\":[],\"next_cursor\":\"5.1\",\"has_more\":false}");
}

static void test_a_long_poll_waits_for_news(void **state)
{
    struct fixture *f = *state;
    prepare(f, ANN, HL_GET, "/v1/events?cursor=5.0&wait=20");
    start(f);
    assert_false(f->exchange.is_answered);
    write_as_visitor(f, "v1", "{\"text\":\"a\"}");
    assert_true(f->exchange.is_answered);
    json_t *page = hl_fake_exchange_json(&f->exchange);
    const json_t *event = json_array_get(json_object_get(page, "data"), 0);
    assert_string_equal(json_string_value(json_object_get(event, "cursor")), "5.1");
    assert_int_equal(json_integer_value(json_object_get(event, "offset")), 1);
    assert_string_equal(json_string_value(json_object_get(page, "next_cursor")), "5.1");
    json_decref(page);
}

static void test_a_long_poll_ends_after_its_wait(void **state)
{
    struct fixture *f = *state;
    prepare(f, ANN, HL_GET, "/v1/events?cursor=5.0&wait=20");
    start(f);
    hl_fake_clock_advance(&f->clock, 19999);
    hl_api_tick(f->api);
    assert_false(f->exchange.is_answered);
    hl_fake_clock_advance(&f->clock, 1);
    hl_api_tick(f->api);
    assert_true(f->exchange.is_answered);
    assert_string_equal(
        hl_fake_exchange_text(&f->exchange),
        "{\"data\":[],\"ephemeral\":[],\"next_cursor\":\"5.0\",\"has_more\":false}");
}

static void test_pages_of_what_was_missed(void **state)
{
    struct fixture *f = *state;
    char mid[8];
    for (int i = 0; i < 5; i++) {
        snprintf(mid, sizeof(mid), "v%d", i);
        write_as_visitor(f, mid, "{\"text\":\"a\"}");
    }
    prepare(f, ANN, HL_GET, "/v1/events?cursor=start&limit=3");
    assert_int_equal(run(f), 200);
    json_t *page = hl_fake_exchange_json(&f->exchange);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 3);
    assert_true(json_is_true(json_object_get(page, "has_more")));
    json_decref(page);
    prepare(f, ANN, HL_GET, "/v1/events?cursor=5.3&limit=3");
    assert_int_equal(run(f), 200);
    page = hl_fake_exchange_json(&f->exchange);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 2);
    assert_true(json_is_false(json_object_get(page, "has_more")));
    json_decref(page);
}

static void test_cursors_that_are_not_good(void **state)
{
    struct fixture *f = *state;
    static const char *const expired[] = {"4.0", "6.0", "5.1"};
    static const char *const wrong[] = {"5", "x", "5.", ".5", "5.0.0", "-5.0", "5.-1"};
    char target[64];
    for (size_t i = 0; i < sizeof(expired) / sizeof(expired[0]); i++) {
        snprintf(target, sizeof(target), "/v1/events?cursor=%s", expired[i]);
        prepare(f, ANN, HL_GET, target);
        assert_int_equal(run(f), 410);
        assert_code(f, "cursor_expired");
        assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"resync_from\":\"5.0\""));
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(target, sizeof(target), "/v1/events?cursor=%s", wrong[i]);
        prepare(f, ANN, HL_GET, target);
        assert_int_equal(run(f), 422);
    }
}

static void open_stream(struct fixture *f, const char *last_id)
{
    prepare(f, ANN, HL_GET, "/v1/events");
    hl_fake_exchange_set(&f->exchange, HL_HEADER_ACCEPT, "text/event-stream");
    if (last_id != NULL)
        hl_fake_exchange_set(&f->exchange, HL_HEADER_LAST_EVENT_ID, last_id);
    start(f);
    assert_true(f->exchange.is_streaming);
    assert_string_equal(f->exchange.type, "text/event-stream");
}

static size_t count_events(struct fixture *f)
{
    size_t n_events = 0;
    const char *text = hl_fake_exchange_text(&f->exchange);
    for (const char *at = strstr(text, "\ndata: "); at != NULL; at = strstr(at + 1, "\ndata: "))
        n_events++;
    return n_events;
}

static void test_a_stream_goes_on_from_its_last_id(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"a\"}");
    write_as_visitor(f, "v2", "{\"text\":\"b\"}");
    open_stream(f, "5.1");
    assert_int_equal(count_events(f), 1);
    write_as_visitor(f, "v3", "{\"text\":\"c\"}");
    assert_int_equal(count_events(f), 2);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "id: 5.3\ndata: {"));
    hl_fake_exchange_drop(&f->exchange);
}

static void test_a_stream_has_heartbeats(void **state)
{
    struct fixture *f = *state;
    open_stream(f, NULL);
    size_t size = f->exchange.body.size;
    hl_fake_clock_advance(&f->clock, 15000);
    hl_api_tick(f->api);
    assert_string_equal(hl_fake_exchange_text(&f->exchange) + size, ":\n\n");
    hl_fake_exchange_drop(&f->exchange);
}

/* A peer that does not read costs nothing but a position, and misses nothing. */
static void test_a_slow_stream_is_not_buffered_for(void **state)
{
    struct fixture *f = *state;
    char mid[8];
    open_stream(f, NULL);
    f->exchange.is_ready = false;
    size_t size = f->exchange.body.size;
    for (int i = 0; i < 300; i++) {
        snprintf(mid, sizeof(mid), "v%d", i);
        write_as_visitor(f, mid, "{\"text\":\"a\"}");
    }
    assert_int_equal(f->exchange.body.size, size);
    f->exchange.is_ready = true;
    f->exchange.exchange.on_writable(&f->exchange.exchange);
    hl_fake_loop_run_all(&f->loop);
    assert_int_equal(count_events(f), 300);
    hl_fake_exchange_drop(&f->exchange);
}

static void test_a_revoked_key_ends_its_feeds(void **state)
{
    struct fixture *f = *state;
    open_stream(f, NULL);
    hl_api_tick(f->api);
    assert_false(f->exchange.is_answered);
    assert_int_equal(hl_directory_let_go(f->directory, &f->people[ANN].id), 0);
    hl_api_tick(f->api);
    assert_true(f->exchange.is_answered);
    prepare(f, BEN, HL_GET, "/v1/events?cursor=5.0");
    start(f);
    assert_int_equal(hl_directory_let_go(f->directory, &f->people[BEN].id), 0);
    hl_api_tick(f->api);
    assert_int_equal(f->exchange.status, 401);
}

static void test_draining_ends_feeds(void **state)
{
    struct fixture *f = *state;
    prepare(f, ANN, HL_GET, "/v1/events?cursor=5.0");
    start(f);
    hl_api_drain(f->api);
    assert_int_equal(f->exchange.status, 200);
    prepare(f, ANN, HL_GET, "/v1/events?cursor=5.0");
    assert_int_equal(run(f), 503);
    assert_code(f, "draining");
}

static void test_feeds_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct hl_fake_exchange others[FEEDS_MAX];
    for (size_t i = 0; i < FEEDS_MAX; i++) {
        hl_fake_exchange_init(&others[i], HL_GET, "/v1/events?cursor=5.0");
        hl_fake_exchange_set(&others[i], HL_HEADER_AUTHORIZATION, f->bearer[ANN]);
        hl_api_handle(f->api, &others[i].exchange);
    }
    prepare(f, ANN, HL_GET, "/v1/events?cursor=5.0");
    assert_int_equal(run(f), 429);
    assert_code(f, "too_many");
    for (size_t i = 0; i < FEEDS_MAX; i++) {
        hl_fake_exchange_drop(&others[i]);
        hl_fake_exchange_fini(&others[i]);
    }
}

static struct hl_delay *held; /* by the loop, until a test says that the time has come */

static void hold(struct hl_loop *loop, struct hl_delay *delay, uint32_t after_ms)
{
    (void)loop;
    assert_null(held);
    assert_in_range(after_ms, 20, 50);
    held = delay;
}

static void end_wait(struct fixture *f)
{
    struct hl_delay *delay = held;
    assert_non_null(delay);
    held = NULL;
    delay->task.run(&delay->task);
    hl_fake_loop_run_all(&f->loop);
}

static void open_streams(struct fixture *f, struct hl_fake_exchange *streams, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hl_fake_exchange_init(&streams[i], HL_GET, "/v1/events?presence=false");
        hl_fake_exchange_set(&streams[i], HL_HEADER_AUTHORIZATION, f->bearer[i % 2]);
        hl_fake_exchange_set(&streams[i], HL_HEADER_ACCEPT, "text/event-stream");
        hl_api_handle(f->api, &streams[i].exchange);
        hl_fake_loop_run_all(&f->loop);
        assert_true(streams[i].is_streaming);
    }
}

static bool holds(struct hl_fake_exchange *stream, const char *text)
{
    return strstr(hl_fake_exchange_text(stream), text) != NULL;
}

/* Each write costs more than what it carries. */
static void test_many_feeds_wait_for_a_round(void **state)
{
    enum { N = 16 };
    struct fixture *f = *state;
    struct hl_fake_exchange streams[N];
    struct hl_loop_ops ops = {.post = f->loop.loop.ops->post, .delay = hold};
    const struct hl_loop_ops *before = f->loop.loop.ops;
    f->loop.loop.ops = &ops;
    open_streams(f, streams, N);
    for (int round = 0; round < 2; round++) {
        char mids[2][8], ids[2][24];
        for (int i = 0; i < 2; i++) {
            snprintf(mids[i], sizeof(mids[i]), "v%d", 2 * round + i + 1);
            snprintf(ids[i], sizeof(ids[i]), "id: 5.%d\ndata: {", 2 * round + i + 1);
            write_as_visitor(f, mids[i], "{\"text\":\"a\"}");
        }
        hl_api_tick(f->api); /* does not bring it forward */
        hl_fake_loop_run_all(&f->loop);
        assert_false(holds(&streams[0], ids[0]));
        end_wait(f);
        for (size_t i = 0; i < N; i++)
            assert_true(holds(&streams[i], ids[0]) && holds(&streams[i], ids[1]));
        assert_null(held);
    }
    hl_fake_exchange_drop(&streams[N - 1]);
    hl_fake_exchange_fini(&streams[N - 1]);
    write_as_visitor(f, "v5", "{\"text\":\"a\"}"); /* few are served at once */
    for (size_t i = 0; i < N - 1; i++) {
        assert_true(holds(&streams[i], "id: 5.5\ndata: {"));
        hl_fake_exchange_drop(&streams[i]);
        hl_fake_exchange_fini(&streams[i]);
    }
    f->loop.loop.ops = before;
}

/* What is kept in memory is not outrun by the wait. */
static void test_a_round_begins_before_memory_is_full(void **state)
{
    enum { N = 16, WRITES = 200 };
    struct fixture *f = *state;
    struct hl_fake_exchange streams[N];
    struct hl_loop_ops ops = {.post = f->loop.loop.ops->post, .delay = hold};
    const struct hl_loop_ops *before = f->loop.loop.ops;
    char mid[8];
    f->loop.loop.ops = &ops;
    open_streams(f, streams, N);
    for (int i = 0; i < WRITES; i++) {
        snprintf(mid, sizeof(mid), "v%d", i);
        write_as_visitor(f, mid, "{\"text\":\"a\"}");
    }
    assert_true(holds(&streams[0], "id: 5.150\n"));
    end_wait(f);
    for (size_t i = 0; i < N; i++) {
        size_t n = 0;
        for (const char *at = hl_fake_exchange_text(&streams[i]);
             (at = strstr(at, "\ndata: {")) != NULL; at++)
            n++;
        assert_int_equal(n, WRITES);
        hl_fake_exchange_drop(&streams[i]);
        hl_fake_exchange_fini(&streams[i]);
    }
    f->loop.loop.ops = before;
}

/* A group of one entry. */
static struct hl_batch *make_group(enum hl_entry_kind kind, uint64_t position)
{
    struct hl_entry_fields fields = {
        .kind = kind, .mid = hl_bytes_of("m"), .body = hl_bytes_of("{\"text\":\"secret\"}")};
    struct hl_batch *batch = hl_batch_create(5, 1);
    assert_non_null(batch);
    batch->entries[0] = hl_entry_create(&fields);
    assert_non_null(batch->entries[0]);
    batch->entries[0]->position = position;
    return batch;
}

static void test_what_is_erased_is_forgotten_although_nobody_reads(void **state)
{
    struct hl_batch *said = make_group(HL_ENTRY_MESSAGE, 1);
    struct hl_batch *more = make_group(HL_ENTRY_MESSAGE, 2);
    struct hl_batch *erased = make_group(HL_ENTRY_ERASED, 3);
    struct hl_recent recent;
    (void)state;
    hl_recent_init(&recent);
    hl_recent_add(&recent, said);
    hl_recent_pass(&recent, more);
    assert_ptr_equal(hl_recent_find(&recent, 1), said);
    assert_null(hl_recent_find(&recent, 2));
    hl_recent_pass(&recent, erased);
    assert_null(hl_recent_find(&recent, 1));
    hl_recent_fini(&recent);
    hl_batch_unref(said);
    hl_batch_unref(more);
    hl_batch_unref(erased);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, drop_fixture)
    const struct CMUnitTest tests[] = {
        TEST(test_without_a_cursor_it_says_where_to_start),
        TEST(test_a_long_poll_waits_for_news),
        TEST(test_a_long_poll_ends_after_its_wait),
        TEST(test_pages_of_what_was_missed),
        TEST(test_cursors_that_are_not_good),
        TEST(test_a_stream_goes_on_from_its_last_id),
        TEST(test_a_stream_has_heartbeats),
        TEST(test_a_slow_stream_is_not_buffered_for),
        TEST(test_a_revoked_key_ends_its_feeds),
        TEST(test_draining_ends_feeds),
        TEST(test_feeds_are_bounded),
        TEST(test_many_feeds_wait_for_a_round),
        TEST(test_a_round_begins_before_memory_is_full),
        cmocka_unit_test(test_what_is_erased_is_forgotten_although_nobody_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
