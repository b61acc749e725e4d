/* POST /v1/enquiries with any body, as JSON (first byte even) or as a form (odd), through the real
 * handler on the memory engine: one answer, of a status that the protocol page knows. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "gateway/enquiry/enquiry.h"
#include "store/log_memory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_exchange.h"
#include "tests/support/fake_loop.h"
#include "tests/support/temp_directory.h"

static const uint8_t reference_key[HL_SECRET_SIZE] = {9};

static void check_answer(struct hl_fake_exchange *fake)
{
    json_t *answer = NULL;

    HL_CHECK(fake->is_answered);
    HL_CHECK(fake->status == 201 || fake->status == 200 ||
             (fake->status >= 400 && fake->status < 500));
    if (strcmp(fake->type, "application/json") == 0 ||
        strcmp(fake->type, "application/problem+json") == 0) {
        HL_CHECK(hl_json_parse(hl_buffer_bytes(&fake->body), NULL, 0, &answer) == 0);
        json_decref(answer);
    }
}

static void post(struct hl_enquiries *enquiries, struct hl_fake_loop *loop, bool is_form,
                 struct hl_bytes body)
{
    struct hl_fake_exchange fake;
    const struct hl_route_params params = {0};

    hl_fake_exchange_init(&fake, HL_POST, "/v1/enquiries");
    hl_fake_exchange_set(&fake, HL_HEADER_CONTENT_TYPE,
                         is_form ? "application/x-www-form-urlencoded" : "application/json");
    hl_fake_exchange_set(&fake, HL_HEADER_ACCEPT, is_form ? "text/html" : "application/json");
    hl_fake_exchange_set(&fake, HL_HEADER_IDEMPOTENCY_KEY, "key-1");
    fake.exchange.body = body;
    hl_enquiry_post(enquiries, &fake.exchange, &params);
    (void)hl_fake_loop_run_all(loop);
    check_answer(&fake);
    hl_fake_exchange_fini(&fake);
}

/* One for all runs: nothing changes it. */
static const struct hl_doors *open_doors(void)
{
    static struct hl_temp_directory directory;
    static struct hl_doors doors;

    if (doors.directory == NULL) {
        hl_temp_directory_init(&directory, hl_clock_system(), "shop");
        doors = (struct hl_doors){.directory = directory.directory, .site = "shop"};
    }
    return &doors;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hl_fake_clock clock;
    struct hl_fake_loop loop;
    struct hl_log *log = NULL;

    if (size == 0)
        return 0;
    hl_fake_clock_init(&clock, INT64_C(1700000000000));
    hl_fake_loop_init(&loop);
    const struct hl_log_memory_config config = {.clock = &clock.clock, .epoch = 1, .queue_max = 8};
    HL_CHECK(hl_log_memory_open(&config, &log) == 0);
    struct hl_enquiries enquiries = {.log = log,
                                     .loop = &loop.loop,
                                     .clock = &clock.clock,
                                     .doors = open_doors(),
                                     .public_url = "https://chat.example",
                                     .reference_key = reference_key,
                                     .body_bytes_max = 4096,
                                     .expected_answer_minutes = 60};
    struct hl_bytes body = fuzz_text(data + 1, size - 1);
    bool is_form = (data[0] & 1) != 0;
    post(&enquiries, &loop, is_form, body);
    post(&enquiries, &loop, is_form, body);
    struct hl_log_info info;
    hl_log_info(log, &info);
    HL_CHECK(info.position <= 1); /* the repeat has made no second entry */
    hl_log_close(log);
    (void)hl_fake_loop_run_all(&loop);
    hl_fake_loop_fini(&loop);
    return 0;
}
