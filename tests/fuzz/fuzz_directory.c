/* Bodies of directory objects: any JSON as a merge patch of any kind of object, through the real
 * handlers. Input: a byte that chooses kind and method, then the body. What was accepted must be
 * readable again, and the snapshot must be buildable from it. */
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

static const char *const collections[] = {"/v1/sites", "/v1/inboxes", "/v1/agents", "/v1/keys",
                                          "/v1/canned-replies"};
enum { N_COLLECTIONS = sizeof(collections) / sizeof(collections[0]) };

/* One house for all inputs; what they make is deleted, or refused at the limit. */
static struct hl_directory *directory;
static struct hl_fake_clock fake_clock;
static struct hl_fake_loop loop;
static struct hl_log *audit;
static struct hl_api *api;
static struct hl_temp_folder folder;
static char bearer[64];
static char paths[N_COLLECTIONS][128]; /* an object of each kind that can be patched */

static int run_request(enum hl_method method, const char *path, struct hl_bytes body,
                       struct hl_fake_exchange *fake)
{
    hl_fake_exchange_init(fake, method, path);
    hl_fake_exchange_set(fake, HL_HEADER_AUTHORIZATION, bearer);
    hl_fake_exchange_set(fake, HL_HEADER_CONTENT_TYPE, "application/json");
    hl_fake_exchange_set(fake, HL_HEADER_IF_MATCH, "*");
    fake->exchange.body = body;
    hl_api_handle(api, &fake->exchange);
    (void)hl_fake_loop_run_all(&loop);
    HL_CHECK(fake->is_answered);
    HL_CHECK(fake->status < 500);
    return fake->status;
}

static void drop_folder(void)
{
    hl_temp_folder_fini(&folder);
}

static void open_house(void)
{
    static const char *const firsts[N_COLLECTIONS] = {
        "{\"id\":\"b\",\"name\":\"B\"}", "{\"name\":\"I\"}", "{\"name\":\"A\",\"role\":\"agent\"}",
        NULL, "{\"shortcut\":\"s\",\"text\":\"t\"}"};
    char path[192];
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_id agent;
    struct hl_registry *registry = NULL;
    struct hl_person_wish wish = {.name = "Root", .role = HL_KEY_ADMIN};
    struct hl_directory_config config = {path, NULL, hl_clock_system(), hl_random_system()};
    struct hl_log_memory_config log_config = {
        .clock = &fake_clock.clock, .epoch = 1, .queue_max = 8};
    hl_temp_folder_init(&folder);
    HL_CHECK(atexit(drop_folder) == 0);
    (void)snprintf(path, sizeof(path), "%s/directory.db", folder.path);
    hl_fake_clock_init(&fake_clock, INT64_C(1700000000000));
    hl_fake_loop_init(&loop);
    HL_CHECK(hl_directory_open(&config, &directory) == 0);
    HL_CHECK(hl_directory_ensure_site(directory, "shop") == 0);
    HL_CHECK(hl_directory_add_person(directory, &wish, secret, &agent) == 0);
    (void)snprintf(bearer, sizeof(bearer), "Bearer %s", secret);
    hl_directory_start_on(directory, &loop.loop);
    HL_CHECK(hl_log_memory_open(&log_config, &audit) == 0 && hl_registry_create(1, &registry) == 0);
    const struct hl_api_config api_config = {.log = audit,
                                             .loop = &loop.loop,
                                             .clock = &fake_clock.clock,
                                             .random = hl_random_system(),
                                             .directory = directory,
                                             .audit = audit,
                                             .audit_memory = hl_audit_memory_create(),
                                             .site = "shop",
                                             .registry = registry,
                                             .online = hl_online_create(),
                                             .presence = hl_presence_create(),
                                             .body_bytes_max = 4096,
                                             .feeds_max = 3};
    HL_CHECK(hl_api_create(&api_config, &api) == 0);
    for (size_t i = 0; i < N_COLLECTIONS; i++) {
        struct hl_fake_exchange fake;
        if (firsts[i] == NULL)
            continue;
        HL_CHECK(run_request(HL_POST, collections[i], hl_bytes_of(firsts[i]), &fake) == 201);
        (void)snprintf(paths[i], sizeof(paths[i]), "%s",
                       hl_fake_exchange_header(&fake, "location"));
        hl_fake_exchange_fini(&fake);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hl_fake_exchange fake;
    if (api == NULL)
        open_house();
    if (size == 0)
        return 0;
    size_t kind = data[0] % N_COLLECTIONS;
    bool is_patch = data[0] / N_COLLECTIONS % 2 == 1 && paths[kind][0] != '\0';
    const char *path = is_patch ? paths[kind] : collections[kind];
    struct hl_bytes body = {(const char *)data + 1, size - 1};
    int status = run_request(is_patch ? HL_PATCH : HL_POST, path, body, &fake);
    char made[128];
    (void)snprintf(made, sizeof(made), "%s",
                   is_patch ? path : hl_fake_exchange_header(&fake, "location"));
    hl_fake_exchange_fini(&fake);
    if (status >= 300)
        return 0;
    HL_CHECK(run_request(HL_GET, made, (struct hl_bytes){0}, &fake) == 200);
    hl_fake_exchange_fini(&fake);
    if (!is_patch) {
        HL_CHECK(run_request(HL_DELETE, made, (struct hl_bytes){0}, &fake) == 204);
        hl_fake_exchange_fini(&fake);
    }
    return 0;
}
