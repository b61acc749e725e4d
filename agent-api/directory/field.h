/* What members an object of the directory has, as tables: how strictly a body is read, and how
 * an object is written out. Pure. */
#ifndef HL_AGENT_API_DIRECTORY_FIELD_H
#define HL_AGENT_API_DIRECTORY_FIELD_H

#include "base/bytes.h"
#include "base/json.h"

enum hl_field_type {
    HL_FIELD_LINE = 1, /* text without control bytes; min to max bytes */
    HL_FIELD_PROSE,    /* text, line ends allowed; min to max bytes */
    HL_FIELD_WORD,     /* 1 to max of a-z 0-9 . _ - */
    HL_FIELD_CHOICE,   /* one of `words` */
    HL_FIELD_BOOL,
    HL_FIELD_NUMBER, /* min to max */
    HL_FIELD_EMAIL,  /* lower case is what is kept */
    HL_FIELD_URL,    /* http or https */
    HL_FIELD_ORIGIN, /* scheme, host, port: nothing else */
    HL_FIELD_LOCALE, /* BCP 47 */
    HL_FIELD_COLOUR, /* #rrggbb */
    HL_FIELD_ZONE,   /* IANA time zone */
    HL_FIELD_TIME,   /* "09:00"; up to "24:00" */
    HL_FIELD_DATE,   /* "2026-12-25", a day there is */
    HL_FIELD_ID,     /* `words` is the prefix */
    HL_FIELD_OBJECT, /* of `fields` */
    HL_FIELD_LIST,   /* of fields[0], at most max, none twice */
};

struct hl_field {
    const char *name;
    enum hl_field_type type;
    bool is_required; /* when the object is there */
    bool is_fixed;    /* given at creation only */
    uint32_t min;
    uint32_t max;
    const char *words;
    const char *standard; /* JSON of what is shown and kept when it is absent; NULL: null */
    const struct hl_field *fields;
    size_t n_fields;
};

struct hl_field_fault {
    char pointer[128]; /* RFC 6901, "/sla/response_minutes" */
    char why[160];
};

/* Checks an object member by member: no unknown ones, none that is missing. 0, or
 * HL_FIELD_WRONG with the first fault. */
enum { HL_FIELD_WRONG = 1 };
int hl_fields_check(const struct hl_field *fields, size_t n_fields, const json_t *object,
                    struct hl_field_fault *out_fault);

/* JSON merge patch (RFC 7396) into `target`, which is the caller's own. Members that are null in
 * the patch, or become empty text, go. 0, -ENOMEM. */
int hl_fields_merge(json_t *target, const json_t *patch);

/* Writes `"name":value` pairs in the order of the table, parted by commas. */
void hl_fields_append(struct hl_buffer *out, const struct hl_field *fields, size_t n_fields,
                      const json_t *object);

#endif
