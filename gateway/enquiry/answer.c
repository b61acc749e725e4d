/* What the sender of an enquiry gets back: JSON, or a plain page if a browser posted a form. */
#include <inttypes.h>
#include <stdio.h>

#include "agent-api/hours.h"
#include "agent-api/present.h"
#include "agent-api/reply.h"
#include "base/moment.h"
#include "gateway/enquiry/enquiry.h"

enum { PAGE_BYTES_MAX = 16384 };

int64_t hl_enquiry_expected_ms(const struct hl_enquiries *enquiries,
                               const struct hl_conversation *conversation)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(enquiries->doors->directory);
    const struct hl_inbox *inbox = hl_snapshot_inbox(snapshot, &conversation->inbox);
    uint32_t minutes = enquiries->expected_answer_minutes;
    int64_t expected_ms = 0;
    if (inbox != NULL && inbox->first_response_minutes > 0)
        minutes = inbox->first_response_minutes;
    if (inbox != NULL)
        expected_ms = hl_hours_due(inbox, conversation->opened_ms, minutes);
    hl_directory_snapshot_unref(snapshot);
    return expected_ms > 0 ? expected_ms : conversation->opened_ms + (int64_t)minutes * 60000;
}

static void append_escaped(struct hl_buffer *out, struct hl_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '<')
            hl_buffer_append_text(out, "&lt;");
        else if (c == '&')
            hl_buffer_append_text(out, "&amp;");
        else if (c == '"')
            hl_buffer_append_text(out, "&quot;");
        else
            hl_buffer_append(out, &c, 1);
    }
}

static void begin_page(struct hl_buffer *page, const char *title)
{
    hl_buffer_init(page, PAGE_BYTES_MAX);
    hl_buffer_printf(page,
                     "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n"
                     "<title>%s</title>\n<main>\n<h1>%s</h1>\n",
                     title, title);
}

static void send_page(struct hl_exchange *exchange, int status, struct hl_buffer *page)
{
    hl_buffer_append_text(page, "</main>\n</html>\n");
    hl_reply_add_text(exchange, "content-security-policy", "default-src 'none'");
    exchange->ops->answer(exchange, status, "text/html; charset=utf-8", hl_buffer_bytes(page));
    hl_buffer_fini(page);
}

static void answer_page(const struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                        const struct hl_enquiry_receipt *receipt)
{
    struct hl_buffer page;
    char expected[HL_MOMENT_TEXT_SIZE];
    hl_moment_format(hl_enquiry_expected_ms(enquiries, receipt->conversation), expected);
    begin_page(&page, "Thank you, we have your message");
    hl_buffer_printf(&page,
                     "<p>Your reference is <strong>%s</strong>.</p>\n"
                     "<p>You get an answer by <time datetime=\"%s\">%.10s %.5s UTC</time>.</p>\n",
                     receipt->reference, expected, expected, expected + 11);
    send_page(exchange, receipt->duplicate ? 200 : 201, &page);
}

static void append_status_url(const struct hl_enquiries *enquiries, const char *reference,
                              struct hl_buffer *out)
{
    hl_buffer_printf(out, "%s/v1/enquiries/%s", enquiries->public_url, reference);
}

void hl_enquiry_answer(const struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                       const struct hl_enquiry_receipt *receipt, bool wants_page)
{
    struct hl_buffer url;
    struct hl_buffer body;
    char id[HL_ID_TEXT_SIZE];
    hl_buffer_init(&url, 1024);
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    append_status_url(enquiries, receipt->reference, &url);
    exchange->ops->header(exchange, "location", hl_buffer_bytes(&url));
    if (receipt->duplicate)
        hl_reply_add_text(exchange, "idempotent-replayed", "true");
    if (wants_page) {
        answer_page(enquiries, exchange, receipt);
    } else {
        hl_id_format(&receipt->conversation->id, HL_ID_CONVERSATION, id);
        hl_buffer_printf(&body,
                         "{\"reference\":\"%s\",\"conversation\":\"%s\",\"offset\":%" PRIu64
                         ",\"durability\":\"%s\",",
                         receipt->reference, id, receipt->offset, receipt->durability);
        hl_present_moment(&body, "expected_by",
                          hl_enquiry_expected_ms(enquiries, receipt->conversation));
        hl_buffer_append_text(&body, ",\"status_url\":");
        hl_json_append_string(&body, hl_buffer_bytes(&url));
        hl_buffer_printf(&body, ",\"duplicate\":%s}", receipt->duplicate ? "true" : "false");
        hl_reply_json(exchange, receipt->duplicate ? 200 : 201, &body);
    }
    hl_buffer_fini(&url);
    hl_buffer_fini(&body);
}

void hl_enquiry_refuse(struct hl_enquiries *enquiries, struct hl_exchange *exchange,
                       const struct hl_problem *problem, bool wants_page)
{
    const struct hl_problem_kind *kind = hl_problem_kind(problem->code);
    struct hl_buffer page;
    enquiries->n_refused++;
    if (!wants_page) {
        hl_exchange_problem_with(exchange, problem);
        return;
    }
    begin_page(&page, "Your message was not sent");
    hl_buffer_append_text(&page, "<p>");
    append_escaped(&page, problem->detail);
    hl_buffer_printf(&page, "</p>\n<p>%s</p>\n<p>Code: %s, request %s</p>\n",
                     kind->retry == HL_RETRY_NEVER
                         ? "Please go back and correct it."
                         : "Please send it again in a moment: it cannot arrive twice.",
                     kind->code, exchange->request_id);
    if (kind->retry != HL_RETRY_NEVER)
        hl_reply_add_text(exchange, "retry-after", "5");
    send_page(exchange, kind->status, &page);
}
