/* The names of an enquiry, derived from the site's secret and the sender's idempotency key:
 * every gateway that holds the secret gives the same enquiry the same ticket without asking
 * another, and a repeat, after any failure and for ever, is the same conversation. */
#ifndef HL_GATEWAY_ENQUIRY_REFERENCE_H
#define HL_GATEWAY_ENQUIRY_REFERENCE_H

#include "gateway/secrets.h"
#include "store/conversation.h"

enum { HL_REFERENCE_TEXT_SIZE = 17 + 1 }; /* HL-XXXX-XXXX-XXXX: 60 bits in Crockford's base 32 */
_Static_assert((int)HL_REFERENCE_TEXT_SIZE <= (int)HL_REFERENCE_SIZE_MAX + 1, "fits the store");

struct hl_enquiry_names {
    struct hl_id conversation;
    struct hl_id participant; /* the visitor who sent it */
    char mid[40];
    char reference[HL_REFERENCE_TEXT_SIZE];
};

void hl_enquiry_names(const uint8_t reference_key[HL_SECRET_SIZE], struct hl_bytes site,
                      struct hl_bytes idempotency_key, struct hl_enquiry_names *out_names);

/* Reads a reference as people type it: any case, O for 0, I and L for 1, with or without
 * dashes. False: it is none. */
bool hl_reference_parse(struct hl_bytes text, char out_reference[HL_REFERENCE_TEXT_SIZE]);

#endif
