/* health.c and metrics.c on a house without stations. */
#include "gateway/server/station.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/directory_people.h"
#include "store/log_memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_exchange.h"
#include "tests/support/temp_folder.h"

struct fixture {
    struct hl_temp_folder folder;
    char directory_path[192];
    struct hl_fake_clock clock;
    struct hl_house house;
    struct hl_fake_exchange exchange; /* of the last call */
};

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    hl_fake_clock_init(&f->clock, INT64_C(1700000000123));
    struct hl_log_memory_config config = {&f->clock.clock, 5, 100};
    assert_int_equal(hl_log_memory_open(&config, &f->house.log), 0);
    hl_temp_folder_init(&f->folder);
    snprintf(f->directory_path, sizeof(f->directory_path), "%s/directory.db", f->folder.path);
    struct hl_directory_config directory = {f->directory_path, NULL, &f->clock.clock,
                                            hl_random_system()};
    assert_int_equal(hl_directory_open(&directory, &f->house.directory), 0);
    assert_int_equal(hl_wire_shared_create(&hl_wire_limits_default, &f->house.wire), 0);
    f->house.clock = &f->clock.clock;
    f->house.started_ms = INT64_C(1700000000123);
    f->house.disk_free_min = 1000;
    atomic_store(&f->house.disk_free, 5000);
    atomic_store(&f->house.ready_wait_ms_max, 5000);
    snprintf(f->house.node, sizeof(f->house.node), "node-7");
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;
    hl_wire_shared_destroy(f->house.wire);
    hl_directory_close(f->house.directory);
    hl_log_close(f->house.log);
    hl_temp_folder_fini(&f->folder);
    hl_fake_exchange_fini(&f->exchange);
    free(f);
    return 0;
}

static int get(struct fixture *f,
               void (*handle)(void *, struct hl_exchange *, const struct hl_route_params *),
               const char *address, const char *authorization)
{
    struct hl_route_params params = {0};
    hl_fake_exchange_fini(&f->exchange);
    hl_fake_exchange_init(&f->exchange, HL_GET, "/x");
    f->exchange.exchange.address = hl_bytes_of(address);
    if (authorization != NULL)
        hl_fake_exchange_set(&f->exchange, HL_HEADER_AUTHORIZATION, authorization);
    handle(&f->house, &f->exchange.exchange, &params);
    assert_true(f->exchange.is_answered);
    return f->exchange.status;
}

static void assert_problem(struct fixture *f, const char *name)
{
    assert_int_equal(get(f, hl_health_ready, "10.0.0.1", NULL), 503);
    assert_true(strlen(hl_fake_exchange_header(&f->exchange, "retry-after")) > 0);
    json_t *answer = hl_fake_exchange_json(&f->exchange);
    const json_t *problems = json_object_get(answer, "problems");
    assert_true(json_is_false(json_object_get(answer, "ready")));
    assert_int_equal(json_array_size(problems), 1);
    assert_string_equal(json_string_value(json_array_get(problems, 0)), name);
    json_decref(answer);
}

static void test_ready_says_why_not(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get(f, hl_health_ready, "10.0.0.1", NULL), 200);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"node\":\"node-7\""));
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange), "\"problems\":[]"));

    atomic_store(&f->house.disk_free, 999);
    assert_problem(f, "disk_low");
    atomic_store(&f->house.disk_free, 5000);
    atomic_store(&f->house.is_draining, true);
    assert_problem(f, "draining");
}

static void test_live(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get(f, hl_health_live, "10.0.0.1", NULL), 200);
}

static void test_metrics_are_not_for_everybody(void **state)
{
    struct fixture *f = *state;
    char secret[HL_KEY_SECRET_SIZE];
    char bearer[96];
    struct hl_id agent;
    struct hl_person_wish wish = {.name = "prometheus", .role = HL_KEY_INTEGRATION};
    assert_int_equal(get(f, hl_metrics_get, "10.0.0.1", NULL), 401);
    assert_int_equal(get(f, hl_metrics_get, "10.0.0.1", "Bearer hlk_x"), 401);
    assert_int_equal(get(f, hl_metrics_get, "127.0.0.1", NULL), 200);
    assert_int_equal(get(f, hl_metrics_get, "::1", NULL), 200);
    assert_int_equal(hl_directory_add_person(f->house.directory, &wish, secret, &agent), 0);
    snprintf(bearer, sizeof(bearer), "Bearer %s", secret);
    assert_int_equal(get(f, hl_metrics_get, "10.0.0.1", bearer), 200);
    atomic_store(&f->house.metrics_public, true);
    assert_int_equal(get(f, hl_metrics_get, "10.0.0.1", NULL), 200);
}

/* HELP, TYPE and one sample each; counters end in _total and nothing else does. */
static void test_metrics_are_well_formed(void **state)
{
    struct fixture *f = *state;
    char name[128];
    char type[32];
    char sample[128];
    size_t n_metrics = 0;
    assert_int_equal(get(f, hl_metrics_get, "127.0.0.1", NULL), 200);
    assert_string_equal(f->exchange.type, "text/plain; version=0.0.4; charset=utf-8");
    const char *text = hl_fake_exchange_text(&f->exchange);
    while (*text != '\0') {
        int used = 0;
        assert_int_equal(sscanf(text, "# HELP %127s %*[^\n]\n# TYPE %127s %31s\n%127[^ {\n]%n",
                                name, sample, type, sample, &used),
                         4);
        assert_string_equal(name, sample);
        assert_int_equal(strcmp(type, "counter") == 0,
                         strcmp(name + strlen(name) - 6, "_total") == 0);
        text = strchr(text + used, '\n');
        assert_non_null(text);
        assert_true(isdigit((unsigned char)text[-1]));
        text++;
        n_metrics++;
    }
    assert_true(n_metrics > 40);
    assert_non_null(strstr(hl_fake_exchange_text(&f->exchange),
                           "\nprocess_start_time_seconds 1700000000.123\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, drop_fixture)
    const struct CMUnitTest tests[] = {
        TEST(test_ready_says_why_not),
        TEST(test_live),
        TEST(test_metrics_are_not_for_everybody),
        TEST(test_metrics_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
