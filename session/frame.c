#include "session/frame.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "session/token.h"

enum { SITE_SIZE_MAX = 64, INBOX_SIZE_MAX = 256, ECHO_SIZE_MAX = 64, EPOCH_DIGITS_MAX = 16 };

/* Reads members of one object; after the first fault the rest is passed over. */
struct reader {
    const json_t *object;
    struct hl_fault *fault;
    bool has_failed;
};

static void refuse_member(struct reader *reader, const char *name, const char *detail)
{
    if (reader->has_failed)
        return;
    reader->has_failed = true;
    reader->fault->code = HL_PROBLEM_INVALID_FIELD;
    reader->fault->detail = detail;
    (void)snprintf(reader->fault->pointer, sizeof(reader->fault->pointer), "/%.48s", name);
}

static const json_t *find_member(struct reader *reader, const char *name, bool is_required)
{
    const json_t *value = json_object_get(reader->object, name);

    if (value == NULL && is_required)
        refuse_member(reader, name, "This member is required.");
    return reader->has_failed ? NULL : value;
}

struct range {
    uint64_t min;
    uint64_t max;
    const char *detail;
};
static const struct range offsets = {0, HL_NUMBER_MAX, "Must be a whole number of at least 0."};
static const struct range numbers = {1, HL_NUMBER_MAX, "Must be a whole number of at least 1."};
static const struct range credits = {1, HL_CREDIT_MAX, "Must be a whole number from 1 to 512."};

/* False if the member is absent or wrong. */
static bool read_number(struct reader *reader, const char *name, bool is_required,
                        const struct range *range, uint64_t *out_number)
{
    const json_t *value = find_member(reader, name, is_required);

    if (value == NULL)
        return false;
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    if (number < 0 || (uint64_t)number < range->min || (uint64_t)number > range->max) {
        refuse_member(reader, name, range->detail);
        return false;
    }
    *out_number = (uint64_t)number;
    return true;
}

static struct hl_bytes string_of(const json_t *value)
{
    return (struct hl_bytes){json_string_value(value), json_string_length(value)};
}

static bool is_printable(struct hl_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    }
    return true;
}

static bool read_text(struct reader *reader, const char *name, size_t size_max,
                      struct hl_bytes *out_text)
{
    const json_t *value = find_member(reader, name, false);

    if (value == NULL)
        return false;
    if (!json_is_string(value) || json_string_length(value) == 0 ||
        json_string_length(value) > size_max) {
        refuse_member(reader, name, "Must be a string that is neither empty nor too long.");
        return false;
    }
    *out_text = string_of(value);
    return true;
}

static bool read_flag(struct reader *reader, const char *name)
{
    const json_t *value = find_member(reader, name, true);

    if (value != NULL && !json_is_boolean(value))
        refuse_member(reader, name, "Must be true or false.");
    return json_is_true(value);
}

static bool read_conversation(struct reader *reader, bool is_required, struct hl_id *out_id)
{
    const json_t *value = find_member(reader, "c", is_required);

    if (value == NULL)
        return false;
    if (!json_is_string(value) || hl_id_parse(string_of(value), HL_ID_CONVERSATION, out_id) != 0) {
        refuse_member(reader, "c", "Must be a conversation id: cnv_ and 32 hex digits.");
        return false;
    }
    return true;
}

/* Epochs are opaque to clients: one that is not ours is merely another epoch. */
static uint64_t parse_epoch(struct hl_bytes text)
{
    uint64_t epoch = 0;

    if (text.size == 0 || text.size > EPOCH_DIGITS_MAX || text.data[0] == '0')
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        epoch = epoch * 10 + (uint64_t)(text.data[i] - '0');
    }
    return epoch;
}

static bool read_epoch(struct reader *reader, bool is_required, uint64_t *out_epoch)
{
    const json_t *value = find_member(reader, "e", is_required);

    if (value == NULL)
        return false;
    if (!json_is_string(value)) {
        refuse_member(reader, "e", "Must be a string.");
        return false;
    }
    *out_epoch = parse_epoch(string_of(value));
    return true;
}

static bool read_position(struct reader *reader, struct hl_position *out_position)
{
    read_conversation(reader, true, &out_position->conversation);
    read_epoch(reader, true, &out_position->epoch);
    read_number(reader, "o", true, &offsets, &out_position->offset);
    return !reader->has_failed;
}

static void read_positions(struct reader *reader, const json_t **out_positions)
{
    const json_t *value = find_member(reader, "pos", false);

    *out_positions = value;
    if (value == NULL)
        return;
    if (!json_is_array(value) || json_array_size(value) > HL_POSITIONS_MAX) {
        refuse_member(reader, "pos", "Must be an array of at most 256 positions.");
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct hl_fault fault;
        struct hl_position position;
        struct reader inner = {.object = json_array_get(value, i), .fault = &fault};
        char pointer[sizeof(fault.pointer)];
        if (read_position(&inner, &position))
            continue;
        (void)snprintf(pointer, sizeof(pointer), "pos/%zu%.8s", i, fault.pointer);
        refuse_member(reader, pointer, fault.detail);
        return;
    }
}

size_t hl_frame_n_positions(const json_t *positions)
{
    return positions == NULL ? 0 : json_array_size(positions);
}

struct hl_position hl_frame_position(const json_t *positions, size_t i)
{
    struct hl_fault fault;
    struct hl_position position;
    struct reader reader = {.object = json_array_get(positions, i), .fault = &fault};
    bool is_read = read_position(&reader, &position);

    HL_CHECK(is_read);
    return position;
}

/* {"id": printable text, "hash": text}; whether the hash is right is not asked here. */
static void read_identity(struct reader *reader, struct hl_frame_hello *hello)
{
    const json_t *value = find_member(reader, "identity", false);
    const json_t *id = json_object_get(value, "id");
    const json_t *hash = json_object_get(value, "hash");

    if (value == NULL)
        return;
    if (!json_is_string(id) || !json_is_string(hash) || json_string_length(id) == 0 ||
        json_string_length(id) > HL_IDENTITY_SIZE_MAX || !is_printable(string_of(id))) {
        refuse_member(reader, "identity", "Must be {id, hash}; id is 1 to 64 printable bytes.");
        return;
    }
    hello->identity = string_of(id);
    hello->identity_hash = string_of(hash);
}

static void read_hello(struct reader *reader, struct hl_frame *frame)
{
    struct hl_frame_hello *hello = &frame->hello;

    hello->seq = 1;
    read_number(reader, "v", true, &offsets, &hello->version);
    read_text(reader, "site", SITE_SIZE_MAX, &hello->site);
    read_text(reader, "inbox", INBOX_SIZE_MAX, &hello->inbox);
    read_identity(reader, hello);
    read_text(reader, "token", HL_TOKEN_SIZE_MAX, &hello->token);
    read_number(reader, "seq", false, &numbers, &hello->seq);
    read_positions(reader, &hello->positions);
}

static void read_kind(struct reader *reader, struct hl_frame_pub *pub)
{
    struct hl_bytes name;

    if (!read_text(reader, "kind", SITE_SIZE_MAX, &name))
        return;
    pub->kind = hl_entry_kind_find(name);
    if (pub->kind != HL_ENTRY_MESSAGE && pub->kind != HL_ENTRY_NOTE && pub->kind != HL_ENTRY_FORM &&
        pub->kind != HL_ENTRY_RATED)
        refuse_member(reader, "kind", "Must be message, note, form or rated.");
}

static void read_body(struct reader *reader, struct hl_frame_pub *pub)
{
    pub->body = find_member(reader, "body", true);
    if (pub->body == NULL)
        return;
    if (!json_is_object(pub->body)) {
        refuse_member(reader, "body", "Must be an object.");
        return;
    }
    const json_t *text = json_object_get(pub->body, "text");
    bool needs_text = pub->kind == HL_ENTRY_MESSAGE || pub->kind == HL_ENTRY_NOTE;
    if (needs_text && (!json_is_string(text) || json_string_length(text) == 0))
        refuse_member(reader, "body/text", "Must be a string that is not empty.");
}

/* mid and seq first: a refusal of the rest can then name the message it is about. */
static void read_pub(struct reader *reader, struct hl_frame *frame)
{
    struct hl_frame_pub *pub = &frame->pub;
    const json_t *mid = find_member(reader, "mid", true);

    pub->kind = HL_ENTRY_MESSAGE;
    if (mid != NULL && json_is_string(mid) && hl_mid_is_valid(string_of(mid)))
        pub->mid = string_of(mid);
    else if (mid != NULL)
        refuse_member(reader, "mid", "Must be 1 to 64 printable ASCII characters without space.");
    pub->has_seq = read_number(reader, "seq", false, &numbers, &pub->seq);
    read_kind(reader, pub);
    read_body(reader, pub);
    pub->has_if_seen = read_number(reader, "if_seen", false, &offsets, &pub->if_seen);
}

static void read_ack(struct reader *reader, struct hl_frame *frame)
{
    struct hl_frame_ack *ack = &frame->ack;

    read_number(reader, "o", true, &offsets, &ack->offset);
    ack->has_epoch = read_epoch(reader, false, &ack->epoch);
    ack->has_read = read_number(reader, "read", false, &offsets, &ack->read);
}

static void read_credit(struct reader *reader, struct hl_frame *frame)
{
    read_number(reader, "n", true, &credits, &frame->credit);
}

static void read_typing(struct reader *reader, struct hl_frame *frame)
{
    frame->typing_on = read_flag(reader, "on");
}

static void read_sub(struct reader *reader, struct hl_frame *frame)
{
    read_number(reader, "after", false, &offsets, &frame->sub.after);
    frame->sub.has_epoch = read_epoch(reader, false, &frame->sub.epoch);
}

static void read_hist(struct reader *reader, struct hl_frame *frame)
{
    read_number(reader, "after", true, &offsets, &frame->hist_after);
}

static void read_ping(struct reader *reader, struct hl_frame *frame)
{
    const json_t *ts = find_member(reader, "ts", false);
    bool is_short = json_is_string(ts) && json_string_length(ts) <= ECHO_SIZE_MAX;

    if (ts != NULL && !json_is_number(ts) && !is_short)
        refuse_member(reader, "ts", "Must be a number or a string of at most 64 bytes.");
    frame->ping_ts = ts;
}

static void read_auth(struct reader *reader, struct hl_frame *frame)
{
    read_text(reader, "token", HL_TOKEN_SIZE_MAX, &frame->auth_token);
}

static const struct {
    const char *name;
    bool needs_conversation;
    void (*read)(struct reader *reader, struct hl_frame *frame); /* NULL: no members */
} types[HL_FRAME_END] = {
    [HL_FRAME_HELLO] = {"hello", false, read_hello},
    [HL_FRAME_PUB] = {"pub", false, read_pub},
    [HL_FRAME_ACK] = {"ack", false, read_ack},
    [HL_FRAME_CREDIT] = {"credit", false, read_credit},
    [HL_FRAME_TYPING] = {"typing", false, read_typing},
    [HL_FRAME_SUB] = {"sub", true, read_sub},
    [HL_FRAME_UNSUB] = {"unsub", true, NULL},
    [HL_FRAME_HIST] = {"hist", false, read_hist},
    [HL_FRAME_PING] = {"ping", false, read_ping},
    [HL_FRAME_PONG] = {"pong", false, NULL},
    [HL_FRAME_AUTH] = {"auth", false, read_auth},
    [HL_FRAME_BYE] = {"bye", false, NULL},
};

static enum hl_frame_type find_type(struct hl_bytes name)
{
    int type = 0;

    while (type < HL_FRAME_END && !hl_bytes_is(name, types[type].name))
        type++;
    return (enum hl_frame_type)type;
}

static int refuse_frame(struct hl_fault *fault, enum hl_problem_code code, const char *detail)
{
    *fault = (struct hl_fault){.code = code, .detail = detail};
    return HL_FRAME_REFUSED;
}

int hl_frame_decode(const json_t *value, struct hl_frame *out_frame, struct hl_fault *out_fault)
{
    *out_frame = (struct hl_frame){.type = HL_FRAME_END};
    if (!json_is_object(value))
        return refuse_frame(out_fault, HL_PROBLEM_INVALID_FRAME, "A frame must be an object.");
    const json_t *name = json_object_get(value, "t");
    if (!json_is_string(name))
        return refuse_frame(out_fault, HL_PROBLEM_INVALID_FRAME,
                            "A frame must have the member t, a string.");
    out_frame->name = string_of(name);
    out_frame->type = find_type(out_frame->name);
    if (out_frame->type == HL_FRAME_END)
        return refuse_frame(out_fault, HL_PROBLEM_UNKNOWN_FRAME,
                            "There is no frame of this type; see the protocol page.");

    struct reader reader = {.object = value, .fault = out_fault};
    if (types[out_frame->type].read != NULL)
        types[out_frame->type].read(&reader, out_frame);
    out_frame->has_conversation = read_conversation(
        &reader, types[out_frame->type].needs_conversation, &out_frame->conversation);
    return reader.has_failed ? HL_FRAME_REFUSED : 0;
}

int hl_poll_request_decode(const json_t *value, struct hl_poll_request *out_request,
                           struct hl_fault *out_fault)
{
    struct reader reader = {.object = value, .fault = out_fault};

    *out_request = (struct hl_poll_request){.rid = 0};
    if (!json_is_object(value))
        return refuse_frame(out_fault, HL_PROBLEM_BAD_REQUEST, "The body must be a JSON object.");
    read_number(&reader, "rid", true, &numbers, &out_request->rid);
    read_number(&reader, "gen", false, &numbers, &out_request->generation);
    read_text(&reader, "token", HL_TOKEN_SIZE_MAX, &out_request->token);
    read_number(&reader, "wait_ms", false, &offsets, &out_request->wait_ms);
    read_number(&reader, "seq", false, &numbers, &out_request->seq);
    read_positions(&reader, &out_request->positions);
    out_request->frames = find_member(&reader, "frames", false);
    if (out_request->frames != NULL && !json_is_array(out_request->frames))
        refuse_member(&reader, "frames", "Must be an array of frames.");
    return reader.has_failed ? HL_FRAME_REFUSED : 0;
}
