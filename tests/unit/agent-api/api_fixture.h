/* The API on the memory engine, a fake loop and a fake clock, with two agents, an admin and an
 * integration. Included by the unit tests of agent-api only. */
#ifndef HL_TESTS_UNIT_AGENT_API_API_FIXTURE_H
#define HL_TESTS_UNIT_AGENT_API_API_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent-api/api.h"
#include "agent-api/audit/memory.h"
#include "store/directory_people.h"
#include "store/log_memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_exchange.h"
#include "tests/support/fake_loop.h"
#include "tests/support/temp_folder.h"

enum { ANN, BEN, ADMIN, ROBOT, N_PEOPLE };
enum { FEEDS_MAX = 20 };

struct fixture {
    struct hl_temp_folder folder;
    char directory_path[192];
    struct hl_fake_clock clock;
    struct hl_fake_loop loop;
    struct hl_log *log;
    struct hl_log *audit;
    struct hl_audit_memory *audit_memory;
    struct hl_directory *directory;
    struct hl_registry *registry;
    struct hl_online *online;
    struct hl_presence *presence;
    struct hl_api *api;
    struct hl_principal people[N_PEOPLE];
    char bearer[N_PEOPLE][64];
    struct hl_id conversation;
    char path[128]; /* /v1/conversations/cnv_… */
    bool is_closed;
    struct hl_fake_exchange exchange; /* of the last call */
};

struct hl_submit_probe {
    struct hl_log_submit submit;
    int r;
    bool is_done;
};

static inline void take_submit(struct hl_log_submit *submit, int r)
{
    struct hl_submit_probe *probe = HL_CONTAINER_OF(submit, struct hl_submit_probe, submit);
    probe->r = r;
    probe->is_done = true;
    hl_entry_unref(submit->entry);
}

/* A visitor writes; the first time opens the conversation. */
static inline uint64_t write_as_visitor(struct fixture *f, const char *mid, const char *body)
{
    struct hl_log_opening opening = {.site = hl_bytes_of("shop"),
                                     .reference = hl_bytes_of("HL-1111-2222-3333")};
    struct hl_entry_fields fields = {.conversation = f->conversation,
                                     .author = {.role = HL_ROLE_VISITOR, .id = {{7}}},
                                     .kind = HL_ENTRY_MESSAGE,
                                     .mid = hl_bytes_of(mid),
                                     .body = hl_bytes_of(body)};
    struct hl_submit_probe probe = {.submit = {.loop = &f->loop.loop,
                                               .done = take_submit,
                                               .entry = hl_entry_create(&fields),
                                               .opening = &opening}};
    assert_int_equal(hl_log_submit(f->log, &probe.submit), 0);
    hl_fake_loop_run_all(&f->loop);
    assert_true(probe.is_done);
    assert_int_equal(probe.r, 0);
    return probe.submit.offset;
}

static inline void start_api(struct fixture *f)
{
    struct hl_api_config config = {.log = f->log,
                                   .loop = &f->loop.loop,
                                   .clock = &f->clock.clock,
                                   .random = hl_random_system(),
                                   .directory = f->directory,
                                   .registry = f->registry,
                                   .audit = f->audit,
                                   .audit_memory = f->audit_memory,
                                   .site = "shop",
                                   .online = f->online,
                                   .presence = f->presence,
                                   .body_bytes_max = 4096,
                                   .feeds_max = FEEDS_MAX};
    assert_int_equal(hl_api_create(&config, &f->api), 0);
}

static inline int make_fixture(void **state)
{
    static const struct {
        const char *name;
        enum hl_key_role role;
    } people[N_PEOPLE] = {{"Ann", HL_KEY_AGENT},
                          {"Ben", HL_KEY_AGENT},
                          {"Root", HL_KEY_ADMIN},
                          {"CRM", HL_KEY_INTEGRATION}};
    struct fixture *f = calloc(1, sizeof(*f));
    char id[HL_ID_TEXT_SIZE];
    assert_non_null(f);
    hl_temp_folder_init(&f->folder);
    snprintf(f->directory_path, sizeof(f->directory_path), "%s/directory.db", f->folder.path);
    hl_fake_clock_init(&f->clock, INT64_C(1700000000000));
    hl_fake_loop_init(&f->loop);
    struct hl_log_memory_config config = {&f->clock.clock, 5, 100};
    assert_int_equal(hl_log_memory_open(&config, &f->log), 0);
    assert_int_equal(hl_log_memory_open(&config, &f->audit), 0);
    struct hl_directory_config directory = {f->directory_path, NULL, &f->clock.clock,
                                            hl_random_system()};
    assert_int_equal(hl_directory_open(&directory, &f->directory), 0);
    assert_int_equal(hl_directory_ensure_site(f->directory, "shop"), 0);
    hl_directory_start_on(f->directory, &f->loop.loop);
    for (int i = 0; i < N_PEOPLE; i++) {
        char secret[HL_KEY_SECRET_SIZE];
        struct hl_person_wish wish = {.name = people[i].name, .role = people[i].role};
        assert_int_equal(hl_directory_add_person(f->directory, &wish, secret, &f->people[i].id), 0);
        snprintf(f->bearer[i], sizeof(f->bearer[i]), "Bearer %s", secret);
    }
    assert_int_equal(hl_directory_audit_begin(f->directory, f->audit), 0);
    hl_fake_loop_run_all(&f->loop);
    f->conversation = (struct hl_id){{1, 2, 3}};
    hl_id_format(&f->conversation, HL_ID_CONVERSATION, id);
    snprintf(f->path, sizeof(f->path), "/v1/conversations/%s", id);
    assert_int_equal(hl_registry_create(1, &f->registry), 0);
    f->audit_memory = hl_audit_memory_create();
    assert_non_null(f->audit_memory);
    f->online = hl_online_create();
    f->presence = hl_presence_create();
    start_api(f);
    *state = f;
    return 0;
}

static inline void mark_closed(void *arg)
{
    ((struct fixture *)arg)->is_closed = true;
}

static inline int drop_fixture(void **state)
{
    struct fixture *f = *state;
    hl_api_close(f->api, mark_closed, f);
    hl_fake_loop_run_all(&f->loop);
    assert_true(f->is_closed);
    hl_registry_destroy(f->registry);
    hl_audit_memory_destroy(f->audit_memory);
    hl_online_destroy(f->online);
    hl_presence_destroy(f->presence);
    hl_log_close(f->log);
    hl_directory_audit_end(f->directory);
    hl_log_close(f->audit);
    hl_fake_loop_fini(&f->loop);
    hl_directory_close(f->directory);
    hl_temp_folder_fini(&f->folder);
    hl_fake_exchange_fini(&f->exchange);
    free(f);
    return 0;
}

/* A request of one of the people to a path below the conversation's; not run yet. */
static inline struct hl_fake_exchange *prepare(struct fixture *f, int who, enum hl_method method,
                                               const char *below)
{
    char target[512];
    snprintf(target, sizeof(target), "%s%s", below[0] == '/' && below[1] == 'v' ? "" : f->path,
             below);
    hl_fake_exchange_fini(&f->exchange);
    hl_fake_exchange_init(&f->exchange, method, target);
    if (who >= 0)
        hl_fake_exchange_set(&f->exchange, HL_HEADER_AUTHORIZATION, f->bearer[who]);
    return &f->exchange;
}

/* Runs what was prepared until it is answered. The status. */
static inline int run(struct fixture *f)
{
    hl_api_handle(f->api, &f->exchange.exchange);
    hl_fake_loop_run_all(&f->loop);
    assert_true(f->exchange.is_answered);
    return f->exchange.status;
}

static inline void assert_code(struct fixture *f, const char *code)
{
    json_t *problem = hl_fake_exchange_json(&f->exchange);
    assert_string_equal(f->exchange.type, "application/problem+json");
    assert_string_equal(json_string_value(json_object_get(problem, "code")), code);
    json_decref(problem);
}

#endif
