#include "tests/contract/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/log_memory.h"
#include "store/log_sqlite.h"

const uint8_t fixture_chain_key[32] = "a chain key for tests only";

static enum engine selected_engine;
static bool selected_wrapped;

bool fixture_select_engine(const char *name)
{
    static const char prefix[] = "faulty-";

    selected_wrapped = strncmp(name, prefix, sizeof(prefix) - 1) == 0;
    if (selected_wrapped)
        name += sizeof(prefix) - 1;
    selected_engine = strcmp(name, "sqlite") == 0 ? ENGINE_SQLITE : ENGINE_MEMORY;
    return selected_engine == ENGINE_SQLITE || strcmp(name, "memory") == 0;
}

static struct hl_log *open_engine(struct fixture *fixture)
{
    struct hl_log *log = NULL;
    char why[256] = "";
    int r = 0;

    if (fixture->engine == ENGINE_MEMORY)
        r = hl_log_memory_open(&(struct hl_log_memory_config){.clock = &fixture->clock.clock,
                                                              .epoch = 7,
                                                              .queue_max = fixture->queue_max},
                               &log);
    else
        r = hl_log_sqlite_open(&(struct hl_log_sqlite_config){.path = fixture->path,
                                                              .clock = &fixture->clock.clock,
                                                              .chain_key = fixture_chain_key,
                                                              .region_key = fixture_chain_key,
                                                              .queue_max = fixture->queue_max},
                               why, sizeof(why), &log);
    if (r != 0)
        fail_msg("open: %d: %s", r, why);
    return log;
}

void fixture_open(struct fixture *fixture)
{
    fixture->log = open_engine(fixture);
    if (fixture->wrapped)
        fixture->log = hl_faulty_log_create(fixture->log, fixture->fault, fixture->nth_call);
    hl_log_client_init(&fixture->client, fixture->log);
}

void fixture_close(struct fixture *fixture)
{
    hl_log_close(fixture->log);
    fixture->log = NULL;
    hl_log_client_fini(&fixture->client);
}

bool fixture_reopen(struct fixture *fixture)
{
    if (fixture->engine == ENGINE_MEMORY)
        return false;
    fixture_close(fixture);
    fixture_open(fixture);
    return true;
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->engine = selected_engine;
    fixture->wrapped = selected_wrapped;
    hl_temp_folder_init(&fixture->folder);
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/holdline.db", fixture->folder.path);
    hl_fake_clock_init(&fixture->clock, 1700000000000);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    if (fixture->log != NULL)
        fixture_close(fixture);
    hl_temp_folder_fini(&fixture->folder);
    free(fixture);
    return 0;
}

struct hl_client_answer fixture_say(struct fixture *fixture, uint64_t conversation, const char *mid)
{
    struct hl_client_answer answer = hl_log_client_submit(
        &fixture->client,
        &(struct hl_client_entry){.conversation = hl_test_id(conversation), .mid = mid});

    assert_int_equal(answer.r, 0);
    return answer;
}
