#include "session/frame.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/frame_text.h"

#define C "cnv_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"

static json_t *parse(const char *text)
{
    json_t *value = NULL;

    assert_int_equal(hl_json_parse(hl_bytes_of(text), NULL, 0, &value), 0);
    return value;
}

static void test_good_frames(void **state)
{
    static const struct {
        enum hl_frame_type type;
        const char *text;
    } cases[] = {
        {HL_FRAME_HELLO, "{\"t\":\"hello\",\"v\":1}"},
        {HL_FRAME_HELLO,
         "{\"t\":\"hello\",\"v\":1,\"token\":\"x\",\"site\":\"s\",\"seq\":9,"
         "\"pos\":[{\"c\":\"" C "\",\"e\":\"7\",\"o\":3}],\"context\":{},\"new\":1}"},
        {HL_FRAME_HELLO, "{\"t\":\"hello\",\"v\":1,\"inbox\":\"Returns\","
                         "\"identity\":{\"id\":\"c-1\",\"hash\":\"00\"}}"},
        {HL_FRAME_PUB, "{\"t\":\"pub\",\"mid\":\"a\",\"body\":{\"text\":\"x\"}}"},
        {HL_FRAME_PUB, "{\"t\":\"pub\",\"mid\":\"a\",\"kind\":\"form\",\"body\":{},\"if_seen\":0}"},
        {HL_FRAME_ACK, "{\"t\":\"ack\",\"o\":0}"},
        {HL_FRAME_ACK,
         "{\"t\":\"ack\",\"c\":\"" C "\",\"e\":\"1\",\"o\":9007199254740991,\"read\":2}"},
        {HL_FRAME_CREDIT, "{\"t\":\"credit\",\"n\":512}"},
        {HL_FRAME_TYPING, "{\"t\":\"typing\",\"on\":false}"},
        {HL_FRAME_SUB, "{\"t\":\"sub\",\"c\":\"" C "\",\"after\":4,\"e\":\"1\"}"},
        {HL_FRAME_UNSUB, "{\"t\":\"unsub\",\"c\":\"" C "\"}"},
        {HL_FRAME_HIST, "{\"t\":\"hist\",\"after\":0}"},
        {HL_FRAME_PING, "{\"t\":\"ping\",\"ts\":1.5}"},
        {HL_FRAME_PONG, "{\"t\":\"pong\"}"},
        {HL_FRAME_AUTH, "{\"t\":\"auth\"}"},
        {HL_FRAME_BYE, "{\"t\":\"bye\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hl_frame frame;
        struct hl_fault fault;
        json_t *value = parse(cases[i].text);
        assert_int_equal(hl_frame_decode(value, &frame, &fault), 0);
        assert_int_equal(frame.type, cases[i].type);
        json_decref(value);
    }
}

static const struct {
    const char *text;
    enum hl_problem_code code;
    const char *pointer;
} faults[] = {
    {"1", HL_PROBLEM_INVALID_FRAME, ""},
    {"[]", HL_PROBLEM_INVALID_FRAME, ""},
    {"{}", HL_PROBLEM_INVALID_FRAME, ""},
    {"{\"t\":1}", HL_PROBLEM_INVALID_FRAME, ""},
    {"{\"t\":\"nope\"}", HL_PROBLEM_UNKNOWN_FRAME, ""},
    {"{\"t\":\"hello\"}", HL_PROBLEM_INVALID_FIELD, "/v"},
    {"{\"t\":\"hello\",\"v\":\"1\"}", HL_PROBLEM_INVALID_FIELD, "/v"},
    {"{\"t\":\"hello\",\"v\":1,\"token\":\"\"}", HL_PROBLEM_INVALID_FIELD, "/token"},
    {"{\"t\":\"hello\",\"v\":1,\"inbox\":7}", HL_PROBLEM_INVALID_FIELD, "/inbox"},
    {"{\"t\":\"hello\",\"v\":1,\"identity\":\"c-1\"}", HL_PROBLEM_INVALID_FIELD, "/identity"},
    {"{\"t\":\"hello\",\"v\":1,\"identity\":{\"id\":\"c-1\"}}", HL_PROBLEM_INVALID_FIELD,
     "/identity"},
    {"{\"t\":\"hello\",\"v\":1,\"identity\":{\"id\":\"a\\nb\",\"hash\":\"0\"}}",
     HL_PROBLEM_INVALID_FIELD, "/identity"},
    {"{\"t\":\"hello\",\"v\":1,\"seq\":0}", HL_PROBLEM_INVALID_FIELD, "/seq"},
    {"{\"t\":\"hello\",\"v\":1,\"pos\":{}}", HL_PROBLEM_INVALID_FIELD, "/pos"},
    {"{\"t\":\"hello\",\"v\":1,\"pos\":[1]}", HL_PROBLEM_INVALID_FIELD, "/pos/0/c"},
    {"{\"t\":\"hello\",\"v\":1,\"pos\":[{\"c\":\"" C "\",\"e\":\"1\",\"o\":-1}]}",
     HL_PROBLEM_INVALID_FIELD, "/pos/0/o"},
    {"{\"t\":\"pub\"}", HL_PROBLEM_INVALID_FIELD, "/mid"},
    {"{\"t\":\"pub\",\"mid\":\"a b\",\"body\":{\"text\":\"x\"}}", HL_PROBLEM_INVALID_FIELD, "/mid"},
    {"{\"t\":\"pub\",\"mid\":\"a\"}", HL_PROBLEM_INVALID_FIELD, "/body"},
    {"{\"t\":\"pub\",\"mid\":\"a\",\"body\":[]}", HL_PROBLEM_INVALID_FIELD, "/body"},
    {"{\"t\":\"pub\",\"mid\":\"a\",\"body\":{}}", HL_PROBLEM_INVALID_FIELD, "/body/text"},
    {"{\"t\":\"pub\",\"mid\":\"a\",\"body\":{\"text\":\"\"}}", HL_PROBLEM_INVALID_FIELD,
     "/body/text"},
    {"{\"t\":\"pub\",\"mid\":\"a\",\"kind\":\"claimed\",\"body\":{}}", HL_PROBLEM_INVALID_FIELD,
     "/kind"},
    {"{\"t\":\"pub\",\"mid\":\"a\",\"seq\":1.5,\"body\":{\"text\":\"x\"}}",
     HL_PROBLEM_INVALID_FIELD, "/seq"},
    {"{\"t\":\"ack\"}", HL_PROBLEM_INVALID_FIELD, "/o"},
    {"{\"t\":\"ack\",\"o\":9007199254740992}", HL_PROBLEM_INVALID_FIELD, "/o"},
    {"{\"t\":\"ack\",\"o\":1,\"c\":\"cnv_1\"}", HL_PROBLEM_INVALID_FIELD, "/c"},
    {"{\"t\":\"ack\",\"o\":1,\"e\":1}", HL_PROBLEM_INVALID_FIELD, "/e"},
    {"{\"t\":\"credit\",\"n\":0}", HL_PROBLEM_INVALID_FIELD, "/n"},
    {"{\"t\":\"credit\",\"n\":513}", HL_PROBLEM_INVALID_FIELD, "/n"},
    {"{\"t\":\"typing\",\"on\":1}", HL_PROBLEM_INVALID_FIELD, "/on"},
    {"{\"t\":\"sub\"}", HL_PROBLEM_INVALID_FIELD, "/c"},
    {"{\"t\":\"hist\"}", HL_PROBLEM_INVALID_FIELD, "/after"},
    {"{\"t\":\"ping\",\"ts\":{}}", HL_PROBLEM_INVALID_FIELD, "/ts"},
    {"{\"t\":\"auth\",\"token\":7}", HL_PROBLEM_INVALID_FIELD, "/token"},
};

static void test_faults_point_at_the_member(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct hl_frame frame;
        struct hl_fault fault;
        json_t *value = parse(faults[i].text);
        assert_int_equal(hl_frame_decode(value, &frame, &fault), HL_FRAME_REFUSED);
        assert_int_equal(fault.code, faults[i].code);
        assert_string_equal(fault.pointer, faults[i].pointer);
        json_decref(value);
    }
}

static void test_a_refused_pub_is_still_named(void **state)
{
    struct hl_frame frame;
    struct hl_fault fault;
    json_t *value = parse("{\"t\":\"pub\",\"mid\":\"m7\",\"seq\":7,\"body\":{}}");

    (void)state;
    assert_int_equal(hl_frame_decode(value, &frame, &fault), HL_FRAME_REFUSED);
    assert_true(hl_bytes_is(frame.pub.mid, "m7"));
    assert_true(frame.pub.has_seq);
    assert_int_equal(frame.pub.seq, 7);
    json_decref(value);
}

static void test_foreign_epochs_are_other_epochs(void **state)
{
    static const struct {
        const char *text;
        uint64_t epoch;
    } cases[] = {{"7", 7}, {"", 0}, {"07", 0}, {"x", 0}, {"-1", 0}, {"12345678901234567", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hl_frame frame;
        struct hl_fault fault;
        char text[128];
        (void)snprintf(text, sizeof(text), "{\"t\":\"ack\",\"o\":1,\"e\":\"%s\"}", cases[i].text);
        json_t *value = parse(text);
        assert_int_equal(hl_frame_decode(value, &frame, &fault), 0);
        assert_int_equal(frame.ack.epoch, cases[i].epoch);
        json_decref(value);
    }
}

static void test_poll_envelope(void **state)
{
    static const struct {
        const char *text;
        const char *pointer; /* NULL: good */
    } cases[] = {
        {"{\"rid\":1}", NULL},
        {"{\"rid\":1,\"gen\":2,\"token\":\"t\",\"wait_ms\":0,\"pos\":[],\"seq\":1,\"frames\":[]}",
         NULL},
        {"{}", "/rid"},
        {"{\"rid\":0}", "/rid"},
        {"{\"rid\":1,\"gen\":0}", "/gen"},
        {"{\"rid\":1,\"wait_ms\":-1}", "/wait_ms"},
        {"{\"rid\":1,\"frames\":{}}", "/frames"},
        {"[]", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hl_poll_request request;
        struct hl_fault fault;
        json_t *value = parse(cases[i].text);
        int r = hl_poll_request_decode(value, &request, &fault);
        assert_int_equal(r, cases[i].pointer == NULL ? 0 : HL_FRAME_REFUSED);
        if (cases[i].pointer != NULL)
            assert_string_equal(fault.pointer, cases[i].pointer);
        json_decref(value);
    }
}

/* One file of the corpus: n_ must be refused, y_ accepted; a frame decoder survives all. */
static void check_file(const char *folder, const char *name)
{
    char path[1024], text[1 << 17];
    struct hl_frame frame;
    struct hl_fault fault;
    json_t *value;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    struct hl_bytes bytes = {text, size};
    bool is_valid = hl_json_is_utf8(bytes) && hl_json_parse(bytes, NULL, 0, &value) == 0;
    if (name[0] == 'n')
        assert_false(is_valid);
    if (!is_valid)
        return;
    (void)hl_frame_decode(value, &frame, &fault);
    json_decref(value);
}

static void test_parsing_corpus(void **state)
{
    const char *vectors = getenv("HOLDLINE_VECTORS");
    char folder[512];
    size_t n_files = 0;

    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/json-parsing/test_parsing",
                   vectors == NULL ? "." : vectors);
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        print_message("0 files tried: no %s\n", folder);
        skip();
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        check_file(folder, entry->d_name);
        n_files++;
    }
    (void)closedir(dir);
    print_message("%zu files\n", n_files);
    assert_true(n_files > 300);
}

static void test_times(void **state)
{
    static const struct {
        int64_t wall_ms;
        const char *text;
    } cases[] = {{0, "\"1970-01-01T00:00:00.000Z\""},
                 {951782399999, "\"2000-02-28T23:59:59.999Z\""},
                 {951782400000, "\"2000-02-29T00:00:00.000Z\""},
                 {1709164800123, "\"2024-02-29T00:00:00.123Z\""},
                 {1700000000000, "\"2023-11-14T22:13:20.000Z\""},
                 {-1, "\"1969-12-31T23:59:59.999Z\""},
                 {4102444800000, "\"2100-01-01T00:00:00.000Z\""}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hl_buffer out;
        hl_buffer_init(&out, 64);
        hl_time_append(&out, cases[i].wall_ms);
        assert_true(hl_bytes_is(hl_buffer_bytes(&out), cases[i].text));
        hl_buffer_fini(&out);
    }
}

static void test_message_text(void **state)
{
    struct hl_entry_fields fields = {.kind = HL_ENTRY_MESSAGE,
                                     .author = {.role = HL_ROLE_AGENT},
                                     .mid = hl_bytes_of("m\"1"),
                                     .body = hl_bytes_of("{\"text\":\"x\"}")};
    struct hl_buffer out;

    (void)state;
    struct hl_entry *entry = hl_entry_create(&fields);
    entry->offset = 4;
    hl_buffer_init(&out, 1024);
    hl_frame_text_msg(&out, entry, 7, true, "Ann \"A\"");
    hl_frame_text_msg_end(&out, 2);
    assert_true(hl_bytes_is(
        hl_buffer_bytes(&out),
        "{\"t\":\"msg\",\"c\":\"cnv_00000000000000000000000000000000\",\"e\":\"7\",\"o\":4,"
        "\"mid\":\"m\\\"1\",\"from\":{\"role\":\"agent\",\"id\":\"agt_00000000000000000000000000000000\","
        "\"name\":\"Ann \\\"A\\\"\"},\"ts\":\"1970-01-01T00:00:00.000Z\",\"kind\":\"message\",\"body\":{\"text\":\"x\"},"
        "\"after\":2}"));
    hl_buffer_fini(&out);
    hl_entry_unref(entry);
}

/* Whether the text of an entry of that kind, by that role, holds this. */
static bool text_holds(enum hl_entry_kind kind, enum hl_role role, bool to_visitor, bool is_erased,
                       const char *wanted)
{
    struct hl_entry_fields fields = {.kind = kind,
                                     .author = {.role = (uint8_t)role},
                                     .subject = {{1}},
                                     .mid = hl_bytes_of("m"),
                                     .body = hl_bytes_of("{\"reason\":\"x\"}")};
    struct hl_entry *entry = hl_entry_create(&fields);
    struct hl_buffer out;

    entry->is_erased = is_erased;
    hl_buffer_init(&out, 1024);
    hl_frame_text_msg(&out, entry, 7, to_visitor, "");
    hl_buffer_append(&out, "", 1);
    bool holds = strstr(out.data, wanted) != NULL;
    hl_buffer_fini(&out);
    hl_entry_unref(entry);
    return holds;
}

static void test_visitors_read_what_is_theirs(void **state)
{
    static const char full[] = "\"body\":{\"reason\":\"x\"}";
    static const char empty[] = "\"body\":{}";
    const enum hl_entry_kind hidden[] = {HL_ENTRY_CLAIMED, HL_ENTRY_RELEASED, HL_ENTRY_TRANSFERRED,
                                         HL_ENTRY_CLOSED,  HL_ENTRY_REOPENED, HL_ENTRY_ERASED};

    (void)state;
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        assert_true(text_holds(hidden[i], HL_ROLE_AGENT, true, false, empty));
        assert_true(text_holds(hidden[i], HL_ROLE_AGENT, false, false, full));
    }
    assert_true(text_holds(HL_ENTRY_FORM, HL_ROLE_VISITOR, true, false, full));
    assert_true(text_holds(HL_ENTRY_FORM, HL_ROLE_INTEGRATION, true, false, empty));
    assert_true(text_holds(HL_ENTRY_RATED, HL_ROLE_VISITOR, true, false, full));
    assert_true(text_holds(HL_ENTRY_MOVED, HL_ROLE_AGENT, false, false, "\"subject\":\"inb_01"));
    assert_true(text_holds(HL_ENTRY_MESSAGE, HL_ROLE_AGENT, true, true, "\"erased\":true"));
    assert_false(text_holds(HL_ENTRY_MESSAGE, HL_ROLE_AGENT, true, false, "erased"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_frames),
        cmocka_unit_test(test_faults_point_at_the_member),
        cmocka_unit_test(test_a_refused_pub_is_still_named),
        cmocka_unit_test(test_foreign_epochs_are_other_epochs),
        cmocka_unit_test(test_poll_envelope),
        cmocka_unit_test(test_parsing_corpus),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_message_text),
        cmocka_unit_test(test_visitors_read_what_is_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
