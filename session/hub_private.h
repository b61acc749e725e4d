/* The inside of a hub, for the files of session/ only. Thread: the loop's. */
#ifndef HL_SESSION_HUB_PRIVATE_H
#define HL_SESSION_HUB_PRIVATE_H

#include "base/idmap.h"
#include "base/wheel.h"
#include "session/broadcast.h"
#include "session/hub.h"
#include "session/outbox.h"
#include "session/readers.h"
#include "session/subscription.h"

enum { HL_OUTBOX_SIZE_MAX = 8 << 20 };

struct hl_hub {
    struct hl_hub_config config;
    const struct hl_token_keys *keys;
    uint64_t epoch;
    const char *durability;
    struct hl_id_map sessions;      /* by session id */
    struct hl_id_map subscriptions; /* by conversation: several for one */
    struct hl_wheel wheel;
    struct hl_list greeting; /* links that have not said hello, oldest first */
    struct hl_list ended;    /* sessions to be freed when the entry point returns */
    struct hl_registry_member member;
    struct hl_log_subscription commits;
    struct hl_outbox out;    /* to the session whose turn it is */
    struct hl_session *turn; /* whose frames are in `out` */
    struct hl_outbox aside;  /* single frames to others meanwhile */
    struct hl_buffer scratch;
    char request_id[HL_ID_TEXT_SIZE]; /* of the last problem that was named */
    struct hl_group group;
    struct hl_readers readers;
    size_t n_publishes; /* under way in the log */
    size_t n_relays;    /* polls that another hub answers */
    struct hl_hub_stats stats;
    bool is_draining;
    uint32_t drain_window_ms, drain_deadline_ms;
    uint64_t drain_end_ms;
    bool is_closing, has_left;
    struct hl_task closed_task;
    void (*destroyed)(void *arg);
    void *destroyed_arg;
};

uint64_t hl_hub_now(const struct hl_hub *hub);
uint64_t hl_hub_random(const struct hl_hub *hub);
/* At the end of each entry point: frees the sessions that ended in it. */
void hl_hub_sweep(struct hl_hub *hub);
/* Gives a problem that goes out in a frame its request id, good until the next one is named. */
void hl_hub_name_problem(struct hl_hub *hub, struct hl_problem *problem);
/* One frame to a link that has no session, or whose session is over. STREAM only. */
void hl_hub_say_error(struct hl_hub *hub, struct hl_link *link, const struct hl_problem *problem,
                      struct hl_bytes frame, struct hl_bytes mid);
/* Ends a link that no session has: bye and close, or the problem as answer of a poll. */
void hl_hub_close_link(struct hl_hub *hub, struct hl_link *link, enum hl_problem_code code,
                       const char *detail);
/* When requests are back and the registry has been left, `destroyed` runs. */
void hl_hub_consider_end(struct hl_hub *hub);

/* The author's name, if he is an agent who has one; else empty. */
void hl_hub_name_author(const struct hl_hub *hub, const struct hl_author *author,
                        char out_name[HL_NAME_SIZE_MAX + 1]);

#endif
