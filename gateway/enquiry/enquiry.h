/* Plain enquiries: POST /v1/enquiries (JSON, or an HTML form without any script) and
 * GET /v1/enquiries/{reference}. One enquiry is the first entry of a conversation; it is
 * answered when that entry is durable.
 *
 * Thread: the loop's. */
#ifndef HL_GATEWAY_ENQUIRY_ENQUIRY_H
#define HL_GATEWAY_ENQUIRY_ENQUIRY_H

#include "agent-api/exchange.h"
#include "agent-api/pending.h"
#include "base/clock.h"
#include "base/json.h"
#include "gateway/secrets.h"
#include "gateway/visit/door.h"
#include "store/log.h"

struct hl_enquiries { /* the loop owns it; zeroed, then the first members set */
    struct hl_log *log;
    struct hl_loop *loop;
    const struct hl_clock *clock;
    const struct hl_doors *doors;
    const char *public_url; /* "" or scheme, host and port */
    const uint8_t *reference_key;
    uint32_t body_bytes_max;
    uint32_t expected_answer_minutes;
    struct hl_pending_set pending;
    uint64_t n_accepted, n_repeated, n_refused;
};

/* hl_route.handle with the struct above as argument. */
void hl_enquiry_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);
void hl_enquiry_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);

/* One enquiry as it came in, checked. */
enum { HL_ENQUIRY_KEY_SIZE_MAX = 255 };
struct hl_enquiry {
    char key[HL_ENQUIRY_KEY_SIZE_MAX + 1]; /* idempotency key */
    char site[HL_SITE_SIZE_MAX + 1];
    struct hl_id inbox;    /* zero: none */
    bool is_form;          /* came from an HTML form */
    bool wants_page;       /* and its answer is for a person */
    struct hl_buffer body; /* canonical; the entry's */
};

/* Reads the request into a zeroed enquiry (body initialised). A form without a key gets one that
 * is derived from the day and what it says. False: answered. */
bool hl_enquiry_read(struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                     struct hl_enquiry *enquiry);
/* The members of a JSON enquiry, checked one by one. NULL: fine; else what is wrong, and
 * out_pointer says where. Texts are of the program's lifetime. */
enum { HL_ENQUIRY_POINTER_SIZE = 160 };
const char *hl_enquiry_check(const json_t *object, char out_pointer[HL_ENQUIRY_POINTER_SIZE]);
/* application/x-www-form-urlencoded as the JSON enquiry it stands for: name, email, phone,
 * message (or text), site, country, consent, idempotency_key; all others become fields.
 * out_key gets idempotency_key. NULL: malformed, or no memory. */
json_t *hl_enquiry_from_form(struct hl_bytes form, char out_key[HL_ENQUIRY_KEY_SIZE_MAX + 1]);

/* Answers with JSON, or with a page for people. */
struct hl_enquiry_receipt {
    const char *reference;
    const struct hl_conversation *conversation;
    uint64_t offset;
    const char *durability;
    int64_t accepted_ms;
    bool duplicate;
};
void hl_enquiry_answer(const struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                       const struct hl_enquiry_receipt *receipt, bool wants_page);
/* A refusal: a problem document, or a page for people. */
void hl_enquiry_refuse(struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                       const struct hl_problem *problem, bool wants_page);
/* By when an answer is promised: as the inbox says, in its business hours, or else in
 * expected_answer_minutes. */
int64_t hl_enquiry_expected_ms(const struct hl_enquiries *enquiries,
                               const struct hl_conversation *conversation);

#endif
