/* The index: what it finds, in which order, and that it is only a projection. */
#include "tests/unit/store/index_fixture.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/file.h"

static void test_sorts_and_filters(void **state)
{
    struct fixture *f = *state;

    for (uint64_t i = 1; i <= 4; i++)
        say(f, i, "hello");
    act(f, 2, 7, HL_ENTRY_CLAIMED, "{}");
    act(f, 2, 7, HL_ENTRY_MESSAGE, "{\"text\":\"at once\"}");
    act(f, 3, 7, HL_ENTRY_CLOSED, "{}");
    say(f, 1, "still there?");
    assert_string_equal(page(f, (struct hl_index_list){.sort = HL_INDEX_NEWEST}), "4 3 2 1");
    assert_string_equal(page(f, (struct hl_index_list){.sort = HL_INDEX_OLDEST}), "1 2 3 4");
    assert_string_equal(page(f, (struct hl_index_list){.sort = HL_INDEX_UPDATED, .limit = 1}), "1");
    assert_string_equal(page(f, (struct hl_index_list){.sort = HL_INDEX_OLDEST_UNANSWERED}), "1 4");
    assert_string_equal(page(f, (struct hl_index_list){.sort = HL_INDEX_DUE}), "");
    assert_string_equal(page(f, (struct hl_index_list){.status = HL_STATUS_CLOSED}), "3");
    assert_string_equal(page(f, (struct hl_index_list){.status = HL_STATUS_OPEN}), "4 2 1");
    assert_string_equal(page(f, (struct hl_index_list){.unassigned_only = true}), "4 3 1");
    assert_string_equal(page(f, (struct hl_index_list){.assignee = hl_test_id(7)}), "2");
    assert_string_equal(page(f, (struct hl_index_list){.site = "main"}), "4 3 2 1");
    assert_string_equal(page(f, (struct hl_index_list){.site = "other"}), "");
    assert_string_equal(page(f, (struct hl_index_list){.opened_before_ms = 1000}), "");
    assert_string_equal(page(f, (struct hl_index_list){.opened_after_ms = 1000}), "4 3 2 1");
}

static void test_a_scope_hides(void **state)
{
    struct fixture *f = *state;
    struct hl_id inbox = hl_test_id(50);
    struct hl_index_get get = {.conversation = hl_test_id(2)};

    say(f, 1, "in no inbox");
    put(f, (struct hl_client_entry){.conversation = hl_test_id(2), .inbox = hl_test_id(51)});
    put(f, (struct hl_client_entry){.conversation = hl_test_id(3), .inbox = inbox});
    put(f, (struct hl_client_entry){.conversation = hl_test_id(4), .site = "other"});
    struct hl_index_scope scope = {.site = "main", .inboxes = &inbox, .n_inboxes = 1};
    assert_string_equal(page(f, (struct hl_index_list){.read.scope = scope}), "3 1");
    assert_string_equal(page(f, (struct hl_index_list){.inbox = inbox}), "3");
    get.read.scope = scope;
    get.read.at_least = HL_INDEX_LATEST;
    assert_int_equal(ask_get(f, &get), HL_INDEX_UNKNOWN);
    get.conversation = hl_test_id(3);
    assert_int_equal(ask_get(f, &get), 0);
    hl_index_read_free(&get.read);
}

static void test_a_form_tells_who(void **state)
{
    struct fixture *f = *state;
    struct hl_index_get get = {.conversation = hl_test_id(1)};
    struct hl_index_contacts contacts = {.limit = 10, .query = "ann lov"};
    struct hl_index_person person = {.email = "ANN@example.com"};

    for (uint64_t i = 1; i <= 2; i++)
        put(f, (struct hl_client_entry){
                   .conversation = hl_test_id(i),
                   .author = {.role = HL_ROLE_VISITOR, .id = hl_test_id(1000 + i)},
                   .kind = HL_ENTRY_FORM,
                   .body = "{\"contact\":{\"name\":\"Ann Lovelace\",\"email\":\"Ann@Example.com\"},"
                           "\"message\":{\"text\":\"Ein Fl\\u00fcgel, bitte\"},"
                           "\"context\":{\"page\":\"/pianos\"}}"});
    say(f, 3, "nobody special");
    get.read.at_least = HL_INDEX_LATEST;
    assert_int_equal(ask_get(f, &get), 0);
    assert_true(hl_bytes_is(get.found.name, "Ann Lovelace"));
    assert_true(hl_bytes_is(get.found.context, "{\"page\":\"/pianos\"}"));
    assert_true(hl_bytes_is(get.found.tags, "[]"));
    assert_true(hl_bytes_is(get.found.excerpt, "Ein Fl\xc3\xbcgel, bitte"));
    assert_false(get.found.is_verified);
    struct hl_id contact = get.found.contact;
    hl_index_read_free(&get.read);

    assert_string_equal(page(f, (struct hl_index_list){.contact = contact}), "2 1");
    assert_string_equal(find(f, "flugel"), "2 1");
    assert_string_equal(find(f, "ann@example.com"), "2 1");
    assert_string_equal(find(f, "HL-2"), "2");
    assert_int_equal(ask_contacts(f, &contacts), 0);
    assert_int_equal(contacts.n_items, 1);
    assert_true(hl_id_equal(&contacts.items[0].id, &contact));
    assert_int_equal(contacts.items[0].n_conversations, 2);
    assert_true(hl_bytes_is(contacts.items[0].email, "Ann@Example.com"));
    hl_index_read_free(&contacts.read);
    assert_int_equal(ask_person(f, &person), 0);
    assert_int_equal(person.n_conversations, 2);
    hl_index_read_free(&person.read);
    person.contact = hl_test_id(99);
    assert_int_equal(ask_person(f, &person), 0);
    assert_int_equal(person.n_conversations, 0);
    hl_index_read_free(&person.read);
}

static void test_hostile_queries_are_words(void **state)
{
    struct fixture *f = *state;
    static const char *const hostile[] = {"\"",
                                          "\"\"\"",
                                          "*",
                                          "hello*",
                                          "hello AND",
                                          "NEAR(",
                                          "hello OR world",
                                          "body:hello",
                                          "^hello",
                                          "(hello",
                                          "hello)",
                                          "-hello",
                                          "{a b}:c",
                                          "hello\\",
                                          "';DROP TABLE texts;--",
                                          "\xf0\x9f\x98\x80",
                                          "a b c d e f g h i j k l m n o p q r s t u v w x y z",
                                          "   ",
                                          "+",
                                          ":"};

    say(f, 1, "Hello, AND, NEAR and World");
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
        (void)find(f, hostile[i]); /* fails if it is an error */
    assert_string_equal(find(f, "hello and"), "1");
    assert_string_equal(find(f, "AND near"), "1");
    assert_string_equal(find(f, "hello wor"), "1");
    assert_string_equal(find(f, "hel world"), "");
    assert_string_equal(find(f, "hello !!"), "1");
    assert_string_equal(find(f, "!!"), "");
    assert_string_equal(find(f, "body:hello"), "");
}

static void test_pages_are_stable_under_inserts(void **state)
{
    struct fixture *f = *state;
    struct hl_index_list list = {.sort = HL_INDEX_NEWEST, .limit = 2};
    uint64_t expected = 6;

    for (uint64_t i = 1; i <= 6; i++)
        say(f, i, "hello");
    do {
        list.read.at_least = HL_INDEX_LATEST;
        assert_int_equal(ask_list(f, &list), 0);
        for (size_t i = 0; i < list.n_items; i++)
            assert_int_equal(list.items[i].state.id.b[15], expected--);
        hl_index_read_free(&list.read);
        list.has_cursor = true;
        list.cursor_key = list.next_key;
        list.cursor_number = list.next_number;
        say(f, 100 + expected, "another one");
    } while (list.has_more);
    assert_int_equal(expected, 0);
}

static void test_tags_and_fields_are_folded(void **state)
{
    struct fixture *f = *state;
    struct hl_index_get get = {.conversation = hl_test_id(1)};
    struct hl_index_tags tags = {.site = "main"};

    say(f, 1, "hello");
    say(f, 2, "hello");
    act(f, 1, 7, HL_ENTRY_UPDATED,
        "{\"tags\":[\"vip\",\"refund\"],\"custom_fields\":{\"a\":1,\"b\":{\"c\":2,\"d\":3}}}");
    act(f, 1, 7, HL_ENTRY_UPDATED, "{\"custom_fields\":{\"a\":null,\"b\":{\"c\":4}}}");
    act(f, 2, 7, HL_ENTRY_CLOSED, "{\"tags\":[\"vip\"]}");
    get.read.at_least = HL_INDEX_LATEST;
    assert_int_equal(ask_get(f, &get), 0);
    assert_true(hl_bytes_is(get.found.tags, "[\"vip\",\"refund\"]"));
    assert_true(hl_bytes_is(get.found.custom_fields, "{\"b\":{\"c\":4,\"d\":3}}"));
    hl_index_read_free(&get.read);
    assert_string_equal(page(f, (struct hl_index_list){.tags = {"vip"}, .n_tags = 1}), "2 1");
    assert_string_equal(page(f, (struct hl_index_list){.tags = {"vip", "refund"}, .n_tags = 2}),
                        "1");
    act(f, 1, 7, HL_ENTRY_UPDATED, "{\"tags\":[]}");
    assert_string_equal(page(f, (struct hl_index_list){.tags = {"refund"}, .n_tags = 1}), "");
    assert_int_equal(ask_tags(f, &tags), 0);
    assert_int_equal(tags.n_items, 1);
    assert_true(hl_bytes_is(tags.items[0].tag, "vip"));
    assert_int_equal(tags.items[0].count, 1);
    hl_index_read_free(&tags.read);
}

static void test_unread_is_what_was_not_read(void **state)
{
    struct fixture *f = *state;

    say(f, 1, "one");
    say(f, 1, "two");
    assert_int_equal(look(f, 1, 7).unread, 2);
    assert_int_equal(look(f, 1, 0).unread, 0);
    act(f, 1, 7, HL_ENTRY_NOTE, "{\"text\":\"seen\"}");
    assert_int_equal(look(f, 1, 7).unread, 0);
    assert_int_equal(look(f, 1, 8).unread, 2);
    uint64_t third = say(f, 1, "three");
    say(f, 1, "four");
    assert_int_equal(look(f, 1, 7).unread, 2);
    hl_log_mark(f->log, &(struct hl_log_mark){.conversation = hl_test_id(1),
                                              .participant = {HL_ROLE_AGENT, hl_test_id(7)},
                                              .delivered = third,
                                              .read = third});
    assert_int_equal(look(f, 1, 7).unread, 1);
}

static void test_timers(void **state)
{
    struct fixture *f = *state;
    struct hl_index_queue queue = {.site = "main"};

    say(f, 1, "hello");
    assert_int_equal(look(f, 1, 0).first_response_ms, 0);
    queue.read.at_least = HL_INDEX_LATEST;
    assert_int_equal(ask_queue(f, &queue), 0);
    assert_int_equal(queue.n_waiting, 1);
    assert_int_equal(queue.median_wait_ms, -1);
    hl_index_read_free(&queue.read);
    act(f, 1, 7, HL_ENTRY_MESSAGE, "{\"text\":\"hi\"}");
    struct hl_index_conversation answered = look(f, 1, 0);
    assert_true(answered.first_response_ms >= answered.state.opened_ms);
    assert_int_equal(answered.last_offset, 2);
    assert_int_equal(answered.last_role, HL_ROLE_AGENT);
    assert_int_equal(answered.closed_ms, 0);
    act(f, 1, 7, HL_ENTRY_CLOSED, "{}");
    assert_true(look(f, 1, 0).closed_ms > 0);
    queue.read.at_least = HL_INDEX_LATEST;
    assert_int_equal(ask_queue(f, &queue), 0);
    assert_int_equal(queue.n_waiting, 0);
    assert_true(queue.median_wait_ms >= 0);
    hl_index_read_free(&queue.read);
}

/* Asked by the index's own thread. */
static atomic_uint_fast64_t policy_version = 1;
static atomic_int minutes_allowed = 5;
static atomic_bool is_searched = true;

static int64_t make_due(void *arg, const struct hl_index_wait *wait)
{
    (void)arg;
    return wait->waiting_since_ms + atomic_load(&minutes_allowed) * INT64_C(60000);
}

static uint64_t tell_version(void *arg)
{
    (void)arg;
    return policy_version;
}

static bool tell_search(void *arg, const char *site)
{
    (void)arg;
    return is_searched || strcmp(site, "main") != 0;
}

static void test_settings_decide(void **state)
{
    struct fixture *f = *state;

    close_index(f);
    f->config.policy = (struct hl_index_policy){
        .due = make_due, .version = tell_version, .search_text = tell_search};
    open_index(f);
    say(f, 1, "secret word");
    struct hl_index_conversation waits = look(f, 1, 0);
    assert_int_equal(waits.due_ms, waits.state.waiting_since_ms + 300000);
    assert_string_equal(page(f, (struct hl_index_list){.sort = HL_INDEX_DUE}), "1");
    assert_string_equal(find(f, "secret"), "1");

    minutes_allowed = 7;
    policy_version++;
    while (look(f, 1, 0).due_ms != waits.state.waiting_since_ms + 420000) {
    }
    is_searched = false;
    policy_version++;
    while (find(f, "secret")[0] != '\0') {
    }
    assert_string_equal(find(f, "HL-1"), "1");
    act(f, 1, 7, HL_ENTRY_MESSAGE, "{\"text\":\"answered\"}");
    assert_int_equal(look(f, 1, 0).due_ms, 0);
    is_searched = true;
}

static bool file_holds(const char *path, const char *ending, const char *text)
{
    char name[200];
    char *data = calloc(1, 8 << 20);
    bool is_there = false;

    (void)snprintf(name, sizeof(name), "%s%s", path, ending);
    int fd = open(name, O_RDONLY);
    ssize_t size = fd < 0 ? 0 : read(fd, data, 8 << 20);
    if (size > 0)
        is_there = memmem(data, (size_t)size, text, strlen(text)) != NULL;
    if (fd >= 0)
        (void)close(fd);
    free(data);
    return is_there;
}

static void test_what_is_erased_is_gone(void **state)
{
    struct fixture *f = *state;
    struct hl_index_contacts contacts = {.limit = 10};
    struct hl_index_stats stats;

    for (uint64_t i = 2; i < 200; i++)
        say(f, i, "quagmire of words");
    put(f, (struct hl_client_entry){
               .conversation = hl_test_id(1),
               .kind = HL_ENTRY_FORM,
               .identity = "zebedee-id",
               .reference = "ZEBREF",
               .body = "{\"contact\":{\"name\":\"Zebedee\",\"email\":\"zebedee@example.com\"},"
                       "\"message\":{\"text\":\"xylophonic\"},\"context\":{\"page\":\"/zeb\"}}"});
    act(f, 1, 7, HL_ENTRY_UPDATED, "{\"tags\":[\"zebtag\"],\"custom_fields\":{\"z\":\"zebval\"}}");
    assert_string_equal(find(f, "xylophonic"), "1");
    act(f, 1, 7, HL_ENTRY_ERASED, "{}");
    assert_string_equal(find(f, "xylophonic"), "");
    assert_string_equal(find(f, "zebedee"), "");
    assert_string_equal(find(f, "zebref"), "");
    struct hl_index_conversation gone = look(f, 1, 0);
    assert_true(gone.state.is_erased);
    assert_true(gone.erased_ms > 0);
    assert_true(hl_id_is_zero(&gone.contact));
    assert_int_equal(gone.last_offset, 0);
    contacts.read.at_least = HL_INDEX_LATEST;
    (void)snprintf(contacts.query, sizeof(contacts.query), "zebedee");
    assert_int_equal(ask_contacts(f, &contacts), 0);
    assert_int_equal(contacts.n_items, 0);
    hl_index_read_free(&contacts.read);
    do {
        hl_index_stats(f->index, &stats);
    } while (stats.is_scrubbing || stats.applied < stats.log);
    static const char *const traces[] = {"xylophonic", "ebedee", "zebtag", "zebval", "/zeb"};
    for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
        assert_false(file_holds(f->index_path, "", traces[i]));
        assert_false(file_holds(f->index_path, "-wal", traces[i]));
    }
    assert_true(file_holds(f->index_path, "", "quagmire"));
}

static void test_reads_wait_for_their_position(void **state)
{
    struct fixture *f = *state;
    struct hl_log_info info;
    struct hl_index_get get = {.conversation = hl_test_id(1)};
    struct hl_index_stats stats;

    say(f, 1, "hello");
    hl_log_info(f->log, &info);
    get.read.at_least = info.position + 1;
    assert_int_equal(ask_get(f, &get), HL_INDEX_BEHIND);
    hl_index_stats(f->index, &stats);
    assert_int_equal(stats.behind, 1);
    get.read.at_least = info.position;
    assert_int_equal(ask_get(f, &get), 0);
    assert_true(get.read.applied >= info.position);
    hl_index_read_free(&get.read);
    get.conversation = hl_test_id(2);
    assert_int_equal(ask_get(f, &get), HL_INDEX_UNKNOWN);
}

static void test_a_queue_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct get_ask first = {.request = {.conversation = hl_test_id(1)}};
    struct get_ask second = first;

    close_index(f);
    f->config.queue_max = 1;
    open_index(f);
    first.request.done = end_get;
    first.request.read.loop = &f->client.loop.loop;
    first.request.read.at_least = 1; /* of nothing yet: waits */
    assert_int_equal(hl_index_get(f->index, &first.request), 0);
    second.request.done = end_get;
    second.request.read.loop = &f->client.loop.loop;
    assert_int_equal(hl_index_get(f->index, &second.request), HL_INDEX_BUSY);
    close_index(f);
    assert_true(hl_fake_loop_run_until(&f->client.loop, &first.awaited.is_done));
    assert_int_equal(first.awaited.r, HL_INDEX_CLOSED);
    f->config.queue_max = 0;
    open_index(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sorts_and_filters),
        TEST(test_a_scope_hides),
        TEST(test_a_form_tells_who),
        TEST(test_hostile_queries_are_words),
        TEST(test_pages_are_stable_under_inserts),
        TEST(test_tags_and_fields_are_folded),
        TEST(test_unread_is_what_was_not_read),
        TEST(test_timers),
        TEST(test_settings_decide),
        TEST(test_what_is_erased_is_gone),
        TEST(test_reads_wait_for_their_position),
        TEST(test_a_queue_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
