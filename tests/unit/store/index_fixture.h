/* An index over the SQLite engine in a folder of its own, and calls that wait. Included by the
 * unit tests of the index only. */
#ifndef HL_TESTS_UNIT_STORE_INDEX_FIXTURE_H
#define HL_TESTS_UNIT_STORE_INDEX_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/index.h"
#include "store/log_sqlite.h"
#include "tests/support/fake_clock.h"
#include "tests/support/log_client.h"
#include "tests/support/temp_folder.h"

struct fixture {
    struct hl_temp_folder folder;
    char log_path[160];
    char index_path[160];
    struct hl_index_config config;
    struct hl_fake_clock clock; /* the log's: each entry has a millisecond of its own */
    struct hl_log *log;
    struct hl_log_client client;
    struct hl_index *index;
};

static const uint8_t contact_key[HL_HASH_KEY_SIZE] = {3};

static inline void open_log(struct fixture *f)
{
    static const uint8_t chain_key[32] = {7};
    char why[256] = "";
    struct hl_log_sqlite_config config = {.path = f->log_path,
                                          .clock = &f->clock.clock,
                                          .chain_key = chain_key,
                                          .region_key = chain_key,
                                          .n_readers = 2};
    if (hl_log_sqlite_open(&config, why, sizeof(why), &f->log) != 0)
        fail_msg("%s", why);
    hl_log_client_init(&f->client, f->log);
    f->config.log = f->log;
}

static inline void open_index(struct fixture *f)
{
    char why[256] = "";
    if (hl_index_open(&f->config, why, sizeof(why), &f->index) != 0)
        fail_msg("%s", why);
}

static inline void close_index(struct fixture *f)
{
    hl_index_close(f->index);
    f->index = NULL;
}

static inline void close_log(struct fixture *f)
{
    hl_log_close(f->log);
    hl_log_client_fini(&f->client);
}

static inline int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.log = NULL};
    hl_temp_folder_init(&fixture.folder);
    (void)snprintf(fixture.log_path, sizeof(fixture.log_path), "%s/holdline.db",
                   fixture.folder.path);
    (void)snprintf(fixture.index_path, sizeof(fixture.index_path), "%s/index.db",
                   fixture.folder.path);
    fixture.config = (struct hl_index_config){.path = fixture.index_path,
                                              .clock = hl_clock_system(),
                                              .contact_key = contact_key,
                                              .delay_ms = 20};
    hl_fake_clock_init(&fixture.clock, INT64_C(1700000000000));
    open_log(&fixture);
    open_index(&fixture);
    *state = &fixture;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    close_index(f);
    close_log(f);
    hl_temp_folder_fini(&f->folder);
    return 0;
}

/* Entries */

static inline uint64_t put(struct fixture *f, struct hl_client_entry entry)
{
    static unsigned n_mids;
    char mid[32];
    char reference[24];
    (void)snprintf(mid, sizeof(mid), "m%u", n_mids++);
    (void)snprintf(reference, sizeof(reference), "HL-%u",
                   entry.conversation.b[15] + 256u * entry.conversation.b[14]);
    entry.mid = mid;
    if (entry.reference == NULL)
        entry.reference = reference;
    hl_fake_clock_advance(&f->clock, 1);
    struct hl_client_answer answer = hl_log_client_submit(&f->client, &entry);
    assert_int_equal(answer.r, 0);
    return answer.offset;
}

static inline uint64_t say(struct fixture *f, uint64_t conversation, const char *text)
{
    char body[512];
    (void)snprintf(body, sizeof(body), "{\"text\":\"%s\"}", text);
    return put(f, (struct hl_client_entry){
                      .conversation = hl_test_id(conversation),
                      .author = {.role = HL_ROLE_VISITOR, .id = hl_test_id(1000 + conversation)},
                      .body = body});
}

static inline uint64_t act(struct fixture *f, uint64_t conversation, uint64_t agent,
                           enum hl_entry_kind kind, const char *body)
{
    return put(f, (struct hl_client_entry){
                      .conversation = hl_test_id(conversation),
                      .author = {.role = HL_ROLE_AGENT, .id = hl_test_id(agent)},
                      .kind = kind,
                      .subject = kind == HL_ENTRY_CLAIMED ? hl_test_id(agent) : hl_test_id(0),
                      .body = body});
}

/* Reads; the answer's memory is the caller's */

struct awaited {
    bool is_done;
    int r;
};

#define DEFINE_ASK(kind)                                                                           \
    struct kind##_ask {                                                                            \
        struct hl_index_##kind request;                                                            \
        struct awaited awaited;                                                                    \
    };                                                                                             \
    static inline void end_##kind(struct hl_index_##kind *request, int r)                          \
    {                                                                                              \
        struct kind##_ask *ask = HL_CONTAINER_OF(request, struct kind##_ask, request);             \
        ask->awaited = (struct awaited){true, r};                                                  \
    }                                                                                              \
    static inline int ask_##kind(struct fixture *f, struct hl_index_##kind *request)               \
    {                                                                                              \
        struct kind##_ask ask = {.request = *request};                                             \
        ask.request.done = end_##kind;                                                             \
        ask.request.read.loop = &f->client.loop.loop;                                              \
        int r = hl_index_##kind(f->index, &ask.request);                                           \
        if (r != 0)                                                                                \
            return r;                                                                              \
        assert_true(hl_fake_loop_run_until(&f->client.loop, &ask.awaited.is_done));                \
        *request = ask.request;                                                                    \
        return ask.awaited.r;                                                                      \
    }
DEFINE_ASK(list)
DEFINE_ASK(get)
DEFINE_ASK(contacts)
DEFINE_ASK(person)
DEFINE_ASK(tags)
DEFINE_ASK(queue)

/* The numbers of the conversations of a page, as "3 1 2". On a machine with no time to spare a
 * read may be refused; it is made again. */
static inline const char *page(struct fixture *f, struct hl_index_list list)
{
    static char text[256];
    size_t size = 0;
    int r = 0;

    list.limit = list.limit == 0 ? 50 : list.limit;
    list.sort = list.sort == 0 ? HL_INDEX_NEWEST : list.sort;
    do {
        list.read.at_least = HL_INDEX_LATEST;
        r = ask_list(f, &list);
    } while (r == HL_INDEX_BEHIND);
    assert_int_equal(r, 0);
    text[0] = '\0';
    for (size_t i = 0; i < list.n_items; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%u", i > 0 ? " " : "",
                                 list.items[i].state.id.b[15]);
    hl_index_read_free(&list.read);
    return text;
}

static inline const char *find(struct fixture *f, const char *query)
{
    struct hl_index_list list = {.sort = HL_INDEX_NEWEST};
    (void)snprintf(list.query, sizeof(list.query), "%s", query);
    return page(f, list);
}

/* The answer's memory is freed: look at numbers only. */
static inline struct hl_index_conversation look(struct fixture *f, uint64_t conversation,
                                                uint64_t agent)
{
    struct hl_index_get get = {.conversation = hl_test_id(conversation)};
    int r = 0;
    if (agent != 0)
        get.read.asker = hl_test_id(agent);
    do {
        get.read.at_least = HL_INDEX_LATEST;
        r = ask_get(f, &get);
    } while (r == HL_INDEX_BEHIND);
    assert_int_equal(r, 0);
    hl_index_read_free(&get.read);
    return get.found;
}

#endif
