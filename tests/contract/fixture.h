/* What each test of the contract starts from: an empty log of the engine named on the command
 * line, a clock moved by hand and a client. */
#ifndef HL_TESTS_CONTRACT_FIXTURE_H
#define HL_TESTS_CONTRACT_FIXTURE_H

#include "tests/support/fake_clock.h"
#include "tests/support/faulty_log.h"
#include "tests/support/log_client.h"
#include "tests/support/temp_folder.h"

enum engine { ENGINE_MEMORY, ENGINE_SQLITE };

struct fixture {
    enum engine engine;
    bool wrapped; /* in a faulty log */
    struct hl_temp_folder folder;
    char path[160]; /* of the data file */
    struct hl_fake_clock clock;
    struct hl_log *log;
    struct hl_log_client client;
    /* for the next open */
    enum hl_fault fault;
    uint64_t nth_call;
    uint64_t queue_max;
};

extern const uint8_t fixture_chain_key[32];

/* "memory", "sqlite", and both with "faulty-" before; false if it is none of these. */
bool fixture_select_engine(const char *name);

int fixture_setup(void **state); /* cmocka; opens the log */
int fixture_teardown(void **state);
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
/* Closes and opens again where that keeps anything. False: this engine forgets. */
bool fixture_reopen(struct fixture *fixture);

/* A visitor's message that is stored; fails the test otherwise. */
struct hl_client_answer fixture_say(struct fixture *fixture, uint64_t conversation,
                                    const char *mid);

#endif
