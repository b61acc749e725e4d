/* A log as a test sees it: each call waits for its own answer on a loop of the client's.
 * Thread: one client per thread. */
#ifndef HL_TESTS_SUPPORT_LOG_CLIENT_H
#define HL_TESTS_SUPPORT_LOG_CLIENT_H

#include "store/log.h"
#include "tests/support/fake_loop.h"

struct hl_log_client {
    struct hl_log *log;
    struct hl_fake_loop loop;
};

void hl_log_client_init(struct hl_log_client *client, struct hl_log *log);
void hl_log_client_fini(struct hl_log_client *client); /* after the log was closed */

/* An entry to be made; what is left out is a visitor's message. */
struct hl_client_entry {
    struct hl_id conversation;
    struct hl_author author; /* role 0: the visitor with id 1 */
    enum hl_entry_kind kind; /* 0: message */
    struct hl_id subject;
    const char *mid;
    const char *body;      /* NULL: {"text":"hello"} */
    bool must_exist;       /* no opening */
    const char *site;      /* NULL: "main" */
    const char *reference; /* NULL: none */
    struct hl_id inbox;
    const char *identity; /* NULL: none */
    struct hl_log_conditions when;
};

struct hl_client_answer {
    int r; /* of the call if it was not taken, else of done() */
    uint64_t offset, position;
    int64_t wall_ms;
    bool duplicate;
    struct hl_conversation conversation;
};

struct hl_client_answer hl_log_client_submit(struct hl_log_client *client,
                                             const struct hl_client_entry *entry);
/* The same without waiting: *answered turns true on the client's loop. The parts of `entry`
 * and `answer` live until then. Returns the result of the call. */
int hl_log_client_begin(struct hl_log_client *client, const struct hl_client_entry *entry,
                        struct hl_client_answer *answer, bool *answered);

/* These fill `request` (loop, done, log are set here) and wait. Results of call or done(). */
int hl_log_client_read(struct hl_log_client *client, struct hl_log_read *request);
int hl_log_client_scan(struct hl_log_client *client, struct hl_log_scan *request);
int hl_log_client_find(struct hl_log_client *client, struct hl_log_find *request);
int hl_log_client_marks(struct hl_log_client *client, struct hl_log_marks *request);

/* An id with this number in its last bytes. */
struct hl_id hl_test_id(uint64_t number);

#endif
