#include "gateway/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char path[64];
    struct hl_config config;
    struct hl_config_report report;
};

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->path, sizeof(f->path), "/tmp/holdline-config-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    free(f);
    return 0;
}

static int load_text(struct fixture *f, const char *text, char *const *environment)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    int r = hl_config_load(f->path, environment, &f->config, &f->report);
    if (r == 0)
        r = hl_config_check(&f->config, f->path, &f->report);
    return r;
}

static void assert_finding(const struct fixture *f, int line, const char *key, const char *part)
{
    char place[96];
    snprintf(place, sizeof(place), "%s:%d", f->path, line);
    assert_true(f->report.n_findings >= 1);
    assert_string_equal(f->report.findings[0].place, place);
    assert_string_equal(f->report.findings[0].key, key);
    if (strstr(f->report.findings[0].message, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", f->report.findings[0].message, part);
}

static void test_defaults_are_safe_and_the_same_everywhere(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(hl_config_load(NULL, NULL, &f->config, &f->report), 0);
    assert_int_equal(hl_config_check(&f->config, NULL, &f->report), 0);
    assert_string_equal(f->config.listen, "127.0.0.1:8080");
    assert_int_equal(f->config.origins.n_items, 0);
    assert_false(f->config.test_mode);
    assert_memory_equal(&f->config.hub, &hl_hub_limits_default, sizeof(f->config.hub));
    assert_memory_equal(&f->config.wire, &hl_wire_limits_default, sizeof(f->config.wire));
}

static void test_every_key_is_read_from_file_and_environment(void **state)
{
    struct fixture *f = *state;
    size_t n_keys = 0;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    for (size_t i = 0; i < n_keys; i++) {
        char variable[80];
        char setting[160];
        char *environment[] = {setting, NULL};
        hl_config_variable(&keys[i], variable);
        snprintf(setting, sizeof(setting), "%s=%s", variable, keys[i].standard);
        assert_int_equal(hl_config_load(NULL, environment, &f->config, &f->report), 0);
        assert_int_equal(f->config.sources[i], HL_CONFIG_FROM_ENVIRONMENT);
        assert_ptr_equal(hl_config_find(keys[i].name), &keys[i]);
        assert_true(strlen(keys[i].meaning) > 10);
    }
}

static void test_precedence(void **state)
{
    struct fixture *f = *state;
    char *environment[] = {"HOLDLINE_LOOPS=3", "HOLDLINE_PORT=tcp://10.0.0.1", "PATH=/bin", NULL};
    assert_int_equal(load_text(f, "# comment\nloops = 2;\nsite = \"shop\";\n", environment), 0);
    assert_int_equal(f->config.loops, 3);
    assert_string_equal(f->config.site, "shop");
    assert_int_equal(f->report.n_unknown_variables, 1);
    assert_string_equal(f->report.unknown_variable, "HOLDLINE_PORT");
    assert_int_equal(hl_config_set(&f->config, hl_config_find("loops"), "4", HL_CONFIG_FROM_OPTION,
                                   "--loops", &f->report),
                     0);
    assert_int_equal(f->config.loops, 4);
}

static void test_lists(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        load_text(f, "origins = [\"https://a.example\", \"http://b.example:8000\"];\n", NULL), 0);
    assert_int_equal(f->config.origins.n_items, 2);
    assert_string_equal(f->config.origins.items[1], "http://b.example:8000");
    assert_int_equal(load_text(f, "\norigins = [\"https://a.example/path\"];\n", NULL),
                     HL_CONFIG_INVALID);
    assert_finding(f, 2, "origins", "no path");
    assert_int_equal(load_text(f, "origins = [\"*\", \"https://a.example\"];\n", NULL),
                     HL_CONFIG_INVALID);
}

static void test_errors_name_line_key_and_what_is_allowed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "site = \"a\";\n\nloops = 0;\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 3, "loops", "from 1 to 64");
    assert_int_equal(load_text(f, "loops = -1;\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 1, "loops", "from 1 to 64");
    assert_int_equal(load_text(f, "loops = \"2\";\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 1, "loops", "without quotes");
    assert_int_equal(load_text(f, "\n\nping_mss = 3;\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 3, "ping_mss", "did you mean ping_ms?");
    assert_int_equal(load_text(f, "site = \"a b\";\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 1, "site", "letters");
    assert_int_equal(load_text(f, "test_mode = 1;\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 1, "test_mode", "true or false");
    assert_int_equal(load_text(f, "log_level = \"loud\";\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 1, "log_level", "error|warn|info|debug");
    assert_int_equal(load_text(f, "site = \"a\";\nloops = = 2;\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 2, "", "key = value;");
}

static void test_rules_between_keys(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load_text(f, "tls_certificate = \"a.pem\";\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 1, "tls_certificate", "tls_key");
    assert_int_equal(load_text(f, "\ndrain_window_ms = 20000;\n", NULL), HL_CONFIG_INVALID);
    assert_finding(f, 2, "drain_window_ms", "drain_deadline_ms");
}

/* A port above 65535 would be taken modulo 65536. */
static void test_listen_is_an_address(void **state)
{
    static const char *const wrong[] = {"nonsense",     "127.0.0.1:99999", "127.0.0.1:65536",
                                        "127.0.0.1:-1", "127.0.0.1:",      "1:2:3",
                                        "[]:1",         "[::1:1"};
    static const char *const right[] = {"[::1]:8080", ":80", "localhost:65535", "0.0.0.0:0"};
    struct fixture *f = *state;
    char text[64];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "\nlisten = \"%s\";\n", wrong[i]);
        assert_int_equal(load_text(f, text, NULL), HL_CONFIG_INVALID);
        assert_finding(f, 2, "listen", "65535");
    }
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        snprintf(text, sizeof(text), "listen = \"%s\";\n", right[i]);
        assert_int_equal(load_text(f, text, NULL), 0);
    }
}

static void test_all_errors_are_told(void **state)
{
    struct fixture *f = *state;
    char *environment[] = {"HOLDLINE_PING_MS=soon", NULL};
    assert_int_equal(load_text(f, "loops = 0;\nunknown = 1;\n", environment), HL_CONFIG_INVALID);
    assert_int_equal(f->report.n_findings, 3);
    assert_string_equal(f->report.findings[2].place, "environment HOLDLINE_PING_MS");
}

static void test_a_file_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    assert_true(hl_config_load("/nowhere/at/all.conf", NULL, &f->config, &f->report) < 0);
    assert_int_equal(f->report.n_findings, 1);
    assert_true(hl_config_load("/tmp", NULL, &f->config, &f->report) < 0);
}

static void test_values_are_written_as_they_are_read(void **state)
{
    struct fixture *f = *state;
    size_t n_keys = 0;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    struct hl_config *other = calloc(1, sizeof(*other));
    struct hl_buffer text;
    hl_buffer_init(&text, 65536);
    assert_non_null(other);
    assert_int_equal(hl_config_load(NULL, NULL, &f->config, &f->report), 0);
    for (size_t i = 0; i < n_keys; i++) {
        hl_buffer_clear(&text);
        hl_config_append_value(&f->config, &keys[i], &text);
        hl_buffer_append(&text, "", 1);
        assert_string_equal(text.data, keys[i].standard);
        assert_int_equal(
            hl_config_set(other, &keys[i], text.data, HL_CONFIG_FROM_FILE, "test", &f->report), 0);
        assert_true(hl_config_value_equal(other, &f->config, &keys[i]));
    }
    hl_buffer_fini(&text);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults_are_safe_and_the_same_everywhere,
                                        make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_every_key_is_read_from_file_and_environment,
                                        make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_precedence, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_lists, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_errors_name_line_key_and_what_is_allowed, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(test_rules_between_keys, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_listen_is_an_address, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_all_errors_are_told, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_not_there, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_values_are_written_as_they_are_read, make_fixture,
                                        drop_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
