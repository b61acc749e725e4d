/* What is read of the directory: a page of a kind, one record. */
#include <string.h>

#include "agent-api/directory/object.h"
#include "agent-api/page.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 200 };

/* The records of a kind lie in an array of larger structs, each beginning with its record. */
struct records {
    const void *items;
    size_t n_items;
    size_t size;
};

static struct records records_of(const struct hl_directory_snapshot *snapshot,
                                 enum hl_record_kind kind)
{
    switch (kind) {
    case HL_RECORD_SITE:
        return (struct records){snapshot->sites, snapshot->n_sites, sizeof(struct hl_site)};
    case HL_RECORD_INBOX:
        return (struct records){snapshot->inboxes, snapshot->n_inboxes, sizeof(struct hl_inbox)};
    case HL_RECORD_AGENT:
        return (struct records){snapshot->agents, snapshot->n_agents, sizeof(struct hl_agent)};
    case HL_RECORD_KEY:
        return (struct records){snapshot->keys, snapshot->n_keys, sizeof(struct hl_key)};
    case HL_RECORD_CANNED:
        return (struct records){snapshot->canned, snapshot->n_canned, sizeof(struct hl_canned)};
    default:
        return (struct records){0};
    }
}

static const struct hl_record *record_at(const struct records *records, size_t index)
{
    return (const void *)((const char *)records->items + index * records->size);
}

/* A key is where its agent is. */
static bool sees_record(const struct hl_principal *who, const struct hl_object_kind *kind,
                        const struct hl_directory_snapshot *snapshot,
                        const struct hl_record *record)
{
    if (kind->kind != HL_RECORD_KEY)
        return hl_principal_sees_site(who, record->site);
    const struct hl_key *key = (const void *)record;
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &key->agent);
    return agent != NULL && hl_principal_sees_site(who, agent->record.site);
}

const struct hl_record *hl_object_find(struct hl_call *call, struct hl_exchange *exchange,
                                       const struct hl_object_kind *kind,
                                       const struct hl_directory_snapshot *snapshot)
{
    struct hl_bytes id = call->params.values[0];
    struct records records = records_of(snapshot, kind->kind);
    if (!hl_api_may(&call->who, exchange, kind->read))
        return NULL;
    for (size_t i = 0; i < records.n_items; i++) {
        const struct hl_record *record = record_at(&records, i);
        if (hl_bytes_is(id, record->id) && sees_record(&call->who, kind, snapshot, record))
            return record;
    }
    hl_exchange_problem(exchange, HL_PROBLEM_NOT_FOUND, "There is no such %s.", kind->noun);
    return NULL;
}

void hl_object_get(struct hl_call *call, struct hl_exchange *exchange,
                   const struct hl_object_kind *kind)
{
    struct hl_buffer body;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(call->api->config.directory);
    const struct hl_record *record = hl_object_find(call, exchange, kind, snapshot);
    if (record != NULL) {
        hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
        hl_object_append(call->api, kind, snapshot, record, &body);
        hl_reply_add_etag(exchange, record->revision);
        hl_reply_json(exchange, 200, &body);
        hl_buffer_fini(&body);
    }
    hl_directory_snapshot_unref(snapshot);
}

struct page {
    uint64_t limit;
    char site[HL_SITE_SIZE_MAX + 1];
    char cursor[HL_RECORD_ID_SIZE_MAX + 1]; /* the last id of the page before */
};

static void append_page(struct hl_call *call, const struct hl_object_kind *kind,
                        const struct page *page, struct hl_buffer *out)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(call->api->config.directory);
    struct records records = records_of(snapshot, kind->kind);
    const struct hl_record *last = NULL;
    uint64_t n_items = 0;
    bool has_more = false;
    hl_buffer_append_text(out, "{\"data\":[");
    for (size_t i = 0; i < records.n_items && !has_more; i++) {
        const struct hl_record *record = record_at(&records, i);
        if (strcmp(record->id, page->cursor) <= 0 ||
            (page->site[0] != '\0' && strcmp(record->site, page->site) != 0) ||
            !sees_record(&call->who, kind, snapshot, record))
            continue;
        has_more = n_items == page->limit;
        if (has_more)
            break;
        hl_buffer_append_text(out, n_items++ > 0 ? "," : "");
        hl_object_append(call->api, kind, snapshot, record, out);
        last = record;
    }
    if (has_more)
        hl_buffer_printf(out, "],\"next_cursor\":\"%s\",\"has_more\":true}", last->id);
    else
        hl_buffer_append_text(out, "],\"next_cursor\":null,\"has_more\":false}");
    hl_directory_snapshot_unref(snapshot);
}

void hl_object_list(struct hl_call *call, struct hl_exchange *exchange,
                    const struct hl_object_kind *kind)
{
    struct hl_buffer body;
    struct page page;
    if (!hl_api_may(&call->who, exchange, kind->read) ||
        !hl_reply_read_number(exchange, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &page.limit) ||
        !hl_page_read_text(exchange, "site", page.site, sizeof(page.site)) ||
        !hl_page_read_text(exchange, "cursor", page.cursor, sizeof(page.cursor)))
        return;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    append_page(call, kind, &page, &body);
    hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
}
