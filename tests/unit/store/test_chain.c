#include "store/chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[HL_CHAIN_KEY_SIZE] = {1, 2, 3};

static struct hl_entry *make_entry(void)
{
    struct hl_entry *entry = hl_entry_create(&(struct hl_entry_fields){
        .conversation = {{1}},
        .author = {.role = HL_ROLE_VISITOR, .id = {{2}}},
        .kind = HL_ENTRY_MESSAGE,
        .subject = {{3}},
        .mid = hl_bytes_of("mid"),
        .body = hl_bytes_of("body"),
    });

    assert_non_null(entry);
    entry->offset = 1;
    entry->position = 2;
    entry->wall_ms = 3;
    return entry;
}

static struct hl_chain link_of(const uint8_t *with_key, const struct hl_chain *previous,
                               const struct hl_entry *entry)
{
    struct hl_chain chain;

    hl_chain_next(with_key, previous, entry, hl_entry_body(entry), false, &chain);
    return chain;
}

static void test_every_field_counts(void **state)
{
    struct hl_entry *entry = make_entry();
    struct hl_chain previous = {{9}};
    struct hl_chain other_previous = {{8}};
    const uint8_t other_key[HL_CHAIN_KEY_SIZE] = {1, 2, 4};
    struct hl_chain chain = link_of(key, &previous, entry);
    /* one byte of each stored field */
    uint8_t *const fields[] = {
        &entry->kind,
        &entry->author.role,
        &entry->author.id.b[15],
        &entry->subject.b[0],
        &entry->conversation.b[7],
        (uint8_t *)&entry->offset,
        (uint8_t *)&entry->position,
        (uint8_t *)&entry->wall_ms,
        (uint8_t *)&entry->mid[2],
        (uint8_t *)&entry->body[3],
    };

    (void)state;
    struct hl_chain again = link_of(key, &previous, entry);
    assert_true(hl_chain_equal(&chain, &again));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i] ^= 1;
        struct hl_chain changed = link_of(key, &previous, entry);
        assert_false(hl_chain_equal(&chain, &changed));
        *fields[i] ^= 1;
    }
    again = link_of(other_key, &previous, entry);
    assert_false(hl_chain_equal(&chain, &again));
    again = link_of(key, &other_previous, entry);
    assert_false(hl_chain_equal(&chain, &again));
    hl_entry_unref(entry);
}

/* What is hashed never changes: data files would not verify any more. */
static void test_format_is_frozen(void **state)
{
    static const uint8_t expected[HL_CHAIN_SIZE] = {0xa7, 0x1d, 0x69, 0xed, 0xe4, 0x05, 0x81, 0xe7,
                                                    0x81, 0xd7, 0x1e, 0xd2, 0xf8, 0x1b, 0x00, 0x46,
                                                    0x0f, 0xda, 0x71, 0x77, 0x61, 0x6f, 0x91, 0x1b,
                                                    0x2a, 0x00, 0x34, 0x22, 0xd4, 0xa5, 0x33, 0xa9};
    struct hl_conversation conversation = {.id = {{1}}, .site = "main", .reference = "HL-1"};
    struct hl_entry *entry = make_entry();
    struct hl_chain begin;

    (void)state;
    hl_chain_begin(key, &conversation, (struct hl_bytes){NULL, 0}, &begin);
    struct hl_chain chain = link_of(key, &begin, entry);
    assert_memory_equal(chain.b, expected, sizeof(expected));
    hl_entry_unref(entry);
}

static void test_beginning_binds_the_opening(void **state)
{
    struct hl_conversation conversation = {.id = {{1}}, .site = "ab", .reference = "c"};
    struct hl_conversation shifted = {.id = {{1}}, .site = "a", .reference = "bc"};
    struct hl_chain one;
    struct hl_chain two;

    (void)state;
    hl_chain_begin(key, &conversation, (struct hl_bytes){NULL, 0}, &one);
    hl_chain_begin(key, &shifted, (struct hl_bytes){NULL, 0}, &two);
    assert_false(hl_chain_equal(&one, &two));
    hl_chain_begin(key, &conversation, hl_bytes_of("x"), &two);
    assert_false(hl_chain_equal(&one, &two));
    conversation.inbox = (struct hl_id){{1}};
    hl_chain_begin(key, &conversation, (struct hl_bytes){NULL, 0}, &two);
    assert_false(hl_chain_equal(&one, &two));
    hl_chain_fingerprint(key, &two);
    assert_false(hl_chain_equal(&one, &two));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_counts),
        cmocka_unit_test(test_format_is_frozen),
        cmocka_unit_test(test_beginning_binds_the_opening),
    };

    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
