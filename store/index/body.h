/* What an entry's body tells the index. Bodies come from outside: whatever is of another shape
 * tells nothing. Thread: any. */
#ifndef HL_STORE_INDEX_BODY_H
#define HL_STORE_INDEX_BODY_H

#include "base/json.h"
#include "store/entry.h"

enum {
    HL_INDEX_PERSON_SIZE_MAX = 256,      /* of a name, an address, a number */
    HL_INDEX_EXCERPT_SIZE_MAX = 280,     /* bytes */
    HL_INDEX_TEXT_SIZE_MAX = 64 * 1024,  /* of one entry, for search */
    HL_INDEX_OBJECT_SIZE_MAX = 16 * 1024 /* of context and of custom fields */
};

struct hl_index_body {
    json_t *json;                       /* of all the views; NULL: tells nothing */
    struct hl_bytes name, email, phone; /* of a form's contact; empty: not told */
    struct hl_bytes text;               /* of a message, a note, a form's message */
    const json_t *context;              /* object; NULL: not told, like the next two */
    const json_t *tags;                 /* array of strings: all tags from now on */
    const json_t *custom_fields;        /* object: a merge patch (RFC 7396) */
};

void hl_index_body_read(const struct hl_entry *entry, struct hl_index_body *out_body);
void hl_index_body_fini(struct hl_index_body *body);

/* Appends all that a person may search for: each text on a line of its own. */
void hl_index_body_append_words(const struct hl_index_body *body, struct hl_buffer *out);

/* Merges a patch (RFC 7396, one level or more) into an object given as JSON text, empty for
 * none. Returns the new text, the caller's; NULL if it grew beyond HL_INDEX_OBJECT_SIZE_MAX or
 * memory ran out: it then stays what it was. */
char *hl_index_body_merge(const char *object, const json_t *patch);

/* The address as it is compared: ASCII letters small, no white space around. False: it does not
 * look like one, or is longer than size - 1. */
bool hl_index_email_fold(struct hl_bytes email, char *out, size_t out_size);
/* Digits and a leading +, the rest left out. False: fewer than six digits. */
bool hl_index_phone_fold(struct hl_bytes phone, char *out, size_t out_size);

#endif
