/* Frames from clients: JSON values to structs, checked member by member. Pure.
 * What a frame holds of its document (texts, body, positions) is lent: it lives as long as
 * the JSON document does. Thread: any; no state. The other direction is frame_text.h. */
#ifndef HL_SESSION_FRAME_H
#define HL_SESSION_FRAME_H

#include "base/id.h"
#include "base/json.h"
#include "session/problem.h"
#include "store/conversation.h"

enum hl_frame_type {
    HL_FRAME_HELLO,
    HL_FRAME_PUB,
    HL_FRAME_ACK,
    HL_FRAME_CREDIT,
    HL_FRAME_TYPING,
    HL_FRAME_SUB,
    HL_FRAME_UNSUB,
    HL_FRAME_HIST,
    HL_FRAME_PING,
    HL_FRAME_PONG,
    HL_FRAME_AUTH,
    HL_FRAME_BYE,
    HL_FRAME_END
};

enum { HL_NUMBER_MAX_BITS = 53, HL_POSITIONS_MAX = 256, HL_CREDIT_MAX = 512 };
#define HL_NUMBER_MAX ((UINT64_C(1) << HL_NUMBER_MAX_BITS) - 1)

struct hl_position {
    struct hl_id conversation;
    uint64_t epoch; /* 0: not an epoch of ours */
    uint64_t offset;
};

struct hl_frame_hello {
    uint64_t version;
    struct hl_bytes site;                    /* empty: not given */
    struct hl_bytes inbox;                   /* id or name; empty: not given */
    struct hl_bytes identity, identity_hash; /* empty: not given */
    struct hl_bytes token;                   /* empty: not given */
    const json_t *positions;                 /* checked; NULL: none; see hl_frame_position */
    uint64_t seq;
};

struct hl_frame_pub {
    struct hl_bytes mid; /* empty if the frame was refused for its mid */
    bool has_seq;
    uint64_t seq;
    enum hl_entry_kind kind;
    const json_t *body;
    bool has_if_seen;
    uint64_t if_seen;
};

struct hl_frame_ack {
    uint64_t offset;
    bool has_epoch;
    uint64_t epoch;
    bool has_read;
    uint64_t read;
};

struct hl_frame_sub {
    uint64_t after;
    bool has_epoch;
    uint64_t epoch;
};

struct hl_frame {
    enum hl_frame_type type; /* HL_FRAME_END: not known */
    struct hl_bytes name;    /* its "t" as the client wrote it; empty if it has none */
    bool has_conversation;
    struct hl_id conversation;
    union {
        struct hl_frame_hello hello;
        struct hl_frame_pub pub;
        struct hl_frame_ack ack;
        struct hl_frame_sub sub;
        uint64_t credit;
        uint64_t hist_after;
        bool typing_on;
        const json_t *ping_ts; /* string or number; NULL: none */
        struct hl_bytes auth_token;
    };
};

/* Why something was refused. */
struct hl_fault {
    enum hl_problem_code code;
    const char *detail; /* static */
    char pointer[64];   /* JSON pointer, or empty */
};

enum { HL_FRAME_REFUSED = 1 };

/* 0, HL_FRAME_REFUSED (out_fault tells why; of the frame `type`, `name` and of a pub `mid`,
 * `seq` hold what could be read). */
int hl_frame_decode(const json_t *value, struct hl_frame *out_frame, struct hl_fault *out_fault);

/* The i-th of checked positions. */
size_t hl_frame_n_positions(const json_t *positions); /* accepts NULL */
struct hl_position hl_frame_position(const json_t *positions, size_t i);

/* The body of POST /v1/poll. */
struct hl_poll_request {
    uint64_t rid;
    uint64_t generation; /* 0: not given */
    struct hl_bytes token;
    uint64_t wait_ms;
    const json_t *positions;
    uint64_t seq;         /* 0: not given */
    const json_t *frames; /* array; NULL: none */
};
/* 0, HL_FRAME_REFUSED. */
int hl_poll_request_decode(const json_t *value, struct hl_poll_request *out_request,
                           struct hl_fault *out_fault);

#endif
