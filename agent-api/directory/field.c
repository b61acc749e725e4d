#include "agent-api/directory/field.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/hours.h"
#include "base/id.h"
#include "base/result.h"

static int find_fault(struct hl_field_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int find_fault(struct hl_field_fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->why, sizeof(fault->why), format, arguments);
    va_end(arguments);
    return HL_FIELD_WRONG;
}

static bool is_text(const char *text, bool is_prose)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        bool is_line_end = is_prose && (*c == '\n' || *c == '\r' || *c == '\t');
        if ((*c < 0x20 && !is_line_end) || *c == 0x7f)
            return false;
    }
    return true;
}

static bool is_made_of(const char *text, const char *others)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) &&
            strchr(others, *c) == NULL)
            return false;
    }
    return text[0] != '\0';
}

static bool is_among(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; size > 0 && *at != '\0'; at += strspn(at, " ")) {
        size_t next = strcspn(at, " ");
        if (next == size && memcmp(at, word, size) == 0)
            return true;
        at += next;
    }
    return false;
}

/* What is between the bytes " ~", without white space. */
static bool is_visible(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~')
            return false;
    }
    return text[0] != '\0';
}

static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');
    return is_visible(text) && strlen(text) <= 254 && at != NULL && at != text && at[1] != '\0' &&
           at[1] != '.' && strchr(at + 1, '@') == NULL && strpbrk(text, "\"(),:;<>[\\]") == NULL;
}

/* The host of a URL, or NULL. */
static const char *skip_scheme(const char *text)
{
    if (strncmp(text, "https://", 8) == 0)
        return text + 8;
    return strncmp(text, "http://", 7) == 0 ? text + 7 : NULL;
}

static bool is_url(const char *text)
{
    const char *host = skip_scheme(text);
    return host != NULL && is_visible(text) && strlen(text) <= 2048 && *host != '\0' &&
           *host != '/' && *host != '?' && *host != '#' && strpbrk(text, "\"<>\\^`{|}") == NULL;
}

static bool is_origin(const char *text)
{
    const char *host = skip_scheme(text);
    size_t size = host != NULL ? strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-*:[]") : 0;
    return host != NULL && size > 0 && host[size] == '\0' && size <= 255;
}

static bool is_locale(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            return false;
    }
    return size >= 2 && size <= 35 && isalpha((unsigned char)text[0]) && text[size - 1] != '-';
}

static bool is_colour(const char *text)
{
    return strlen(text) == 7 && text[0] == '#' && strspn(text + 1, "0123456789abcdefABCDEF") == 6;
}

/* Whether the digits are where '0' is in `form`, and the rest is equal. */
static bool fits_form(const char *text, const char *form)
{
    for (; *form != '\0'; form++, text++) {
        if (*form == '0' ? !isdigit((unsigned char)*text) : *text != *form)
            return false;
    }
    return *text == '\0';
}

static bool is_time(const char *text)
{
    int hour = 0;
    int minute = 0;
    return fits_form(text, "00:00") && sscanf(text, "%2d:%2d", &hour, &minute) == 2 &&
           minute < 60 && (hour < 24 || (hour == 24 && minute == 0));
}

static bool is_date(const char *text)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 0;
    int month = 0;
    int day = 0;
    if (!fits_form(text, "0000-00-00") || sscanf(text, "%4d-%2d-%2d", &year, &month, &day) != 3 ||
        month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return year >= 1970 && (month != 2 || day < 29 || is_leap);
}

static int check_sized(const struct hl_field *field, const char *text, struct hl_field_fault *fault)
{
    size_t size = strlen(text);
    if (size < field->min || size > field->max)
        return find_fault(fault, "It must be %u to %u bytes long.", field->min, field->max);
    if (!is_text(text, field->type == HL_FIELD_PROSE))
        return find_fault(fault, "It must not hold control characters.");
    return 0;
}

static int check_text(const struct hl_field *field, const char *text, struct hl_field_fault *fault)
{
    struct hl_id id;
    if (text == NULL)
        return find_fault(fault, "It must be a string.");
    switch (field->type) {
    case HL_FIELD_LINE:
    case HL_FIELD_PROSE:
        return check_sized(field, text, fault);
    case HL_FIELD_WORD:
        return is_made_of(text, "._-") && strlen(text) <= field->max
                   ? 0
                   : find_fault(fault, "It is 1 to %u of a-z 0-9 . _ -", field->max);
    case HL_FIELD_CHOICE:
        return is_among(field->words, text)
                   ? 0
                   : find_fault(fault, "It must be one of: %s.", field->words);
    case HL_FIELD_EMAIL:
        return is_email(text) ? 0 : find_fault(fault, "It is no e-mail address.");
    case HL_FIELD_URL:
        return is_url(text) ? 0 : find_fault(fault, "It must be an http or https URL.");
    case HL_FIELD_ORIGIN:
        return is_origin(text)
                   ? 0
                   : find_fault(fault, "It must be an origin like https://shop.example, "
                                       "in lower case, without a path.");
    case HL_FIELD_LOCALE:
        return is_locale(text) ? 0
                               : find_fault(fault, "It must be a language tag like en or pt-BR.");
    case HL_FIELD_COLOUR:
        return is_colour(text) ? 0 : find_fault(fault, "It must be a colour like #1a73e8.");
    case HL_FIELD_ZONE:
        return hl_hours_is_zone(text)
                   ? 0
                   : find_fault(fault, "It must be a time zone's name like Europe/Berlin.");
    case HL_FIELD_TIME:
        return is_time(text) ? 0 : find_fault(fault, "It must be a time like 09:00, up to 24:00.");
    case HL_FIELD_DATE:
        return is_date(text) ? 0 : find_fault(fault, "It must be a date like 2026-12-25.");
    case HL_FIELD_ID:
        return hl_id_parse(hl_bytes_of(text), field->words, &id) == 0
                   ? 0
                   : find_fault(fault, "It must be an id: %s and 32 hex digits.", field->words);
    default:
        return find_fault(fault, "It must not be a string.");
    }
}

static int check_value(const struct hl_field *field, const json_t *value,
                       struct hl_field_fault *fault);

static int check_number(const struct hl_field *field, const json_t *value,
                        struct hl_field_fault *fault)
{
    json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= field->min && number <= field->max)
        return 0;
    return find_fault(fault, "It must be a whole number from %u to %u.", field->min, field->max);
}

/* The pointer grows on the way in and is cut back on the way out, unless there is a fault. */
static size_t push_name(struct hl_field_fault *fault, const char *name)
{
    size_t size = strlen(fault->pointer);
    snprintf(fault->pointer + size, sizeof(fault->pointer) - size, "/%.40s", name);
    return size;
}

static int check_list(const struct hl_field *field, const json_t *list,
                      struct hl_field_fault *fault)
{
    if (!json_is_array(list) || json_array_size(list) > field->max)
        return find_fault(fault, "It must be a list of at most %u.", field->max);
    for (size_t i = 0; i < json_array_size(list); i++) {
        char number[24];
        snprintf(number, sizeof(number), "%zu", i);
        size_t mark = push_name(fault, number);
        int r = check_value(&field->fields[0], json_array_get(list, i), fault);
        for (size_t j = 0; j < i && r == 0; j++) {
            if (json_equal(json_array_get(list, i), json_array_get(list, j)))
                r = find_fault(fault, "It is in the list before.");
        }
        if (r != 0)
            return r;
        fault->pointer[mark] = '\0';
    }
    return 0;
}

static int check_value(const struct hl_field *field, const json_t *value,
                       struct hl_field_fault *fault)
{
    if (field->type == HL_FIELD_BOOL)
        return json_is_boolean(value) ? 0 : find_fault(fault, "It must be true or false.");
    if (field->type == HL_FIELD_NUMBER)
        return check_number(field, value, fault);
    if (field->type == HL_FIELD_LIST)
        return check_list(field, value, fault);
    if (field->type != HL_FIELD_OBJECT)
        return check_text(field, json_string_value(value), fault);
    if (!json_is_object(value))
        return find_fault(fault, "It must be an object.");
    return hl_fields_check(field->fields, field->n_fields, value, fault);
}

static const struct hl_field *find_field(const struct hl_field *fields, size_t n_fields,
                                         const char *name)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

static int check_names(const struct hl_field *fields, size_t n_fields, const json_t *object,
                       struct hl_field_fault *fault)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (find_field(fields, n_fields, name) == NULL) {
            (void)push_name(fault, name);
            return find_fault(fault, "There is no such member.");
        }
    }
    return 0;
}

int hl_fields_check(const struct hl_field *fields, size_t n_fields, const json_t *object,
                    struct hl_field_fault *out_fault)
{
    int r = check_names(fields, n_fields, object, out_fault);
    for (size_t i = 0; i < n_fields && r == 0; i++) {
        const json_t *value = json_object_get(object, fields[i].name);
        if (value == NULL && !fields[i].is_required)
            continue;
        size_t mark = push_name(out_fault, fields[i].name);
        r = value == NULL ? find_fault(out_fault, "It is required.")
                          : check_value(&fields[i], value, out_fault);
        if (r == 0)
            out_fault->pointer[mark] = '\0';
    }
    return r;
}

static int merge_member(json_t *target, const char *name, json_t *value, int depth)
{
    json_t *old = json_object_get(target, name);
    if (json_is_null(value))
        return old == NULL || json_object_del(target, name) == 0 ? 0 : -ENOMEM;
    if (!json_is_object(value) || depth == 0)
        return json_object_set(target, name, value) == 0 ? 0 : -ENOMEM;
    json_t *merged = json_is_object(old) ? json_deep_copy(old) : json_object();
    const char *inner = NULL;
    json_t *inner_value = NULL;
    int r = merged != NULL ? 0 : -ENOMEM;
    json_object_foreach(value, inner, inner_value)
    {
        if (r == 0)
            r = merge_member(merged, inner, inner_value, depth - 1);
    }
    if (r == 0 && json_object_set(target, name, merged) != 0)
        r = -ENOMEM;
    json_decref(merged);
    return r;
}

int hl_fields_merge(json_t *target, const json_t *patch)
{
    const char *name = NULL;
    json_t *value = NULL;
    int r = 0;
    json_object_foreach((json_t *)(uintptr_t)patch, name, value)
    {
        if (r == 0)
            r = merge_member(target, name, value, HL_JSON_DEPTH_MAX);
    }
    return r;
}

static void append_value(struct hl_buffer *out, const struct hl_field *field, const json_t *value)
{
    if (value == NULL) {
        hl_buffer_append_text(out, field->standard != NULL ? field->standard : "null");
    } else if (field->type == HL_FIELD_OBJECT) {
        hl_buffer_append_text(out, "{");
        hl_fields_append(out, field->fields, field->n_fields, value);
        hl_buffer_append_text(out, "}");
    } else if (field->type == HL_FIELD_LIST) {
        hl_buffer_append_text(out, "[");
        for (size_t i = 0; i < json_array_size(value); i++) {
            hl_buffer_append_text(out, i > 0 ? "," : "");
            append_value(out, &field->fields[0], json_array_get(value, i));
        }
        hl_buffer_append_text(out, "]");
    } else {
        hl_json_append_canonical(out, value);
    }
}

void hl_fields_append(struct hl_buffer *out, const struct hl_field *fields, size_t n_fields,
                      const json_t *object)
{
    for (size_t i = 0; i < n_fields; i++) {
        hl_buffer_printf(out, "%s\"%s\":", i > 0 ? "," : "", fields[i].name);
        append_value(out, &fields[i], json_object_get(object, fields[i].name));
    }
}
