/* Feeds over WebSocket, and what is told without being stored. */
#include "agent-api/feed/presence.h"

#include "tests/unit/agent-api/api_fixture.h"

static void start(struct fixture *f, struct hl_fake_exchange *exchange)
{
    hl_api_handle(f->api, &exchange->exchange);
    hl_fake_loop_run_all(&f->loop);
}

/* A WebSocket of one of the people, or, below 0, of nobody yet. */
static void open_socket(struct fixture *f, int who, const char *query)
{
    char target[256];
    snprintf(target, sizeof(target), "/v1/events%s", query);
    prepare(f, who, HL_GET, target);
    f->exchange.exchange.is_socket = true;
    start(f, &f->exchange);
}

static size_t count(struct fixture *f, const char *part)
{
    size_t n = 0;
    for (const char *at = strstr(hl_fake_exchange_text(&f->exchange), part); at != NULL;
         at = strstr(at + 1, part))
        n++;
    return n;
}

static void write_many(struct fixture *f, int n)
{
    char mid[16];
    for (int i = 0; i < n; i++) {
        snprintf(mid, sizeof(mid), "v%d", i);
        write_as_visitor(f, mid, "{\"text\":\"a\"}");
    }
}

static void pass_time(struct fixture *f, uint64_t ms)
{
    hl_fake_clock_advance(&f->clock, ms);
    hl_api_tick(f->api);
    hl_fake_loop_run_all(&f->loop);
}

static void it_says_where_it_stands_and_goes_on(void **state)
{
    struct fixture *f = *state;
    open_socket(f, ANN, "");
    assert_string_equal(
        hl_fake_exchange_text(&f->exchange),
        "{\"t\":\"events\",\"data\":[],\"next_cursor\":\"5.0\",\"has_more\":false}");
    write_many(f, 2);
    assert_int_equal(count(f, "\"cursor\":\"5."), 2);
    assert_int_equal(count(f, "\"type\":\"conversation.created\",\"site\":\"shop\",\"inbox\":null"),
                     1);
    hl_fake_exchange_say(&f->exchange, "{\"t\":\"ping\"}");
    assert_int_equal(count(f, "{\"t\":\"pong\"}"), 1);
    hl_fake_exchange_drop(&f->exchange);
}

static void it_sends_no_more_than_its_credit(void **state)
{
    struct fixture *f = *state;
    open_socket(f, ANN, "");
    write_many(f, 300);
    assert_int_equal(count(f, "\"cursor\":\"5."), HL_FEED_CREDIT);
    hl_fake_exchange_say(&f->exchange, "{\"t\":\"ack\",\"cursor\":\"5.10\"}");
    hl_fake_loop_run_all(&f->loop);
    assert_int_equal(count(f, "\"cursor\":\"5."), HL_FEED_CREDIT + 10);
    hl_fake_exchange_say(&f->exchange, "{\"t\":\"ack\",\"cursor\":\"5.256\"}");
    hl_fake_loop_run_all(&f->loop);
    assert_int_equal(count(f, "\"cursor\":\"5."), 300);
    hl_fake_exchange_say(&f->exchange, "{\"t\":\"ack\",\"cursor\":\"5.301\"}");
    assert_string_equal(f->exchange.type, "invalid_frame");
}

static void who_it_is_may_be_said_by_a_frame(void **state)
{
    struct fixture *f = *state;
    char auth[128];
    open_socket(f, -1, "?cursor=start");
    write_many(f, 1);
    assert_int_equal(f->exchange.body.size, 0);
    snprintf(auth, sizeof(auth), "{\"t\":\"auth\",\"token\":\"%s\"}",
             f->bearer[ANN] + strlen("Bearer "));
    hl_fake_exchange_say(&f->exchange, auth);
    hl_fake_loop_run_all(&f->loop);
    assert_int_equal(count(f, "\"cursor\":\"5.1\""), 1);
    hl_fake_exchange_drop(&f->exchange);
    open_socket(f, -1, "");
    hl_fake_exchange_say(&f->exchange, "{\"t\":\"auth\",\"token\":\"hlk_no\"}");
    assert_string_equal(f->exchange.type, "unauthorized");
    open_socket(f, -1, "");
    pass_time(f, 9999);
    assert_false(f->exchange.is_answered);
    pass_time(f, 1);
    assert_int_equal(f->exchange.status, 4010);
}

static void strangers_keep_no_agents_out(void **state)
{
    struct fixture *f = *state;
    struct hl_fake_exchange others[FEEDS_MAX];
    int n_in = 0;
    for (int i = 0; i < FEEDS_MAX; i++) {
        hl_fake_exchange_init(&others[i], HL_GET, "/v1/events");
        others[i].exchange.is_socket = true;
        start(f, &others[i]);
        n_in += others[i].is_answered ? 0 : 1;
    }
    assert_in_range(n_in, 1, FEEDS_MAX / 2);
    assert_int_equal(others[FEEDS_MAX - 1].status, 4100);
    for (int i = 0; i < FEEDS_MAX / 2; i++) {
        open_socket(f, ANN, "");
        assert_false(f->exchange.is_answered);
        hl_fake_exchange_drop(&f->exchange);
    }
    pass_time(f, 10000);
    for (int i = 0; i < FEEDS_MAX; i++) {
        assert_true(others[i].is_answered);
        hl_fake_exchange_fini(&others[i]);
    }
    open_socket(f, -1, "");
    assert_false(f->exchange.is_answered);
    hl_fake_exchange_drop(&f->exchange);
}

static void a_silent_peer_is_gone(void **state)
{
    struct fixture *f = *state;
    open_socket(f, ANN, "");
    for (int i = 0; i < 3; i++)
        pass_time(f, 15000);
    assert_int_equal(count(f, "{\"t\":\"ping\"}"), 3);
    assert_false(f->exchange.is_answered);
    pass_time(f, 15000);
    assert_string_equal(f->exchange.type, "timeout");
}

static void draining_and_revoking_end_it(void **state)
{
    struct fixture *f = *state;
    open_socket(f, ANN, "");
    assert_int_equal(hl_directory_let_go(f->directory, &f->people[ANN].id), 0);
    pass_time(f, 1);
    assert_int_equal(f->exchange.status, 4010);
    open_socket(f, BEN, "");
    hl_api_drain(f->api);
    assert_int_equal(f->exchange.status, 4200);
}

/* Trimmed entries are a gap, and a gap is told: on each transport, at the start and later. */
static void a_gap_is_never_silent(void **state)
{
    static const char resync[] = "\"resync_from\":\"5.3\"";
    struct fixture *f = *state;
    write_many(f, 5);
    hl_log_memory_trim(f->log, &f->conversation, 3);
    open_socket(f, ANN, "?cursor=5.1");
    assert_int_equal(f->exchange.status, 4019);
    assert_int_equal(count(f, resync), 1);
    prepare(f, ANN, HL_GET, "/v1/events?cursor=5.1");
    assert_int_equal(run(f), 410);
    assert_int_equal(count(f, resync), 1);
    prepare(f, ANN, HL_GET, "/v1/events");
    hl_fake_exchange_set(&f->exchange, HL_HEADER_ACCEPT, "text/event-stream");
    hl_fake_exchange_set(&f->exchange, HL_HEADER_LAST_EVENT_ID, "5.0");
    assert_int_equal(run(f), 410);
    prepare(f, ANN, HL_GET, "/v1/events?cursor=5.3");
    assert_int_equal(run(f), 200);
    assert_int_equal(count(f, "\"cursor\":\"5."), 2);
    prepare(f, ANN, HL_GET, "/v1/events?cursor=start");
    assert_int_equal(run(f), 200); /* from what there is */
    assert_int_equal(count(f, "\"cursor\":\"5."), 2);
}

/* Another person's request below the conversation, while f->exchange is open. */
static int say(struct fixture *f, int who, const char *body)
{
    struct hl_fake_exchange other;
    char target[256];
    snprintf(target, sizeof(target), "%s/presence", f->path);
    hl_fake_exchange_init(&other, HL_PUT, target);
    hl_fake_exchange_set(&other, HL_HEADER_AUTHORIZATION, f->bearer[who]);
    hl_fake_exchange_set_body(&other, "application/json", body);
    start(f, &other);
    int status = other.status;
    hl_fake_exchange_fini(&other);
    return status;
}

static void who_looks_is_told_to_others_and_forgotten(void **state)
{
    struct fixture *f = *state;
    write_many(f, 1);
    open_socket(f, ANN, "");
    assert_int_equal(say(f, BEN, "{\"viewing\":true,\"typing\":true}"), 204);
    assert_int_equal(count(f, "\"what\":\"viewing\",\"on\":true"), 1);
    assert_int_equal(count(f, "\"what\":\"typing\",\"on\":true"), 1);
    assert_int_equal(say(f, ANN, "{\"viewing\":true}"), 204); /* not told of herself */
    assert_int_equal(count(f, "\"what\":\"viewing\",\"on\":true"), 1);
    pass_time(f, HL_TYPING_MS);
    assert_int_equal(count(f, "\"what\":\"typing\",\"on\":false"), 1);
    assert_int_equal(count(f, "\"what\":\"viewing\",\"on\":false"), 0);
    assert_int_equal(say(f, BEN, "{\"viewing\":true}"), 204); /* repeated: goes on */
    pass_time(f, HL_VIEWING_MS - 1);
    assert_int_equal(count(f, "\"what\":\"viewing\",\"on\":false"), 0);
    pass_time(f, 1);
    assert_int_equal(count(f, "\"what\":\"viewing\",\"on\":false"), 1);
    hl_fake_exchange_drop(&f->exchange);
}

static void a_newcomer_is_shown_who_looks(void **state)
{
    struct fixture *f = *state;
    write_many(f, 1);
    assert_int_equal(say(f, BEN, "{\"viewing\":true}"), 204);
    open_socket(f, ANN, "");
    assert_int_equal(count(f, "\"what\":\"viewing\",\"on\":true"), 1);
    hl_fake_exchange_drop(&f->exchange);
    assert_int_equal(say(f, BEN, "{\"viewing\":false}"), 204);
    open_socket(f, ANN, "");
    assert_int_equal(count(f, "\"what\":\"viewing\""), 0);
    hl_fake_exchange_drop(&f->exchange);
}

static void an_agent_who_comes_back_was_never_away(void **state)
{
    struct fixture *f = *state;
    struct hl_fake_exchange bens;
    open_socket(f, ANN, "");
    for (int i = 0; i < 2; i++) {
        hl_fake_exchange_init(&bens, HL_GET, "/v1/events?cursor=5.0");
        hl_fake_exchange_set(&bens, HL_HEADER_AUTHORIZATION, f->bearer[BEN]);
        start(f, &bens);
        hl_fake_exchange_drop(&bens);
        hl_fake_exchange_fini(&bens);
        pass_time(f, 4000);
    }
    assert_int_equal(count(f, "\"what\":\"online\",\"on\":true"), 1);
    assert_int_equal(count(f, "\"what\":\"online\",\"on\":false"), 0);
    assert_true(hl_online_has(f->online, &f->people[BEN].id));
    pass_time(f, 1000);
    assert_int_equal(count(f, "\"what\":\"online\",\"on\":false"), 1);
    assert_false(hl_online_has(f->online, &f->people[BEN].id));
    hl_fake_exchange_drop(&f->exchange);
}

/* Who is bound to another site gets no event of this one, and finds no conversation. */
static void a_site_is_closed_to_those_of_another(void **state)
{
    struct fixture *f = *state;
    struct hl_person_wish wish = {.name = "Eve", .site = "elsewhere", .role = HL_KEY_SUPERVISOR};
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_id id;
    assert_int_equal(hl_directory_add_person(f->directory, &wish, secret, &id), 0);
    snprintf(f->bearer[BEN], sizeof(f->bearer[BEN]), "Bearer %s", secret);
    open_socket(f, BEN, "?cursor=start");
    write_many(f, 3);
    assert_int_equal(say(f, ANN, "{\"viewing\":true}"), 204);
    assert_int_equal(say(f, BEN, "{\"viewing\":true}"), 404);
    assert_int_equal(count(f, "\"type\":"), 0);
    assert_int_equal(count(f, "viewing"), 0);
    pass_time(f, 15000);
    assert_int_equal(count(f, "\"next_cursor\":\"5.3\""), 1); /* it need not read them again */
    hl_fake_exchange_drop(&f->exchange);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, drop_fixture)
    const struct CMUnitTest tests[] = {
        TEST(it_says_where_it_stands_and_goes_on),
        TEST(it_sends_no_more_than_its_credit),
        TEST(who_it_is_may_be_said_by_a_frame),
        TEST(strangers_keep_no_agents_out),
        TEST(a_silent_peer_is_gone),
        TEST(draining_and_revoking_end_it),
        TEST(a_gap_is_never_silent),
        TEST(who_looks_is_told_to_others_and_forgotten),
        TEST(a_site_is_closed_to_those_of_another),
        TEST(a_newcomer_is_shown_who_looks),
        TEST(an_agent_who_comes_back_was_never_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
