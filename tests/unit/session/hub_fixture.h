/* A hub, or several, over the memory engine, a fake loop and a fake clock, with links that
 * keep what they were sent. Everything runs on the test's thread. */
#ifndef HL_TESTS_UNIT_SESSION_HUB_FIXTURE_H
#define HL_TESTS_UNIT_SESSION_HUB_FIXTURE_H

#include "base/json.h"
#include "session/hub.h"
#include "store/log_memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_loop.h"

enum { FIXTURE_HUBS = 2, FIXTURE_LINKS = 4096 };

struct fixture_link {
    struct hl_link link;
    bool is_blocked; /* is_ready says no */
    bool is_closed;
    bool is_answered; /* POLL */
    enum hl_problem_code problem;
    size_t n_messages;
    json_t *frames; /* all that came, in order */
    json_t *answer; /* POLL: the envelope */
};

struct fixture {
    struct hl_fake_clock clock;
    struct hl_random random;
    uint64_t seed;
    struct hl_fake_loop loop;
    struct hl_log *log;
    struct hl_registry *registry;
    struct hl_token_keys keys;
    struct hl_hub_limits limits;
    struct hl_sites sites; /* of hubs made from now on: nothing unless a test sets it */
    bool (*sees)(void *arg, const struct hl_id *agent, const struct hl_conversation *conversation);
    struct hl_hub *hubs[FIXTURE_HUBS];
    struct fixture_link *links[FIXTURE_LINKS]; /* freed with the fixture */
    size_t n_links;
    int n_destroyed;
};

int fixture_setup(void **state);    /* cmocka; state is the fixture; one hub */
int fixture_teardown(void **state); /* checks that everything could be taken down */
void fixture_add_hub(struct fixture *fixture);
void fixture_restart(struct fixture *fixture); /* new hubs and registry, same log */
void fixture_run(struct fixture *fixture);     /* until nothing is posted */
/* Lets time pass in steps of 100 ms with ticks. */
void fixture_pass(struct fixture *fixture, uint64_t ms);

#define FIXTURE_AGENT_KEY "hlk_test"

struct fixture_link *fixture_link_open(struct fixture *fixture, size_t hub);
void fixture_send(struct fixture *fixture, size_t hub, struct fixture_link *link,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
struct fixture_link *fixture_poll(struct fixture *fixture, size_t hub, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void fixture_link_gone(struct fixture *fixture, size_t hub, struct fixture_link *link);

/* The n-th frame of the type (0: the first), or NULL; and how many there are. */
json_t *fixture_frame(const struct fixture_link *link, const char *type, size_t n);
size_t fixture_count(const struct fixture_link *link, const char *type);
void fixture_forget_frames(struct fixture_link *link);
const char *fixture_text(const json_t *object, const char *name);
json_int_t fixture_number(const json_t *object, const char *name); /* -1: absent */

/* A visitor's first hello over a stream: its conversation and token are copied. */
struct fixture_visitor {
    struct fixture_link *link;
    char token[1100];
    char conversation[64];
};
void fixture_visit(struct fixture *fixture, size_t hub, struct fixture_visitor *visitor);

#endif
