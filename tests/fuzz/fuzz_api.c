/* The agents' REST API with any target, header and body, through the real router and handlers on
 * the memory engine. Input: a line "METHOD target", a line for each of If-Match and Accept, the
 * body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/api.h"
#include "agent-api/audit/memory.h"
#include "base/check.h"
#include "store/directory_people.h"
#include "store/log_memory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_exchange.h"
#include "tests/support/fake_loop.h"
#include "tests/support/temp_folder.h"

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
static struct hl_directory *directory;
static struct hl_temp_folder folder;
static char bearer[64];

static void drop_folder(void)
{
    hl_temp_folder_fini(&folder);
}

/* The directory is made once; opening it is slow. */
static void open_keys(void)
{
    char path[192];
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_id agent;
    struct hl_person_wish wish = {.name = "Ann", .role = HL_KEY_ADMIN};
    struct hl_directory_config config = {path, NULL, hl_clock_system(), hl_random_system()};

    hl_temp_folder_init(&folder);
    HL_CHECK(atexit(drop_folder) == 0);
    (void)snprintf(path, sizeof(path), "%s/directory.db", folder.path);
    HL_CHECK(hl_directory_open(&config, &directory) == 0);
    HL_CHECK(hl_directory_ensure_site(directory, "shop") == 0);
    HL_CHECK(hl_directory_add_person(directory, &wish, secret, &agent) == 0);
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", secret);
}

static struct hl_bytes take_line(struct hl_bytes *rest)
{
    const char *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    struct hl_bytes line = *rest;

    if (end == NULL) {
        *rest = (struct hl_bytes){NULL, 0};
        return line;
    }
    line.size = (size_t)(end - rest->data);
    rest->data = end + 1;
    rest->size -= line.size + 1;
    return line;
}

static void take_submit(struct hl_log_submit *submit, int r)
{
    HL_CHECK(r == 0);
    hl_entry_unref(submit->entry);
}

/* Conversation cnv_0102030000…, with one message of a visitor. */
static void write_first(struct hl_log *log, struct hl_fake_loop *loop)
{
    const struct hl_log_opening opening = {.site = hl_bytes_of("shop"),
                                           .reference = hl_bytes_of("HL-1111-2222-3333")};
    const struct hl_entry_fields fields = {.conversation = {{1, 2, 3}},
                                           .author = {.role = HL_ROLE_VISITOR, .id = {{7}}},
                                           .kind = HL_ENTRY_MESSAGE,
                                           .mid = hl_bytes_of("m1"),
                                           .body = hl_bytes_of("{\"text\":\"hello\"}")};
    struct hl_log_submit submit = {.loop = &loop->loop,
                                   .done = take_submit,
                                   .entry = hl_entry_create(&fields),
                                   .opening = &opening};

    HL_CHECK(hl_log_submit(log, &submit) == 0);
    (void)hl_fake_loop_run_all(loop);
}

/* False: the input has no method that the gate would let through. */
static bool read_request(struct hl_bytes input, struct hl_fake_exchange *fake)
{
    struct hl_bytes first = take_line(&input);
    char target[400];
    int method = -1;

    for (int i = 0; i < HL_METHOD_END; i++) {
        size_t size = strlen(methods[i]);
        if (first.size > size + 1 && memcmp(first.data, methods[i], size) == 0)
            method = i;
    }
    if (method < 0)
        return false;
    size_t skip = strlen(methods[method]) + 1;
    if (first.size - skip >= sizeof target || memchr(first.data, '\0', first.size) != NULL)
        return false;
    memcpy(target, first.data + skip, first.size - skip);
    target[first.size - skip] = '\0';
    hl_fake_exchange_init(fake, (enum hl_method)method, target);
    fake->exchange.headers[HL_HEADER_IF_MATCH] = take_line(&input);
    fake->exchange.headers[HL_HEADER_ACCEPT] = take_line(&input);
    hl_fake_exchange_set(fake, HL_HEADER_AUTHORIZATION, bearer);
    hl_fake_exchange_set(fake, HL_HEADER_CONTENT_TYPE, "application/json");
    fake->exchange.body = input;
    return true;
}

static void mark_closed(void *arg)
{
    *(bool *)arg = true;
}

/* Runs the request; a feed that waits is ended by draining. */
static void run_request(struct hl_log *log, struct hl_fake_loop *loop, struct hl_fake_clock *clock,
                        struct hl_fake_exchange *fake)
{
    struct hl_registry *registry = NULL;
    struct hl_audit_memory *memory = hl_audit_memory_create();
    struct hl_online *online = hl_online_create();
    struct hl_presence *presence = hl_presence_create();
    HL_CHECK(hl_registry_create(1, &registry) == 0 && online != NULL && presence != NULL &&
             memory != NULL);
    const struct hl_api_config config = {.log = log,
                                         .loop = &loop->loop,
                                         .clock = &clock->clock,
                                         .random = hl_random_system(),
                                         .directory = directory,
                                         .audit = log,
                                         .audit_memory = memory,
                                         .site = "shop",
                                         .registry = registry,
                                         .online = online,
                                         .presence = presence,
                                         .body_bytes_max = 4096,
                                         .feeds_max = 3};
    struct hl_api *api = NULL;
    bool is_closed = false;

    hl_directory_start_on(directory, &loop->loop);
    HL_CHECK(hl_api_create(&config, &api) == 0);
    hl_api_handle(api, &fake->exchange);
    (void)hl_fake_loop_run_all(loop);
    hl_api_drain(api);
    (void)hl_fake_loop_run_all(loop);
    HL_CHECK(fake->is_answered);
    HL_CHECK(fake->status >= 200 && fake->status != 500);
    hl_api_close(api, mark_closed, &is_closed);
    (void)hl_fake_loop_run_all(loop);
    HL_CHECK(is_closed);
    hl_registry_destroy(registry);
    hl_audit_memory_destroy(memory);
    hl_online_destroy(online);
    hl_presence_destroy(presence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hl_fake_exchange fake;
    struct hl_fake_clock clock;
    struct hl_fake_loop loop;
    struct hl_log *log = NULL;

    if (directory == NULL)
        open_keys();
    if (!read_request(fuzz_text(data, size), &fake))
        return 0;
    hl_fake_clock_init(&clock, INT64_C(1700000000000));
    hl_fake_loop_init(&loop);
    const struct hl_log_memory_config config = {.clock = &clock.clock, .epoch = 1, .queue_max = 8};
    HL_CHECK(hl_log_memory_open(&config, &log) == 0);
    write_first(log, &loop);
    run_request(log, &loop, &clock, &fake);
    hl_fake_exchange_fini(&fake);
    hl_log_close(log);
    (void)hl_fake_loop_run_all(&loop);
    hl_fake_loop_fini(&loop);
    return 0;
}
