/* Fifty agents claim a conversation at once: one wins and the others are told who. The same
 * rivals on a log that forgets to look at conditions: the test must see it. */
#include "agent-api/api_state.h"

#include "tests/support/faulty_log.h"
#include "tests/unit/agent-api/api_fixture.h"

enum { RIVALS = 50 };

struct tally {
    int n_won;
    int n_told_who;
    int n_claims; /* in the log */
};

static int count(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        n++;
    return n;
}

static struct tally run_rivals(struct fixture *f)
{
    static struct hl_fake_exchange rivals[RIVALS];
    static char bearers[RIVALS][64];
    struct tally tally = {0};
    char target[200];
    snprintf(target, sizeof(target), "%s/assignee", f->path);
    for (int i = 0; i < RIVALS; i++) {
        char secret[HL_KEY_SECRET_SIZE];
        char name[16];
        struct hl_id id;
        struct hl_person_wish wish = {.name = name, .role = HL_KEY_AGENT};
        snprintf(name, sizeof(name), "rival %d", i);
        assert_int_equal(hl_directory_add_person(f->directory, &wish, secret, &id), 0);
        snprintf(bearers[i], sizeof(bearers[i]), "Bearer %s", secret);
        hl_fake_exchange_init(&rivals[i], HL_PUT, target);
        hl_fake_exchange_set(&rivals[i], HL_HEADER_AUTHORIZATION, bearers[i]);
        hl_fake_exchange_set(&rivals[i], HL_HEADER_IF_NONE_MATCH, "*");
    }
    for (int i = 0; i < RIVALS; i++)
        hl_api_handle(f->api, &rivals[i].exchange);
    hl_fake_loop_run_all(&f->loop);
    for (int i = 0; i < RIVALS; i++) {
        assert_true(rivals[i].is_answered);
        tally.n_won += rivals[i].status == 200;
        tally.n_told_who += rivals[i].status == 412 && strstr(hl_fake_exchange_text(&rivals[i]),
                                                              "\"assignee_name\":\"rival") != NULL;
        hl_fake_exchange_fini(&rivals[i]);
    }
    prepare(f, ANN, HL_GET, "/messages?limit=200");
    assert_int_equal(run(f), 200);
    tally.n_claims = count(hl_fake_exchange_text(&f->exchange), "\"kind\":\"claimed\"");
    return tally;
}

static void one_of_fifty_wins(void **state)
{
    struct fixture *f = *state;
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    struct tally tally = run_rivals(f);
    assert_int_equal(tally.n_won, 1);
    assert_int_equal(tally.n_told_who, RIVALS - 1);
    assert_int_equal(tally.n_claims, 1);
}

static void a_log_that_forgets_conditions_is_found_out(void **state)
{
    struct fixture *f = *state;
    f->api->config.log = hl_faulty_log_create(f->log, HL_FAULT_FORGETFUL, 0);
    write_as_visitor(f, "v1", "{\"text\":\"hello\"}");
    struct tally tally = run_rivals(f);
    assert_int_equal(tally.n_won, RIVALS);
    assert_int_equal(tally.n_claims, RIVALS);
    f->log = f->api->config.log; /* closes both */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_of_fifty_wins, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(a_log_that_forgets_conditions_is_found_out, make_fixture,
                                        drop_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
