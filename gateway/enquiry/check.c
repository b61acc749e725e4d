/* What an enquiry may say. Strict: an enquiry that was understood wrongly is a lost lead. */
#include <stdio.h>
#include <string.h>

#include "gateway/enquiry/enquiry.h"

enum {
    NAME_MAX_BYTES = 200,
    INBOX_MAX_BYTES = 255,
    EMAIL_MAX_BYTES = 254,
    PHONE_MAX_BYTES = 40,
    FIELDS_MAX = 50,
    FIELD_NAME_MAX_BYTES = 64,
    FIELD_MAX_BYTES = 4000
};

static bool has_control(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    }
    return false;
}

/* Absent, or one line of 1 to max bytes. */
static bool is_line_or_absent(const json_t *value, size_t max)
{
    if (value == NULL)
        return true;
    size_t size = json_string_length(value);
    return json_is_string(value) && size >= 1 && size <= max &&
           !has_control(json_string_value(value), size);
}

/* One "@" with something on both sides and no space: more would refuse addresses that work. */
static bool is_email_or_absent(const json_t *value)
{
    if (value == NULL)
        return true;
    if (!is_line_or_absent(value, EMAIL_MAX_BYTES))
        return false;
    const char *email = json_string_value(value);
    const char *at = strchr(email, '@');
    return at != NULL && at != email && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
           strchr(email, ' ') == NULL;
}

static bool is_phone_or_absent(const json_t *value)
{
    if (value == NULL)
        return true;
    if (!is_line_or_absent(value, PHONE_MAX_BYTES))
        return false;
    const char *phone = json_string_value(value);
    return strspn(phone, "0123456789+-()./ x#*") == strlen(phone);
}

static bool is_country_or_absent(const json_t *value)
{
    if (value == NULL)
        return true;
    const char *country = json_string_value(value);
    return country != NULL && json_string_length(value) == 2 &&
           strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == 2;
}

/* Absent, or an object of few members with short values that are not objects or arrays. */
static bool is_flat_or_absent(const json_t *value)
{
    const char *name = NULL;
    json_t *member = NULL;
    if (value == NULL)
        return true;
    if (!json_is_object(value) || json_object_size(value) > FIELDS_MAX)
        return false;
    json_object_foreach((json_t *)value, name, member)
    {
        bool is_long = json_is_string(member) && json_string_length(member) > FIELD_MAX_BYTES;
        if (json_is_object(member) || json_is_array(member) || is_long ||
            strlen(name) > FIELD_NAME_MAX_BYTES)
            return false;
    }
    return true;
}

/* RFC 6901: "~" and "/" of a name are written "~0" and "~1". A name that does not fit is left
 * out: the pointer then names its object. */
static void write_pointer(const char *object, const char *name,
                          char out_pointer[HL_ENQUIRY_POINTER_SIZE])
{
    size_t size = (size_t)snprintf(out_pointer, HL_ENQUIRY_POINTER_SIZE, "%s/", object);
    for (const char *c = name; *c != '\0'; c++) {
        if (size + 3 > HL_ENQUIRY_POINTER_SIZE) {
            snprintf(out_pointer, HL_ENQUIRY_POINTER_SIZE, "%s", object);
            return;
        }
        out_pointer[size++] = *c == '~' || *c == '/' ? '~' : *c;
        if (*c == '~' || *c == '/')
            out_pointer[size++] = *c == '~' ? '0' : '1';
        out_pointer[size] = '\0';
    }
}

/* Whether the object has no other members than these; else the pointer is to one of them. */
static bool has_only(const json_t *object, const char *path, const char *const *names,
                     char out_pointer[HL_ENQUIRY_POINTER_SIZE])
{
    const char *name = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)object, name, member)
    {
        size_t i = 0;
        while (names[i] != NULL && strcmp(names[i], name) != 0)
            i++;
        if (names[i] != NULL)
            continue;
        write_pointer(path, name, out_pointer);
        return false;
    }
    return true;
}

static const char *check_members(const json_t *object, char out_pointer[HL_ENQUIRY_POINTER_SIZE])
{
    static const char *const members[] = {"site",    "inbox",   "contact", "message", "fields",
                                          "consent", "country", "context", NULL};
    static const char *const contact_members[] = {"name", "email", "phone", NULL};
    static const char *const message_members[] = {"text", NULL};
    if (!has_only(object, "", members, out_pointer))
        return "There is no such member; put what is your own into fields.";
    if (!has_only(json_object_get(object, "contact"), "/contact", contact_members, out_pointer))
        return "contact has name, email and phone; put what is your own into fields.";
    if (!has_only(json_object_get(object, "message"), "/message", message_members, out_pointer))
        return "message has text; put what is your own into fields.";
    return NULL;
}

const char *hl_enquiry_check(const json_t *object, char out_pointer[HL_ENQUIRY_POINTER_SIZE])
{
    const json_t *contact = json_object_get(object, "contact");
    const json_t *message = json_object_get(object, "message");
    const struct {
        bool is_right;
        const char *pointer;
        const char *what;
    } rules[] = {
        {is_line_or_absent(json_object_get(object, "site"), HL_SITE_SIZE_MAX), "/site",
         "site is a text of 1 to 64 bytes."},
        {is_line_or_absent(json_object_get(object, "inbox"), INBOX_MAX_BYTES), "/inbox",
         "inbox is a text of 1 to 255 bytes."},
        {json_is_object(contact), "/contact",
         "contact is an object with name, email, phone, each optional."},
        {is_line_or_absent(json_object_get(contact, "name"), NAME_MAX_BYTES), "/contact/name",
         "name is one line of 1 to 200 bytes."},
        {is_email_or_absent(json_object_get(contact, "email")), "/contact/email",
         "email is an address such as jo@example.com."},
        {is_phone_or_absent(json_object_get(contact, "phone")), "/contact/phone",
         "phone is digits with + - ( ) . / and spaces."},
        {json_is_object(message), "/message", "message is an object with text."},
        {json_string_length(json_object_get(message, "text")) > 0, "/message/text",
         "text is a string that is not empty."},
        {is_flat_or_absent(json_object_get(object, "fields")), "/fields",
         "fields is an object of at most 50 texts, numbers, booleans or nulls of 4000 bytes."},
        {is_flat_or_absent(json_object_get(object, "consent")), "/consent",
         "consent is an object of at most 50 texts, numbers, booleans or nulls of 4000 bytes."},
        {is_flat_or_absent(json_object_get(object, "context")), "/context",
         "context is an object of at most 50 texts, numbers, booleans or nulls of 4000 bytes."},
        {is_country_or_absent(json_object_get(object, "country")), "/country",
         "country is a code of two letters (ISO 3166)."},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].is_right)
            continue;
        snprintf(out_pointer, HL_ENQUIRY_POINTER_SIZE, "%s", rules[i].pointer);
        return rules[i].what;
    }
    return check_members(object, out_pointer);
}
