/* One request as an enquiry: its key, its form, its members. */
#include <stdio.h>
#include <string.h>

#include "agent-api/media.h"
#include "base/moment.h"
#include "gateway/enquiry/enquiry.h"

enum body_kind { BODY_JSON, BODY_FORM, BODY_OTHER };

static enum body_kind kind_of(const struct hl_exchange *exchange)
{
    struct hl_bytes type = exchange->headers[HL_HEADER_CONTENT_TYPE];
    if (hl_media_is(type, "application/json"))
        return BODY_JSON;
    return hl_media_is(type, "application/x-www-form-urlencoded") ? BODY_FORM : BODY_OTHER;
}

static bool refuse(struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                   const struct hl_enquiry *enquiry, enum hl_problem_code code, const char *pointer,
                   const char *detail)
{
    struct hl_problem problem = {
        .code = code, .detail = hl_bytes_of(detail), .pointer = hl_bytes_of(pointer)};
    hl_enquiry_refuse(enquiries, exchange, &problem, enquiry->wants_page);
    return false;
}

/* draft-ietf-httpapi-idempotency-key-header: a structured string; a bare token too, since
 * that is what many clients send. */
static bool parse_key(struct hl_bytes value, char out_key[HL_ENQUIRY_KEY_SIZE_MAX + 1])
{
    bool is_quoted = value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"';
    size_t end = is_quoted ? value.size - 1 : value.size;
    size_t size = 0;
    for (size_t i = is_quoted ? 1 : 0; i < end; i++) {
        char c = value.data[i];
        if (is_quoted && c == '\\' && ++i < end)
            c = value.data[i];
        else if (c == '"' || c == '\\')
            return false;
        if (c < 0x20 || c > 0x7e || (c == ' ' && !is_quoted) || size == HL_ENQUIRY_KEY_SIZE_MAX)
            return false;
        out_key[size++] = c;
    }
    out_key[size] = '\0';
    return size > 0;
}

static json_t *read_body(struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                         struct hl_enquiry *enquiry, enum body_kind kind)
{
    char why[160] = "The form is malformed: use each name once, encoded as UTF-8.";
    json_t *object = NULL;
    if (kind == BODY_FORM) {
        object = hl_enquiry_from_form(exchange->body, enquiry->key);
        if (object == NULL)
            refuse(enquiries, exchange, enquiry, HL_PROBLEM_BAD_REQUEST, "", why);
        return object;
    }
    if (!hl_json_is_utf8(exchange->body)) {
        refuse(enquiries, exchange, enquiry, HL_PROBLEM_INVALID_UTF8, "",
               "The body must be UTF-8.");
        return NULL;
    }
    int r = hl_json_parse(exchange->body, why, sizeof(why), &object);
    if (r == 0)
        return object;
    refuse(enquiries, exchange, enquiry, r < 0 ? HL_PROBLEM_BUSY : HL_PROBLEM_NOT_JSON, "",
           r < 0 ? "Out of memory; repeat it later." : why);
    return NULL;
}

static struct hl_bytes text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return (struct hl_bytes){json_string_value(value), json_string_length(value)};
}

/* Which site and inbox it is for, and whether its page may say so. */
static bool take_door(struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                      struct hl_enquiry *enquiry, const json_t *object)
{
    struct hl_door door;
    int r =
        hl_door_enter(enquiries->doors, text_of(object, "site"), text_of(object, "inbox"), &door);
    if (r == HL_VISIT_NO_SITE)
        return refuse(enquiries, exchange, enquiry, HL_PROBLEM_UNKNOWN_SITE, "/site",
                      "This gateway does not serve that site; leave site out for its own.");
    if (r != 0)
        return refuse(enquiries, exchange, enquiry, HL_PROBLEM_UNKNOWN_INBOX, "/inbox",
                      "The site has no inbox of that name; leave inbox out for its default.");
    bool is_allowed = hl_door_allows_request(enquiries->doors, &door, exchange);
    memcpy(enquiry->site, door.site->record.id, sizeof(enquiry->site));
    if (door.inbox != NULL)
        enquiry->inbox = door.inbox->id;
    hl_door_leave(&door);
    if (!is_allowed)
        return refuse(enquiries, exchange, enquiry, HL_PROBLEM_ORIGIN_FORBIDDEN, "",
                      "Add this origin to the origins of the site.");
    return true;
}

static bool take_members(struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                         struct hl_enquiry *enquiry, json_t *object)
{
    char pointer[HL_ENQUIRY_POINTER_SIZE] = "";
    const char *wrong =
        json_is_object(object) ? hl_enquiry_check(object, pointer) : "The body must be an object.";
    if (wrong != NULL)
        return refuse(enquiries, exchange, enquiry, HL_PROBLEM_INVALID_FIELD, pointer, wrong);
    if (!take_door(enquiries, exchange, enquiry, object))
        return false;
    /* the conversation has them; naming them changes nothing */
    json_object_del(object, "site");
    json_object_del(object, "inbox");
    hl_json_append_canonical(&enquiry->body, object);
    if (hl_buffer_failed(&enquiry->body))
        return refuse(enquiries, exchange, enquiry, HL_PROBLEM_TOO_LARGE, "",
                      "The enquiry is too long; shorten the message.");
    return true;
}

/* A page without any script cannot make a key. What it posts names itself: the same form, sent
 * again on the same day (a second click, a reload), is the same enquiry. */
static void derive_key(const struct hl_enquiries *enquiries, struct hl_enquiry *enquiry)
{
    char day[HL_MOMENT_TEXT_SIZE];
    uint8_t hash[64];
    hl_moment_format(hl_clock_wall_ms(enquiries->clock), day);
    day[strlen("2026-11-23")] = '\0';
    hl_secrets_derive(enquiries->reference_key, day, hl_bytes_of(enquiry->site),
                      hl_buffer_bytes(&enquiry->body), hash);
    for (size_t i = 0; i < 16; i++)
        snprintf(enquiry->key + 2 * i, 3, "%02x", hash[i]);
}

bool hl_enquiry_read(struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                     struct hl_enquiry *enquiry)
{
    struct hl_bytes header = exchange->headers[HL_HEADER_IDEMPOTENCY_KEY];
    enum body_kind kind = kind_of(exchange);
    enquiry->is_form = kind == BODY_FORM;
    enquiry->wants_page =
        enquiry->is_form && hl_media_names(exchange->headers[HL_HEADER_ACCEPT], "text/html");
    if (kind == BODY_OTHER)
        return refuse(enquiries, exchange, enquiry, HL_PROBLEM_UNSUPPORTED_TYPE, "",
                      "Send application/json or application/x-www-form-urlencoded.");
    json_t *object = read_body(enquiries, exchange, enquiry, kind);
    if (object == NULL)
        return false;
    bool is_good = true;
    if (header.size > 0 && !parse_key(header, enquiry->key))
        is_good = refuse(enquiries, exchange, enquiry, HL_PROBLEM_BAD_REQUEST, "",
                         "Idempotency-Key is 1 to 255 printable ASCII characters, in double "
                         "quotes if there are spaces.");
    else if (enquiry->key[0] == '\0' && kind != BODY_FORM)
        is_good = refuse(enquiries, exchange, enquiry, HL_PROBLEM_IDEMPOTENCY_REQUIRED, "",
                         "Make one random key per enquiry and send it as Idempotency-Key with "
                         "every try.");
    else
        is_good = take_members(enquiries, exchange, enquiry, object);
    if (is_good && enquiry->key[0] == '\0')
        derive_key(enquiries, enquiry);
    json_decref(object);
    return is_good;
}
