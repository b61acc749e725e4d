#include "gateway/enquiry/enquiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/present.h"
#include "agent-api/reply.h"
#include "gateway/enquiry/reference.h"

struct post_request {
    struct hl_pending pending; /* first */
    struct hl_enquiries *enquiries;
    struct hl_enquiry_names names;
    char site[HL_SITE_SIZE_MAX + 1];
    bool wants_page;
    struct hl_log_opening opening;
    struct hl_log_submit submit;
};

static enum hl_problem_code problem_of(int r)
{
    switch (r) {
    case HL_LOG_BUSY:
        return HL_PROBLEM_BUSY;
    case HL_LOG_MID_CONFLICT:
        return HL_PROBLEM_MID_CONFLICT;
    case HL_LOG_ERASED:
        return HL_PROBLEM_CONVERSATION_ERASED;
    case HL_LOG_FULL:
        return HL_PROBLEM_STORAGE_FULL;
    case HL_LOG_CLOSED:
        return HL_PROBLEM_DRAINING;
    default:
        return HL_PROBLEM_UNAVAILABLE;
    }
}

static const char *advice_for(enum hl_problem_code code)
{
    switch (code) {
    case HL_PROBLEM_MID_CONFLICT:
        return "This Idempotency-Key was used for another enquiry; take a new key for this one.";
    case HL_PROBLEM_UNAVAILABLE:
        return "The enquiry may or may not be stored; send it again with the same key.";
    default:
        return "The enquiry was not stored; send it again with the same key.";
    }
}

static void refuse_outcome(struct hl_enquiries *enquiries, struct hl_exchange *exchange, int r,
                           bool wants_page)
{
    enum hl_problem_code code = problem_of(r);
    struct hl_problem problem = {.code = code, .detail = hl_bytes_of(advice_for(code))};
    hl_enquiry_refuse(enquiries, exchange, &problem, wants_page);
}

static void take_result(struct hl_log_submit *submit, int r)
{
    struct post_request *request = HL_CONTAINER_OF(submit, struct post_request, submit);
    struct hl_enquiries *enquiries = request->enquiries;
    struct hl_exchange *exchange = hl_pending_take(&request->pending);
    struct hl_log_info info;
    hl_log_info(enquiries->log, &info);
    if (r == 0 && submit->duplicate)
        enquiries->n_repeated++;
    else if (r == 0)
        enquiries->n_accepted++;
    if (exchange != NULL && r != 0) {
        refuse_outcome(enquiries, exchange, r, request->wants_page);
    } else if (exchange != NULL) {
        struct hl_enquiry_receipt receipt = {.reference = submit->conversation.reference,
                                             .conversation = &submit->conversation,
                                             .offset = submit->offset,
                                             .durability = hl_durability_name(info.durability),
                                             .accepted_ms = submit->wall_ms,
                                             .duplicate = submit->duplicate};
        hl_reply_add_position(exchange, enquiries->log, submit->position);
        hl_enquiry_answer(enquiries, exchange, &receipt, request->wants_page);
    }
    hl_entry_unref(submit->entry);
    hl_pending_end(&request->pending);
    free(request);
}

static struct hl_entry *make_entry(const struct post_request *request,
                                   const struct hl_enquiry *enquiry)
{
    struct hl_entry_fields fields = {
        .conversation = request->names.conversation,
        .author = {.role = HL_ROLE_VISITOR, .id = request->names.participant},
        .kind = HL_ENTRY_FORM,
        .mid = hl_bytes_of(request->names.mid),
        .body = hl_buffer_bytes(&enquiry->body)};
    return hl_entry_create(&fields);
}

static void submit_enquiry(struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                           const struct hl_enquiry *enquiry)
{
    struct post_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        refuse_outcome(enquiries, exchange, HL_LOG_BUSY, enquiry->wants_page);
        return;
    }
    request->enquiries = enquiries;
    request->wants_page = enquiry->wants_page;
    memcpy(request->site, enquiry->site, sizeof(request->site));
    hl_enquiry_names(enquiries->reference_key, hl_bytes_of(enquiry->site),
                     hl_bytes_of(enquiry->key), &request->names);
    request->opening.site = hl_bytes_of(request->site);
    request->opening.inbox = enquiry->inbox;
    request->opening.reference = hl_bytes_of(request->names.reference);
    request->submit.loop = enquiries->loop;
    request->submit.done = take_result;
    request->submit.opening = &request->opening;
    request->submit.entry = make_entry(request, enquiry);
    int r = HL_LOG_BUSY;
    if (request->submit.entry != NULL) {
        hl_pending_begin(&request->pending, &enquiries->pending, exchange);
        r = hl_log_submit(enquiries->log, &request->submit);
        if (r == 0)
            return;
        exchange = hl_pending_take(&request->pending);
        hl_entry_unref(request->submit.entry);
        hl_pending_end(&request->pending);
    }
    refuse_outcome(enquiries, exchange, r, enquiry->wants_page);
    free(request);
}

void hl_enquiry_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_enquiries *enquiries = arg;
    struct hl_enquiry enquiry = {0};
    (void)params;
    hl_buffer_init(&enquiry.body, enquiries->body_bytes_max);
    if (hl_enquiry_read(enquiries, exchange, &enquiry))
        submit_enquiry(enquiries, exchange, &enquiry);
    hl_buffer_fini(&enquiry.body);
}

struct get_request {
    struct hl_pending pending; /* first */
    struct hl_enquiries *enquiries;
    struct hl_log_find find;
};

/* No personal data: a reference is short enough to be read out, so it must not be a key to
 * more than how things stand. */
static void append_status(const struct hl_enquiries *enquiries,
                          const struct hl_conversation *conversation, struct hl_buffer *out)
{
    struct hl_log_info info;
    hl_log_info(enquiries->log, &info);
    const char *status = "accepted";
    if (conversation->status == HL_STATUS_CLOSED)
        status = "closed";
    else if (conversation->waiting_since_ms == 0)
        status = "answered";
    hl_buffer_printf(out, "{\"reference\":\"%s\",\"status\":\"%s\",\"durability\":\"%s\",",
                     conversation->reference, status, hl_durability_name(info.durability));
    hl_present_moment(out, "accepted_at", conversation->opened_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "updated_at", conversation->updated_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "expected_by", hl_enquiry_expected_ms(enquiries, conversation));
    hl_buffer_append_text(out, "}");
}

static void refuse_reference(struct hl_exchange *exchange)
{
    hl_exchange_problem(exchange, HL_PROBLEM_NOT_FOUND, "There is no enquiry of this reference.");
}

static void take_conversation(struct hl_log_find *find, int r)
{
    struct get_request *request = HL_CONTAINER_OF(find, struct get_request, find);
    struct hl_exchange *exchange = hl_pending_take(&request->pending);
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    if (exchange != NULL && r == HL_LOG_UNKNOWN) {
        refuse_reference(exchange);
    } else if (exchange != NULL && r != 0) {
        hl_reply_log_problem(exchange, r);
    } else if (exchange != NULL) {
        append_status(request->enquiries, &find->found, &body);
        hl_reply_json(exchange, 200, &body);
    }
    hl_buffer_fini(&body);
    hl_pending_end(&request->pending);
    free(request);
}

void hl_enquiry_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_enquiries *enquiries = arg;
    char reference[HL_REFERENCE_TEXT_SIZE];
    if (!hl_reference_parse(params->values[0], reference)) {
        refuse_reference(exchange);
        return;
    }
    struct get_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        return;
    }
    request->enquiries = enquiries;
    request->find.loop = enquiries->loop;
    request->find.done = take_conversation;
    memcpy(request->find.reference, reference, sizeof(reference));
    hl_pending_begin(&request->pending, &enquiries->pending, exchange);
    int r = hl_log_find(enquiries->log, &request->find);
    if (r == 0)
        return;
    hl_reply_pending_problem(&request->pending, r);
    free(request);
}
