/* The simulated world: hubs over one memory engine, clients that follow the protocol page, a
 * network that loses, delays and doubles. One seed gives one history.
 * Everything runs on one thread; time passes only by sim_pass. */
#ifndef HL_TESTS_SIM_SIM_H
#define HL_TESTS_SIM_SIM_H

#include "base/json.h"
#include "session/hub.h"
#include "store/log_memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_loop.h"

enum {
    SIM_HUBS = 3,
    SIM_VISITORS = 5,
    SIM_AGENTS = 3,
    SIM_CLIENTS = SIM_VISITORS + SIM_AGENTS,
    SIM_CONVERSATIONS = 256,
    SIM_ENTRIES = 2048,
    SIM_OUTBOX = 64,
    SIM_LINKS = 256,
    SIM_PACKETS = 256,
    SIM_EPOCHS = 8,
    SIM_GROUP = 1024,
    SIM_MID_SIZE = 24,
    SIM_ID_SIZE = HL_ID_TEXT_SIZE,
    SIM_QUEUE_MAX = 4 /* messages on the way to a client until the link is not ready */
};

/* What the checks look for; each has a bug that is planted to see it found. */
enum sim_bug {
    SIM_BUG_NONE,
    SIM_BUG_ACK_WITHOUT_STORE,
    SIM_BUG_DOUBLE_ENTRY,
    SIM_BUG_HIDE_ENTRY,
    SIM_BUG_SWAP_ENTRIES,
    SIM_BUG_FORGET_COMMITS,
    SIM_BUG_FALSE_EPOCH,
    SIM_BUG_UNFENCED,
    SIM_BUG_FORGET_MARKS,
    SIM_BUG_END
};
const char *sim_bug_name(enum sim_bug bug);

/* ---- truth: what the engine really holds ---- */

struct sim_entry {
    char mid[SIM_MID_SIZE];
    bool is_note;
    uint64_t position;
};
struct sim_mark { /* what a participant has received and read */
    char participant[SIM_ID_SIZE];
    uint64_t delivered, read;
};
struct sim_marks {
    size_t n_items;
    struct sim_mark items[HL_MARKS_MAX];
};
struct sim_conversation {
    char id[SIM_ID_SIZE];
    struct sim_marks marks;
    uint64_t head, floor;
    struct sim_entry entries[SIM_ENTRIES]; /* [offset - 1] */
};

/* ---- the network ---- */

struct sim_world;

struct sim_link { /* server's end of a connection */
    struct hl_link link;
    struct sim_world *world;
    size_t hub, client;
    bool is_used;
    bool is_known;                 /* the hub has it */
    bool is_cut;                   /* the client is gone; the hub may hear of it */
    bool is_silent;                /* … or not */
    bool is_stalled;               /* the client reads nothing */
    json_t *to_server, *to_client; /* STREAM: arrays of texts, of messages */
    char session[SIM_ID_SIZE];
    json_int_t generation;
    uint64_t era; /* POLL: of the request, as the next */
    json_int_t rid;
};

struct sim_packet { /* a poll or its answer on the way */
    bool is_used, is_answer;
    size_t hub, client;
    uint64_t era;
    json_int_t rid;
    char *text;     /* request */
    json_t *answer; /* NULL: a problem */
    enum hl_problem_code problem;
};

/* ---- clients ---- */

struct sim_view { /* a conversation as the client has it */
    size_t conversation;
    bool is_live; /* followed on the present attachment */
    bool is_synced;
    uint64_t epoch, position;
    uint64_t skipped; /* entries up to here were told to be trimmed */
    uint64_t n_taken;
    struct sim_marks receipts;             /* of the others */
    char taken[SIM_ENTRIES][SIM_MID_SIZE]; /* by offset - 1; empty: not taken */
};

struct sim_pub {
    char mid[SIM_MID_SIZE];
    size_t conversation;
    uint64_t seq;
    bool is_note;
};

enum sim_mode { SIM_OFFLINE, SIM_STREAM, SIM_POLL };

struct sim_client {
    struct sim_world *world;
    size_t index;
    bool is_agent;
    enum sim_mode mode;
    bool is_welcomed;
    char token[HL_TOKEN_SIZE_MAX + 1]; /* empty: none yet */
    char participant[SIM_ID_SIZE];
    json_int_t generation, rid;
    uint64_t era; /* of its attachments: answers to older ones are not looked at */
    uint64_t polled_ms, heard_ms, resend_ms;
    bool is_waiting;  /* for the answer of the last poll */
    bool is_doubtful; /* a poll may still be on the way that overtakes this attachment */
    bool must_attach; /* as soon as it may */
    json_int_t answered_rid, answered[SIM_PACKETS];
    struct sim_link *link;
    size_t n_views;
    struct sim_view *views[SIM_CONVERSATIONS];
    struct sim_pub outbox[SIM_OUTBOX];
    size_t n_outbox;
    uint64_t next_seq, n_said;
    struct sim_pub confirmed[SIM_ENTRIES];
    size_t n_confirmed;
    json_int_t newest[SIM_HUBS]; /* generation welcomed per hub … */
    char newest_session[SIM_HUBS][SIM_ID_SIZE];
};

/* ---- all of it ---- */

struct sim_world {
    uint64_t seed, random;
    bool is_verbose, is_healing;
    enum sim_bug bug;
    const char *failure; /* the first broken invariant */
    char failure_detail[200];
    uint64_t n_steps;
    struct hl_fake_clock clock;
    struct hl_random hub_random;
    struct hl_fake_loop loops[SIM_HUBS];
    struct hl_log *engine, *log;              /* log: the faulty one around the engine */
    struct hl_registry *registries[SIM_HUBS]; /* one, shared */
    uint64_t boots, epoch;
    struct hl_token_keys keys;
    struct hl_hub *hubs[SIM_HUBS];
    size_t n_destroyed;
    uint64_t position;
    size_t n_conversations;
    struct sim_conversation *conversations[SIM_CONVERSATIONS];
    struct sim_link links[SIM_LINKS];
    struct sim_packet packets[SIM_PACKETS];
    struct sim_client *clients[SIM_CLIENTS];
    struct { /* what happened, to see that the run was worth something */
        uint64_t confirmed, taken, welcomes, resumed, gaps, resets, byes, polls, superseded,
            restarts, roll_backs, refused, largest_group;
    } counts;
};

uint64_t sim_random(struct sim_world *world, uint64_t below); /* 0 … below - 1 */
bool sim_chance(struct sim_world *world, unsigned percent);
uint64_t sim_now(struct sim_world *world);
/* Notes the first failure only. */
void sim_fail(struct sim_world *world, const char *failure, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sim_note(struct sim_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* truth.c */
struct sim_conversation *sim_conversation_find(struct sim_world *world, const char *id,
                                               size_t *out_index); /* made if new; NULL: full */
void sim_truth_add(struct sim_world *world, const struct hl_log_submit *submit);
void sim_truth_trim(struct sim_world *world, struct sim_conversation *conversation, uint64_t to);
void sim_truth_roll_back(struct sim_world *world, uint64_t position);
/* Raises the mark of that participant, made if new. */
void sim_mark_raise(struct sim_marks *marks, const char *participant, uint64_t delivered,
                    uint64_t read);
const struct sim_mark *sim_mark_find(const struct sim_marks *marks, const char *participant);
const struct sim_entry *sim_truth_at(const struct sim_conversation *conversation, uint64_t offset);
bool sim_truth_has(const struct sim_conversation *conversation, const char *mid, size_t *out_count);

/* faulty_log.c: an engine around the engine that refuses, fails, and has the planted bug. */
struct hl_log *sim_log_create(struct sim_world *world, struct hl_log *engine);
void sim_log_destroy(struct hl_log *log); /* the engine stays */

/* network.c */
struct sim_link *sim_stream_open(struct sim_client *client, size_t hub);
void sim_stream_send(struct sim_link *link, char *text);               /* takes the text */
void sim_stream_cut(struct sim_link *link);                            /* the client goes */
void sim_poll_send(struct sim_client *client, size_t hub, char *text); /* takes the text */
void sim_network_step(struct sim_world *world);
void sim_network_crash(struct sim_world *world); /* all connections die, the hubs are not told */
void sim_network_clear(struct sim_world *world);

/* client.c */
struct sim_client *sim_client_create(struct sim_world *world, size_t index);
void sim_client_destroy(struct sim_client *client);
void sim_client_act(struct sim_client *client);
void sim_client_attach(struct sim_client *client, enum sim_mode mode);
void sim_client_say(struct sim_client *client);
void sim_client_go(struct sim_client *client); /* offline */
/* The link was closed by the other side. */
void sim_client_closed(struct sim_client *client, enum hl_problem_code problem);
void sim_client_answered(struct sim_client *client, json_int_t rid, const json_t *answer,
                         enum hl_problem_code problem);

/* receive.c: what a client does with frames, and the checks on them. */
void sim_client_receive(struct sim_client *client, const json_t *message);
struct sim_view *sim_view_find(struct sim_client *client, size_t conversation);
struct sim_view *sim_view_add(struct sim_client *client, size_t conversation);

/* world.c */
struct sim_world *sim_world_create(uint64_t seed, enum sim_bug bug, bool is_verbose);
void sim_world_destroy(struct sim_world *world);
/* Random steps, then heals everything and checks the end. False: world->failure says why. */
bool sim_world_run(struct sim_world *world, uint64_t n_steps);

#endif
