/* GET /v1/contacts and GET /v1/contacts/{id}: who the conversations are with. */
#include <inttypes.h>

#include "agent-api/ask.h"
#include "agent-api/page.h"
#include "agent-api/present.h"

static void append_text(struct hl_buffer *out, const char *name, struct hl_bytes text)
{
    hl_buffer_printf(out, ",\"%s\":", name);
    if (text.size == 0)
        hl_buffer_append_text(out, "null");
    else
        hl_json_append_string(out, text);
}

static void append_contact(struct hl_buffer *out, const struct hl_index_contact *contact)
{
    char id[HL_ID_TEXT_SIZE];
    hl_id_format(&contact->id, HL_ID_CONTACT, id);
    hl_buffer_printf(out, "{\"id\":\"%s\"", id);
    append_text(out, "site", hl_bytes_of(contact->site));
    append_text(out, "name", contact->name);
    append_text(out, "email", contact->email);
    append_text(out, "phone", contact->phone);
    append_text(out, "identity", contact->identity);
    hl_buffer_printf(out, ",\"verified\":%s,", contact->is_verified ? "true" : "false");
    hl_present_moment(out, "first_seen_at", contact->first_seen_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "last_seen_at", contact->last_seen_ms);
    hl_buffer_printf(out, ",\"conversations\":%" PRIu64 "}", contact->n_conversations);
}

static void answer_page(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_index_contacts *contacts = &call->index.contacts;
    struct hl_page_cursor next = {.key = contacts->next_key, .number = contacts->next_number};
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&body, "{\"data\":[");
    for (size_t i = 0; i < contacts->n_items; i++) {
        hl_buffer_append_text(&body, i > 0 ? "," : "");
        append_contact(&body, &contacts->items[i]);
    }
    hl_page_end(&body, contacts->has_more, &next);
    hl_call_answer_read(call, exchange, "contact.listed", &body);
    hl_buffer_fini(&body);
}

static void read_page(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_index_contacts *contacts = &call->index.contacts;
    struct hl_page_cursor cursor;
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONTACT_READ) ||
        !hl_page_read_text(exchange, "q", contacts->query, sizeof(contacts->query)) ||
        !hl_page_read_text(exchange, "site", contacts->site, sizeof(contacts->site)) ||
        !hl_page_read(exchange, 0, HL_INDEX_LIMIT_MAX, &contacts->limit, &cursor))
        return;
    contacts->has_cursor = cursor.is_given;
    contacts->cursor_key = cursor.key;
    contacts->cursor_number = cursor.number;
    hl_ask_contacts(call, exchange, answer_page);
}

void hl_contacts_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_call), read_page);
}

static void answer_one(struct hl_call *call, struct hl_exchange *exchange)
{
    char id[HL_ID_TEXT_SIZE];
    const struct hl_index_contact *contact = &call->index.contacts.items[0];
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    append_contact(&body, contact);
    hl_id_format(&contact->id, HL_ID_CONTACT, id);
    const struct hl_audit_event event = {
        .action = "contact.read", .is_read = true, .site = contact->site, .object = id};
    hl_audit_reply(call->api, exchange, &call->who, &event, 200, &body);
    hl_buffer_fini(&body);
}

static void read_one(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_index_contacts *contacts = &call->index.contacts;
    contacts->limit = 1;
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONTACT_READ))
        return;
    if (hl_id_parse(call->params.values[0], HL_ID_CONTACT, &contacts->contact) != 0 ||
        hl_id_is_zero(&contacts->contact))
        hl_exchange_problem(exchange, HL_PROBLEM_NOT_FOUND, "Check the id.");
    else
        hl_ask_contacts(call, exchange, answer_one);
}

void hl_contact_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_call), read_one);
}
