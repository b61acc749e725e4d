/* application/x-www-form-urlencoded as an enquiry, as browsers send it without any script
 * (WHATWG URL Standard, section 5.1). */
#include <stdlib.h>
#include <string.h>

#include "agent-api/percent.h"
#include "base/json.h"
#include "gateway/enquiry/enquiry.h"

enum { PAIRS_MAX = 100 };

static const struct {
    const char *name;
    const char *object; /* NULL: at the top */
    const char *member;
} places[] = {
    {"name", "contact", "name"},       {"email", "contact", "email"},
    {"phone", "contact", "phone"},     {"message", "message", "text"},
    {"text", "message", "text"},       {"site", NULL, "site"},
    {"inbox", NULL, "inbox"},          {"country", NULL, "country"},
    {"consent", "consent", "consent"},
};

/* A NUL-terminated copy, the caller's. NULL: malformed or no memory. */
static char *decode_part(struct hl_bytes part)
{
    char *text = malloc(part.size + 1);
    if (text == NULL)
        return NULL;
    if (hl_percent_decode(part, HL_PERCENT_FORM, text, part.size + 1) == 0 &&
        hl_json_is_utf8(hl_bytes_of(text)))
        return text;
    free(text);
    return NULL;
}

static json_t *object_of(json_t *enquiry, const char *name)
{
    json_t *object = name == NULL ? enquiry : json_object_get(enquiry, name);
    if (object == NULL && json_object_set_new(enquiry, name, json_object()) == 0)
        object = json_object_get(enquiry, name);
    return object;
}

/* A field that was left empty was not filled in. A name given twice is refused. */
static bool add_pair(json_t *enquiry, const char *name, const char *value,
                     char out_key[HL_ENQUIRY_KEY_SIZE_MAX + 1])
{
    const char *object_name = "fields";
    const char *member = name;
    if (name[0] == '\0' || value[0] == '\0')
        return true;
    if (strcmp(name, "idempotency_key") == 0) {
        size_t size = strlen(value);
        if (size > HL_ENQUIRY_KEY_SIZE_MAX || out_key[0] != '\0')
            return false;
        memcpy(out_key, value, size + 1);
        return true;
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (strcmp(places[i].name, name) != 0)
            continue;
        object_name = places[i].object;
        member = places[i].member;
    }
    json_t *object = object_of(enquiry, object_name);
    return object != NULL && json_object_get(object, member) == NULL &&
           json_object_set_new(object, member, json_string(value)) == 0;
}

static bool add_encoded(json_t *enquiry, struct hl_bytes pair,
                        char out_key[HL_ENQUIRY_KEY_SIZE_MAX + 1])
{
    const char *equals = memchr(pair.data, '=', pair.size);
    size_t name_size = equals != NULL ? (size_t)(equals - pair.data) : pair.size;
    size_t value_at = equals != NULL ? name_size + 1 : pair.size;
    char *name = decode_part((struct hl_bytes){pair.data, name_size});
    char *value = decode_part((struct hl_bytes){pair.data + value_at, pair.size - value_at});
    bool is_good = name != NULL && value != NULL && add_pair(enquiry, name, value, out_key);
    free(name);
    free(value);
    return is_good;
}

json_t *hl_enquiry_from_form(struct hl_bytes form, char out_key[HL_ENQUIRY_KEY_SIZE_MAX + 1])
{
    json_t *enquiry = json_pack("{s:{}}", "contact");
    size_t at = 0;
    size_t n_pairs = 0;
    out_key[0] = '\0';
    while (enquiry != NULL && at < form.size) {
        const char *start = form.data + at;
        const char *end = memchr(start, '&', form.size - at);
        size_t size = end != NULL ? (size_t)(end - start) : form.size - at;
        if (++n_pairs > PAIRS_MAX ||
            (size > 0 && !add_encoded(enquiry, (struct hl_bytes){start, size}, out_key))) {
            json_decref(enquiry);
            return NULL;
        }
        at += size + 1;
    }
    return enquiry;
}
