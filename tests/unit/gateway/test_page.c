#include "gateway/server/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/fake_exchange.h"

struct fixture {
    char folder[64];
    struct hl_pages *pages;
};

static void write_file(const char *folder, const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static int make_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[128];
    char why[256];
    assert_non_null(f);
    snprintf(f->folder, sizeof(f->folder), "/tmp/holdline-pages-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(path, sizeof(path), "%s/chat", f->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(f->folder, "index.html", "<p>start</p>");
    write_file(f->folder, "chat/app.mjs", "export {};");
    write_file(f->folder, ".hidden.html", "no");
    write_file(f->folder, "secret.key", "no");
    snprintf(path, sizeof(path), "%s/link.html", f->folder);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_int_equal(hl_pages_load(f->folder, why, sizeof(why), &f->pages), 0);
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    struct fixture *f = *state;
    char command[128];
    hl_pages_free(f->pages);
    snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void test_mounts(void **state)
{
    struct fixture *f = *state;
    struct hl_fake_exchange exchange;
    struct hl_pages *pages = NULL;
    char folders[256];
    char why[256];

    snprintf(folders, sizeof(folders), "%s/chat,/old/=%s", f->folder, f->folder);
    assert_int_equal(hl_pages_load(folders, why, sizeof(why), &pages), 0);
    hl_fake_exchange_init(&exchange, HL_GET, "/app.mjs");
    assert_true(hl_pages_answer(pages, &exchange.exchange));
    hl_fake_exchange_fini(&exchange);
    hl_fake_exchange_init(&exchange, HL_GET, "/old/");
    assert_true(hl_pages_answer(pages, &exchange.exchange));
    assert_string_equal(hl_fake_exchange_text(&exchange), "<p>start</p>");
    hl_fake_exchange_fini(&exchange);
    hl_pages_free(pages);
    snprintf(folders, sizeof(folders), "%s,/old/=%s/none", f->folder, f->folder);
    assert_true(hl_pages_load(folders, why, sizeof(why), &pages) < 0);
}

static void test_files_and_versions(void **state)
{
    struct fixture *f = *state;
    struct hl_fake_exchange exchange;
    char etag[64];

    hl_fake_exchange_init(&exchange, HL_GET, "/");
    assert_true(hl_pages_answer(f->pages, &exchange.exchange));
    assert_int_equal(exchange.status, 200);
    assert_string_equal(exchange.type, "text/html; charset=utf-8");
    assert_string_equal(hl_fake_exchange_text(&exchange), "<p>start</p>");
    snprintf(etag, sizeof(etag), "%s", hl_fake_exchange_header(&exchange, "etag"));
    hl_fake_exchange_fini(&exchange);

    hl_fake_exchange_init(&exchange, HL_GET, "/index.html");
    hl_fake_exchange_set(&exchange, HL_HEADER_IF_NONE_MATCH, etag);
    assert_true(hl_pages_answer(f->pages, &exchange.exchange));
    assert_int_equal(exchange.status, 304);
    hl_fake_exchange_fini(&exchange);

    hl_fake_exchange_init(&exchange, HL_GET, "/chat/app.mjs");
    assert_true(hl_pages_answer(f->pages, &exchange.exchange));
    assert_string_equal(exchange.type, "text/javascript; charset=utf-8");
    hl_fake_exchange_fini(&exchange);
}

static void test_what_is_not_served(void **state)
{
    static const char *const paths[] = {
        "/.hidden.html",  "/secret.key",    "/link.html", "/../etc/passwd",
        "/%2e%2e/x.html", "/chat",          "/chat/",     "/chat/../index.html",
        "//index.html",   "/index.html%00", "/%",         ""};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct hl_fake_exchange exchange;
        hl_fake_exchange_init(&exchange, HL_GET, paths[i]);
        assert_false(hl_pages_answer(f->pages, &exchange.exchange));
        hl_fake_exchange_fini(&exchange);
    }
    struct hl_fake_exchange post;
    hl_fake_exchange_init(&post, HL_POST, "/");
    assert_false(hl_pages_answer(f->pages, &post.exchange));
    assert_false(hl_pages_answer(NULL, &post.exchange));
    hl_fake_exchange_fini(&post);
}

static void test_a_folder_that_is_not_there(void **state)
{
    struct hl_pages *pages = NULL;
    char why[256];
    (void)state;
    assert_true(hl_pages_load("/nowhere/at/all", why, sizeof(why), &pages) < 0);
    assert_non_null(strstr(why, "/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_and_versions, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_mounts, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_what_is_not_served, make_fixture, drop_fixture),
        cmocka_unit_test(test_a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
