/* gateway/signin/member.h: whom an identity provider's word makes whom. */
#include "gateway/signin/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/temp_directory.h"

#define ANN "agt_00000000000000000000000000000001"
#define CRM "agt_00000000000000000000000000000002"

static const char issuer[] = "https://id.example";

static int make_fixture(void **state)
{
    struct hl_temp_directory *temp = calloc(1, sizeof(*temp));
    assert_non_null(temp);
    hl_temp_directory_init(temp, hl_clock_system(), "main");
    hl_temp_directory_put(temp, HL_RECORD_AGENT, ANN, "",
                          "{\"active\":true,\"email\":\"ann@example.com\",\"inboxes\":[],"
                          "\"name\":\"Ann\",\"role\":\"agent\"}",
                          (struct hl_bytes){0});
    hl_temp_directory_put(temp, HL_RECORD_AGENT, CRM, "",
                          "{\"active\":true,\"email\":\"crm@example.com\",\"inboxes\":[],"
                          "\"name\":\"CRM\",\"role\":\"integration\"}",
                          (struct hl_bytes){0});
    *state = temp;
    return 0;
}

static int drop_fixture(void **state)
{
    hl_temp_directory_fini(*state);
    free(*state);
    return 0;
}

static struct hl_provider_person person_of(const char *subject, const char *email)
{
    struct hl_provider_person person;
    memset(&person, 0, sizeof(person));
    strncpy(person.subject, subject, sizeof(person.subject) - 1);
    strncpy(person.email, email, sizeof(person.email) - 1);
    return person;
}

static int find(struct hl_temp_directory *temp, const char *at, const char *subject,
                const char *email, struct hl_member *out_member)
{
    struct hl_provider_person person = person_of(subject, email);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(temp->directory);
    int r = hl_member_find(snapshot, at, &person, out_member);
    hl_directory_snapshot_unref(snapshot);
    return r;
}

static void link_member(struct hl_temp_directory *temp, const char *subject,
                        const struct hl_member *member)
{
    struct hl_provider_person person = person_of(subject, "ann@example.com");
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(temp->directory);
    struct hl_directory_change change;
    struct hl_buffer document;
    assert_int_equal(hl_member_fill_link(snapshot, issuer, &person, member, &change, &document), 0);
    assert_int_equal(hl_directory_apply(temp->directory, &change), 0);
    hl_buffer_fini(&document);
    hl_directory_snapshot_unref(snapshot);
}

static void test_first_by_address_then_by_subject(void **state)
{
    struct hl_member member;
    assert_int_equal(find(*state, issuer, "s-1", "Ann@Example.com", &member), 0);
    assert_string_equal(member.id, ANN);
    assert_false(member.is_linked);
    link_member(*state, "s-1", &member);
    assert_int_equal(find(*state, issuer, "s-1", "ann@example.com", &member), 0);
    assert_true(member.is_linked);
    assert_int_equal(find(*state, issuer, "s-1", "ann.new@example.com", &member), 0);
    assert_string_equal(member.id, ANN);
    /* the address was given to somebody else at the provider */
    assert_int_equal(find(*state, issuer, "s-2", "ann@example.com", &member), HL_MEMBER_OTHER);
    /* a link counts at its own provider only */
    assert_int_equal(find(*state, "https://new.example", "s-1", "x@example.com", &member),
                     HL_MEMBER_UNKNOWN);
}

static void test_another_address_voids_the_link(void **state)
{
    struct hl_member member;
    assert_int_equal(find(*state, issuer, "s-1", "ann@example.com", &member), 0);
    link_member(*state, "s-1", &member);
    hl_temp_directory_put(*state, HL_RECORD_AGENT, ANN, "",
                          "{\"active\":true,\"email\":\"bob@example.com\",\"inboxes\":[],"
                          "\"name\":\"Bob\",\"role\":\"agent\",\"oidc\":{\"email\":"
                          "\"ann@example.com\",\"issuer\":\"https://id.example\","
                          "\"subject\":\"s-1\"}}",
                          (struct hl_bytes){0});
    assert_int_equal(find(*state, issuer, "s-1", "ann@example.com", &member), HL_MEMBER_UNKNOWN);
    assert_int_equal(find(*state, issuer, "s-3", "bob@example.com", &member), 0);
    assert_false(member.is_linked);
}

static void test_who_is_nobody(void **state)
{
    struct hl_member member;
    assert_int_equal(find(*state, issuer, "s-1", "nobody@example.com", &member), HL_MEMBER_UNKNOWN);
    assert_int_equal(find(*state, issuer, "s-1", "crm@example.com", &member), HL_MEMBER_UNKNOWN);
    hl_temp_directory_put(*state, HL_RECORD_AGENT, ANN, "",
                          "{\"active\":false,\"email\":\"ann@example.com\",\"inboxes\":[],"
                          "\"name\":\"Ann\",\"role\":\"agent\"}",
                          (struct hl_bytes){0});
    assert_int_equal(find(*state, issuer, "s-1", "ann@example.com", &member), HL_MEMBER_UNKNOWN);
}

static void test_made_at_the_first_sign_in(void **state)
{
    struct hl_temp_directory *temp = *state;
    struct hl_provider_person person = person_of("s-9", "Eve@Example.com");
    struct hl_id id = {{9}};
    struct hl_directory_change change;
    struct hl_buffer document;
    struct hl_member member;
    assert_int_equal(hl_member_fill_new(issuer, &person, HL_KEY_AGENT, &id, &change, &document), 0);
    assert_int_equal(hl_directory_apply(temp->directory, &change), 0);
    hl_buffer_fini(&document);
    assert_int_equal(find(temp, issuer, "s-9", "other@example.com", &member), 0);
    assert_true(member.is_linked);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(temp->directory);
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &id);
    assert_string_equal(agent->email, "eve@example.com");
    assert_string_equal(agent->name, "Eve");
    assert_int_equal(agent->role, HL_KEY_AGENT);
    hl_directory_snapshot_unref(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_by_address_then_by_subject, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(test_another_address_voids_the_link, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(test_who_is_nobody, make_fixture, drop_fixture),
        cmocka_unit_test_setup_teardown(test_made_at_the_first_sign_in, make_fixture, drop_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
