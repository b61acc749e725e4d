#include "store/index/body.h"

#include <string.h>

#include "store/index/search.h"

static struct hl_bytes text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return (struct hl_bytes){json_string_value(value), json_string_length(value)};
}

static struct hl_bytes short_text_of(const json_t *object, const char *name)
{
    return hl_index_cut(text_of(object, name), HL_INDEX_PERSON_SIZE_MAX);
}

static const json_t *object_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_object(value) ? value : NULL;
}

static void read_form(struct hl_index_body *body)
{
    const json_t *contact = object_of(body->json, "contact");

    body->name = short_text_of(contact, "name");
    body->email = short_text_of(contact, "email");
    body->phone = short_text_of(contact, "phone");
    body->text = text_of(object_of(body->json, "message"), "text");
    body->context = object_of(body->json, "context");
}

static void read_change(struct hl_index_body *body)
{
    const json_t *tags = json_object_get(body->json, "tags");

    body->tags = json_is_array(tags) ? tags : NULL;
    body->custom_fields = object_of(body->json, "custom_fields");
}

void hl_index_body_read(const struct hl_entry *entry, struct hl_index_body *out_body)
{
    *out_body = (struct hl_index_body){.json = NULL};
    if (entry->is_erased || hl_json_parse(hl_entry_body(entry), NULL, 0, &out_body->json) != 0)
        return;
    switch ((enum hl_entry_kind)entry->kind) {
    case HL_ENTRY_MESSAGE:
    case HL_ENTRY_NOTE:
        out_body->text = text_of(out_body->json, "text");
        break;
    case HL_ENTRY_FORM:
        read_form(out_body);
        break;
    case HL_ENTRY_RATED:
        out_body->text = text_of(out_body->json, "comment");
        break;
    default:
        read_change(out_body);
        break;
    }
}

void hl_index_body_fini(struct hl_index_body *body)
{
    json_decref(body->json);
    *body = (struct hl_index_body){.json = NULL};
}

static void append_line(struct hl_buffer *out, struct hl_bytes text)
{
    if (text.size == 0 || out->size + text.size + 1 > HL_INDEX_TEXT_SIZE_MAX)
        return;
    hl_buffer_append_bytes(out, text);
    hl_buffer_append_text(out, "\n");
}

void hl_index_body_append_words(const struct hl_index_body *body, struct hl_buffer *out)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_t *fields = json_object_get(body->json, "fields");

    append_line(out, body->text);
    append_line(out, body->name);
    append_line(out, body->email);
    append_line(out, body->phone);
    json_object_foreach(fields, name, value)
        append_line(out, (struct hl_bytes){json_string_value(value), json_string_length(value)});
}

/* RFC 7396. */
static int merge_patch(json_t *target, const json_t *patch)
{
    const char *name = NULL;
    json_t *value = NULL;
    int r = 0;

    json_object_foreach((json_t *)patch, name, value)
    {
        json_t *old = json_object_get(target, name);
        if (json_is_null(value)) {
            (void)json_object_del(target, name);
        } else if (json_is_object(value)) {
            if (!json_is_object(old))
                r |= json_object_set_new(target, name, json_object());
            r |= merge_patch(json_object_get(target, name), value);
        } else {
            r |= json_object_set(target, name, value);
        }
    }
    return r;
}

char *hl_index_body_merge(const char *object, const json_t *patch)
{
    json_t *target = NULL;
    struct hl_buffer text;

    if (object[0] == '\0')
        target = json_object();
    else if (hl_json_parse(hl_bytes_of(object), NULL, 0, &target) != 0)
        return NULL;
    hl_buffer_init(&text, HL_INDEX_OBJECT_SIZE_MAX);
    if (target != NULL && merge_patch(target, patch) == 0) {
        hl_json_append_canonical(&text, target);
        hl_buffer_append(&text, "", 1);
    }
    json_decref(target);
    if (text.size > 0 && !hl_buffer_failed(&text))
        return text.data;
    hl_buffer_fini(&text);
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool hl_index_email_fold(struct hl_bytes email, char *out, size_t out_size)
{
    while (email.size > 0 && is_space(email.data[0]))
        email = (struct hl_bytes){email.data + 1, email.size - 1};
    while (email.size > 0 && is_space(email.data[email.size - 1]))
        email.size--;
    if (email.size == 0 || email.size >= out_size || memchr(email.data, '@', email.size) == NULL)
        return false;
    for (size_t i = 0; i < email.size; i++) {
        char c = email.data[i];
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    out[email.size] = '\0';
    return true;
}

bool hl_index_phone_fold(struct hl_bytes phone, char *out, size_t out_size)
{
    size_t n = 0;
    size_t n_digits = 0;

    for (size_t i = 0; i < phone.size; i++) {
        char c = phone.data[i];
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(c == '+' && n == 0))
            continue;
        if (n + 1 >= out_size)
            return false;
        out[n++] = c;
        n_digits += is_digit ? 1 : 0;
    }
    out[n] = '\0';
    return n_digits >= 6;
}
