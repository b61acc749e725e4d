/* Sites, inboxes, agents, keys and canned replies over the API, and the audit log of it. */
#include "agent-api/api_state.h"
#include "agent-api/audit.h"
#include "tests/support/faulty_log.h"
#include "tests/unit/agent-api/api_fixture.h"

static json_t *answer_of(struct fixture *f)
{
    return hl_fake_exchange_json(&f->exchange);
}

static int send(struct fixture *f, int who, enum hl_method method, const char *path,
                const char *body)
{
    prepare(f, who, method, path);
    if (body != NULL)
        hl_fake_exchange_set_body(&f->exchange, "application/json", body);
    return run(f);
}

static int send_if(struct fixture *f, int who, enum hl_method method, const char *path,
                   const char *etag, const char *body)
{
    prepare(f, who, method, path);
    hl_fake_exchange_set(&f->exchange, HL_HEADER_IF_MATCH, etag);
    if (body != NULL)
        hl_fake_exchange_set_body(&f->exchange, "application/json", body);
    return run(f);
}

/* Of the answer. */
static void copy_member(struct fixture *f, const char *name, char *out, size_t out_size)
{
    json_t *answer = answer_of(f);
    const char *text = json_string_value(json_object_get(answer, name));
    assert_non_null(text);
    snprintf(out, out_size, "%s", text);
    json_decref(answer);
}

static void assert_pointer(struct fixture *f, const char *pointer)
{
    json_t *problem = answer_of(f);
    json_t *error = json_array_get(json_object_get(problem, "errors"), 0);
    assert_int_equal(f->exchange.status, 422);
    assert_string_equal(json_string_value(json_object_get(error, "pointer")), pointer);
    json_decref(problem);
}

static void test_a_sites_life(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(send(f, ADMIN, HL_POST, "/v1/sites", "{\"id\":\"b.example\",\"name\":\"B\"}"),
                     201);
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "location"), "/v1/sites/b.example");
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "etag"), "\"r1\"");
    assert_int_equal(send(f, ADMIN, HL_GET, "/v1/inboxes?site=b.example", NULL), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"is_default\":true"));
    assert_int_equal(send(f, ADMIN, HL_POST, "/v1/sites", "{\"id\":\"b.example\",\"name\":\"C\"}"),
                     409);
    assert_code(f, "taken");
    assert_int_equal(send(f, ADMIN, HL_PATCH, "/v1/sites/b.example", "{\"name\":\"X\"}"), 428);
    assert_int_equal(send_if(f, ADMIN, HL_PATCH, "/v1/sites/b.example", "\"r7\"", "{}"), 412);
    assert_int_equal(send_if(f, ADMIN, HL_PATCH, "/v1/sites/b.example", "\"r1\"",
                             "{\"origins\":[\"https://b.example\"],\"retention_days\":30}"),
                     200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"retention_days\":30"));
    assert_int_equal(
        send_if(f, ADMIN, HL_PATCH, "/v1/sites/b.example", "\"r2\"", "{\"retention_days\":null}"),
        200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"retention_days\":null"));
    assert_int_equal(send(f, ADMIN, HL_POST, "/v1/sites/b.example/identity-secret", NULL), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"identity_secret\":\""));
    assert_int_equal(send(f, ADMIN, HL_GET, "/v1/sites/b.example", NULL), 200);
    assert_null(strstr(hl_fake_exchange_text(&f->exchange), "\"identity_secret\":\""));
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"has_identity_secret\":true"));
    assert_int_equal(send_if(f, ADMIN, HL_DELETE, "/v1/sites/shop", "*", NULL), 409);
    assert_code(f, "in_use");
    assert_int_equal(send_if(f, ADMIN, HL_DELETE, "/v1/sites/b.example", "*", NULL), 204);
    assert_int_equal(send(f, ADMIN, HL_GET, "/v1/sites/b.example", NULL), 404);
    assert_int_equal(send(f, ADMIN, HL_GET, "/v1/inboxes?site=b.example", NULL), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"data\":[]"));
}

static void test_bodies_are_read_strictly(void **state)
{
    static const struct {
        const char *path, *body, *pointer;
    } cases[] = {
        {"/v1/sites", "{\"name\":\"B\"}", "/id"},
        {"/v1/sites", "{\"id\":\"Shop\",\"name\":\"B\"}", "/id"},
        {"/v1/sites", "{\"id\":\"b\"}", "/name"},
        {"/v1/sites", "{\"id\":\"b\",\"name\":\"B\",\"colour\":1}", "/colour"},
        {"/v1/sites", "{\"id\":\"b\",\"name\":\"B\",\"origins\":[\"https://b/x\"]}", "/origins/0"},
        {"/v1/sites", "{\"id\":\"b\",\"name\":\"B\",\"home_url\":\"ftp://b\"}", "/home_url"},
        {"/v1/sites", "{\"id\":\"b\",\"name\":\"B\",\"retention_days\":0}", "/retention_days"},
        {"/v1/inboxes", "{\"name\":\"\"}", "/name"},
        {"/v1/inboxes", "{\"name\":\"a\",\"site\":\"none\"}", "/site"},
        {"/v1/inboxes", "{\"name\":\"a\",\"is_default\":true}", "/is_default"},
        {"/v1/inboxes", "{\"name\":\"a\",\"sla\":{\"response_minutes\":1.5}}",
         "/sla/response_minutes"},
        {"/v1/inboxes", "{\"name\":\"a\",\"widget\":{\"accent\":\"red\"}}", "/widget/accent"},
        {"/v1/inboxes", "{\"name\":\"a\",\"widget\":{\"consent\":{}}}", "/widget/consent/text"},
        {"/v1/inboxes", "{\"name\":\"a\",\"business_hours\":{\"week\":[]}}",
         "/business_hours/time_zone"},
        {"/v1/inboxes",
         "{\"name\":\"a\",\"business_hours\":{\"time_zone\":\"Mars/Base\",\"week\":[]}}",
         "/business_hours/time_zone"},
        {"/v1/inboxes",
         "{\"name\":\"a\",\"business_hours\":{\"time_zone\":\"Europe/Berlin\",\"week\":"
         "[{\"day\":\"mon\",\"open\":\"9:00\",\"close\":\"17:00\"}]}}",
         "/business_hours/week/0/open"},
        {"/v1/inboxes",
         "{\"name\":\"a\",\"business_hours\":{\"time_zone\":\"Europe/Berlin\",\"week\":"
         "[{\"day\":\"mon\",\"open\":\"17:00\",\"close\":\"17:00\"}]}}",
         "/business_hours/week/0/close"},
        {"/v1/inboxes",
         "{\"name\":\"a\",\"business_hours\":{\"time_zone\":\"Europe/Berlin\",\"week\":"
         "[{\"day\":\"monday\",\"open\":\"09:00\",\"close\":\"17:00\"}]}}",
         "/business_hours/week/0/day"},
        {"/v1/inboxes",
         "{\"name\":\"a\",\"business_hours\":{\"time_zone\":\"Europe/Berlin\",\"week\":[],"
         "\"holidays\":[\"2026-12-25\",\"2026-02-29\"]}}",
         "/business_hours/holidays/1"},
        {"/v1/agents", "{\"name\":\"Jo\"}", "/role"},
        {"/v1/agents", "{\"name\":\"Jo\",\"role\":\"owner\"}", "/role"},
        {"/v1/agents", "{\"name\":\"Jo\",\"role\":\"agent\",\"email\":\"jo\"}", "/email"},
        {"/v1/agents",
         "{\"name\":\"Jo\",\"role\":\"agent\",\"inboxes\":"
         "[\"inb_00000000000000000000000000000000\"]}",
         "/inboxes/0"},
        {"/v1/keys", "{\"name\":\"x\",\"agent\":\"agt_00000000000000000000000000000000\"}",
         "/agent"},
        {"/v1/canned-replies", "{\"shortcut\":\"Hi there\",\"text\":\"x\"}", "/shortcut"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        send(f, ADMIN, HL_POST, cases[i].path, cases[i].body);
        assert_pointer(f, cases[i].pointer);
    }
}

static void test_agents_and_keys(void **state)
{
    struct fixture *f = *state;
    char id[64];
    char key_id[64];
    char secret[64];
    char path[128];
    char body[256];
    char bearer[80];
    assert_int_equal(send(f, ADMIN, HL_POST, "/v1/agents",
                          "{\"name\":\"Jo\",\"role\":\"supervisor\",\"email\":\"Jo@B.example\"}"),
                     201);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"email\":\"jo@b.example\""));
    copy_member(f, "id", id, sizeof(id));
    assert_int_equal(send(f, ADMIN, HL_POST, "/v1/agents",
                          "{\"name\":\"Jo\",\"role\":\"agent\",\"email\":\"jo@b.example\"}"),
                     409);
    snprintf(body, sizeof(body), "{\"agent\":\"%s\",\"name\":\"laptop\"}", id);
    assert_int_equal(send(f, ADMIN, HL_POST, "/v1/keys", body), 201);
    copy_member(f, "secret", secret, sizeof(secret));
    copy_member(f, "id", key_id, sizeof(key_id));
    snprintf(bearer, sizeof(bearer), "Bearer %s", secret);
    hl_fake_exchange_set(prepare(f, -1, HL_GET, "/v1/agent"), HL_HEADER_AUTHORIZATION, bearer);
    assert_int_equal(run(f), 200);
    assert_int_equal(send(f, ADMIN, HL_GET, "/v1/keys", NULL), 200);
    assert_null(strstr(hl_fake_exchange_text(&f->exchange), secret));
    snprintf(path, sizeof(path), "/v1/keys/%s", key_id);
    assert_int_equal(send(f, ADMIN, HL_DELETE, path, NULL), 204);
    assert_int_equal(send(f, ADMIN, HL_DELETE, path, NULL), 204);
    hl_fake_exchange_set(prepare(f, -1, HL_GET, "/v1/agent"), HL_HEADER_AUTHORIZATION, bearer);
    assert_int_equal(run(f), 401);
    snprintf(path, sizeof(path), "/v1/agents/%s", id);
    assert_int_equal(send_if(f, ADMIN, HL_DELETE, path, "\"r1\"", NULL), 204);
    assert_int_equal(send(f, ADMIN, HL_GET, path, NULL), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"active\":false"));
    assert_int_equal(send(f, ANN, HL_PUT, "/v1/agent/availability", "{\"availability\":\"away\"}"),
                     200);
    assert_int_equal(send(f, ANN, HL_PUT, "/v1/agent/availability", "{\"availability\":\"no\"}"),
                     422);
}

/* Who signed in by OpenID Connect is remembered in their document. */
static void test_what_is_hidden_stays(void **state)
{
    struct fixture *f = *state;
    char id[HL_ID_TEXT_SIZE];
    char path[128];
    struct hl_directory_change change = {
        .operation = HL_DIRECTORY_REPLACE,
        .kind = HL_RECORD_AGENT,
        .document = hl_bytes_of("{\"active\":true,\"inboxes\":[],\"name\":\"Ann\",\"oidc\":"
                                "{\"subject\":\"s-1\"},\"role\":\"agent\"}")};
    hl_id_format(&f->people[ANN].id, HL_ID_AGENT, id);
    memcpy(change.id, id, sizeof(id));
    assert_int_equal(hl_directory_apply(f->directory, &change), 0);
    snprintf(path, sizeof(path), "/v1/agents/%s", id);
    assert_int_equal(send_if(f, ADMIN, HL_PATCH, path, "*", "{\"name\":\"Anna\"}"), 200);
    assert_null(strstr(hl_fake_exchange_text(&f->exchange), "s-1"));
    send_if(f, ADMIN, HL_PATCH, path, "*", "{\"oidc\":null}");
    assert_pointer(f, "/oidc");
    send(f, ADMIN, HL_POST, "/v1/agents", "{\"name\":\"x\",\"role\":\"agent\",\"oidc\":{}}");
    assert_pointer(f, "/oidc");
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(f->directory);
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &f->people[ANN].id);
    assert_string_equal(agent->name, "Anna");
    assert_non_null(json_object_get(agent->record.document, "oidc"));
    hl_directory_snapshot_unref(snapshot);
}

static void test_a_site_is_alone(void **state)
{
    struct fixture *f = *state;
    char secret[HL_KEY_SECRET_SIZE];
    char bearer[80];
    struct hl_id id;
    static const char *const paths[] = {"/v1/sites/shop", "/v1/sites", "/v1/inboxes",
                                        "/v1/agents",     "/v1/keys",  "/v1/canned-replies"};
    assert_int_equal(send(f, ADMIN, HL_POST, "/v1/sites", "{\"id\":\"b\",\"name\":\"B\"}"), 201);
    assert_int_equal(send(f, ADMIN, HL_POST, "/v1/canned-replies",
                          "{\"site\":\"shop\",\"shortcut\":\"hi\",\"text\":\"Hello\"}"),
                     201);
    struct hl_person_wish wish = {.name = "Bea", .site = "b", .role = HL_KEY_ADMIN};
    assert_int_equal(hl_directory_add_person(f->directory, &wish, secret, &id), 0);
    snprintf(bearer, sizeof(bearer), "Bearer %s", secret);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        hl_fake_exchange_set(prepare(f, -1, HL_GET, paths[i]), HL_HEADER_AUTHORIZATION, bearer);
        assert_int_equal(run(f), i == 0 ? 404 : 200);
        assert_null(strstr(hl_fake_exchange_text(&f->exchange), "shop"));
        assert_null(strstr(hl_fake_exchange_text(&f->exchange), "Ann"));
    }
    hl_fake_exchange_set(prepare(f, -1, HL_POST, "/v1/sites"), HL_HEADER_AUTHORIZATION, bearer);
    hl_fake_exchange_set_body(&f->exchange, "application/json", "{\"id\":\"c\",\"name\":\"C\"}");
    assert_int_equal(run(f), 422);
    hl_fake_exchange_set(prepare(f, -1, HL_POST, "/v1/agents"), HL_HEADER_AUTHORIZATION, bearer);
    hl_fake_exchange_set_body(&f->exchange, "application/json",
                              "{\"name\":\"C\",\"role\":\"admin\"}");
    assert_int_equal(run(f), 201);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"site\":\"b\""));
    static const char *const escapes[][2] = {
        {"/v1/agents", "{\"site\":\"\",\"name\":\"D\",\"role\":\"admin\"}"},
        {"/v1/inboxes", "{\"site\":\"\",\"name\":\"D\"}"},
        {"/v1/canned-replies", "{\"site\":\"\",\"shortcut\":\"d\",\"text\":\"D\"}"},
        {"/v1/agents", "{\"site\":\"shop\",\"name\":\"D\",\"role\":\"admin\"}"}};
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        prepare(f, -1, HL_POST, escapes[i][0]);
        hl_fake_exchange_set(&f->exchange, HL_HEADER_AUTHORIZATION, bearer);
        hl_fake_exchange_set_body(&f->exchange, "application/json", escapes[i][1]);
        (void)run(f);
        assert_pointer(f, "/site");
    }
}

static void test_roles(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(send(f, ANN, HL_GET, "/v1/keys", NULL), 403);
    assert_int_equal(send(f, ANN, HL_GET, "/v1/audit", NULL), 403);
    assert_int_equal(send(f, ANN, HL_POST, "/v1/sites", "{\"id\":\"b\",\"name\":\"B\"}"), 403);
    assert_int_equal(send(f, ROBOT, HL_POST, "/v1/canned-replies", "{}"), 403);
    assert_int_equal(send(f, ANN, HL_GET, "/v1/inboxes", NULL), 200);
}

static int send_once(struct fixture *f, const char *key, const char *body)
{
    prepare(f, ADMIN, HL_POST, "/v1/canned-replies");
    hl_fake_exchange_set(&f->exchange, HL_HEADER_IDEMPOTENCY_KEY, key);
    hl_fake_exchange_set_body(&f->exchange, "application/json", body);
    return run(f);
}

static void test_created_once(void **state)
{
    struct fixture *f = *state;
    char first[2048];
    static const char body[] = "{\"shortcut\":\"hi\",\"text\":\"Hello\"}";
    assert_int_equal(send_once(f, "key-1", body), 201);
    snprintf(first, sizeof(first), "%s", hl_fake_exchange_text(&f->exchange));
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "idempotent-replayed"), "");
    assert_int_equal(send_once(f, "key-1", body), 201);
    assert_string_equal(hl_fake_exchange_text(&f->exchange), first);
    assert_string_equal(hl_fake_exchange_header(&f->exchange, "idempotent-replayed"), "true");
    assert_non_null(hl_fake_exchange_header(&f->exchange, "location"));
    assert_int_equal(send_once(f, "key-1", "{\"shortcut\":\"ho\",\"text\":\"Hello\"}"), 422);
    assert_code(f, "idempotency_mismatch");
    assert_int_equal(send_once(f, "key 2", body), 400);
    hl_fake_clock_advance(&f->clock, (uint64_t)HL_ONCE_KEPT_MS);
    assert_int_equal(send_once(f, "key-1", body), 409); /* a new request: the name is taken */
    assert_code(f, "taken");
}

static void test_the_first_is_still_under_way(void **state)
{
    struct fixture *f = *state;
    struct hl_fake_exchange first;
    hl_fake_exchange_init(&first, HL_POST, "/v1/canned-replies");
    hl_fake_exchange_set(&first, HL_HEADER_AUTHORIZATION, f->bearer[ADMIN]);
    hl_fake_exchange_set(&first, HL_HEADER_IDEMPOTENCY_KEY, "key-1");
    hl_fake_exchange_set_body(&first, "application/json", "{\"shortcut\":\"a\",\"text\":\"b\"}");
    hl_api_handle(f->api, &first.exchange);
    assert_int_equal(send_once(f, "key-1", "{\"shortcut\":\"a\",\"text\":\"b\"}"), 409);
    assert_code(f, "idempotency_in_progress");
    assert_true(first.is_answered);
    assert_int_equal(first.status, 201);
    hl_fake_exchange_fini(&first);
}

static void test_what_is_done_is_recorded(void **state)
{
    struct fixture *f = *state;
    send(f, ADMIN, HL_POST, "/v1/sites", "{\"id\":\"b\",\"name\":\"Secret Name\"}");
    hl_fake_clock_advance(&f->clock, 1000);
    send_if(f, ADMIN, HL_PATCH, "/v1/sites/b", "*", "{\"name\":\"Other\"}");
    assert_int_equal(send(f, ADMIN, HL_GET, "/v1/audit?limit=1", NULL), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "site.updated"));
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"name\":\"Root\""));
    assert_null(strstr(hl_fake_exchange_text(&f->exchange), "Other"));
    char cursor[64];
    char path[128];
    copy_member(f, "next_cursor", cursor, sizeof(cursor));
    snprintf(path, sizeof(path), "/v1/audit?limit=1&cursor=%s", cursor);
    assert_int_equal(send(f, ADMIN, HL_GET, path, NULL), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "site.created"));
    assert_int_equal(send(f, ADMIN, HL_GET, "/v1/audit?action=site.created&site=b", NULL), 200);
    assert_null(strstr(hl_fake_exchange_text(&f->exchange), "site.updated"));
    assert_int_equal(
        send(f, ADMIN, HL_GET, "/v1/audit?action=site.created&since=2030-01-01T00:00:00Z", NULL),
        200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"data\":[]"));
    assert_int_equal(send(f, ADMIN, HL_GET, "/v1/audit?since=yesterday", NULL), 422);
    for (int i = 0; i < 12; i++) {
        hl_fake_exchange_set(prepare(f, -1, HL_GET, "/v1/agent"), HL_HEADER_AUTHORIZATION,
                             "Bearer hlk_wrong");
        run(f);
    }
    assert_int_equal(send(f, ADMIN, HL_GET, "/v1/audit?action=sign_in.refused", NULL), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"refused\":10"));
}

/* What cannot be recorded is not shown. */
static void test_without_its_audit_log_nothing_is_read(void **state)
{
    struct fixture *f = *state;
    struct hl_log *audit = f->api->config.audit;
    write_as_visitor(f, "v1", "{\"text\":\"x\"}");
    assert_int_equal(send(f, ANN, HL_GET, "/v1/agent", NULL), 200); /* the key is known then */
    struct hl_log_memory_config config = {&f->clock.clock, 5, 100};
    struct hl_log *inner = NULL;
    assert_int_equal(hl_log_memory_open(&config, &inner), 0);
    f->api->config.audit = hl_faulty_log_create(inner, HL_FAULT_BEFORE, 1);
    assert_int_equal(send(f, ANN, HL_GET, "/messages", NULL), 503);
    assert_code(f, "audit_unavailable");
    assert_null(strstr(hl_fake_exchange_text(&f->exchange), "\"text\""));
    assert_int_equal(send(f, ANN, HL_GET, "/messages", NULL), 200); /* it is back */
    assert_int_equal(send(f, BEN, HL_GET, "/v1/agent", NULL), 200);
    hl_log_close(f->api->config.audit);
    assert_int_equal(hl_log_memory_open(&config, &inner), 0);
    f->api->config.audit = hl_faulty_log_create(inner, HL_FAULT_BUSY, 1);
    assert_int_equal(send(f, BEN, HL_GET, "/messages", NULL), 503);
    assert_code(f, "audit_unavailable");
    struct hl_api_stats stats;
    hl_api_stats(f->api, &stats);
    assert_int_equal(stats.audit_failures, 2);
    hl_log_close(f->api->config.audit);
    f->api->config.audit = audit;
}

static void test_reads_within_a_minute_are_one_entry(void **state)
{
    struct fixture *f = *state;
    struct hl_log_info before;
    struct hl_log_info after;
    write_as_visitor(f, "v1", "{\"text\":\"x\"}");
    assert_int_equal(send(f, ANN, HL_GET, "/messages", NULL), 200);
    hl_log_info(f->audit, &before);
    hl_fake_clock_advance(&f->clock, HL_AUDIT_COALESCE_MS - 1);
    assert_int_equal(send(f, ANN, HL_GET, "/messages", NULL), 200);
    hl_log_info(f->audit, &after);
    assert_int_equal(after.position, before.position);
    hl_fake_clock_advance(&f->clock, 1);
    assert_int_equal(send(f, ANN, HL_GET, "/messages", NULL), 200);
    hl_log_info(f->audit, &after);
    assert_int_equal(after.position, before.position + 1);
    assert_int_equal(send(f, ANN, HL_GET, "/transcript?format=text", NULL), 200);
    hl_log_info(f->audit, &after);
    assert_int_equal(after.position, before.position + 2); /* a read of another kind */
}

int main(void)
{
#define WITH_API(test) cmocka_unit_test_setup_teardown(test, make_fixture, drop_fixture)
    const struct CMUnitTest tests[] = {
        WITH_API(test_a_sites_life),
        WITH_API(test_bodies_are_read_strictly),
        WITH_API(test_agents_and_keys),
        WITH_API(test_what_is_hidden_stays),
        WITH_API(test_a_site_is_alone),
        WITH_API(test_roles),
        WITH_API(test_created_once),
        WITH_API(test_the_first_is_still_under_way),
        WITH_API(test_what_is_done_is_recorded),
        WITH_API(test_without_its_audit_log_nothing_is_read),
        WITH_API(test_reads_within_a_minute_are_one_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
