#include "agent-api/person/retention.h"

#include <stdio.h>
#include <string.h>

#include "base/result.h"

static const int64_t day_ms = 86400000;

static void report(struct hl_retention *retention, int r)
{
    retention->done(retention, r);
}

/* ---- one conversation ---- */

static void finish_erasure(struct hl_log_submit *submit, int r)
{
    struct hl_retention *retention = HL_CONTAINER_OF(submit, struct hl_retention, submit);

    hl_entry_unref(submit->entry);
    /* somebody has written, or erased it: it is no longer what was looked at */
    if (r == HL_LOG_REVISION || r == HL_LOG_ERASED || r == HL_LOG_UNKNOWN)
        r = 0;
    else if (r == 0 && !submit->duplicate)
        r = HL_RETENTION_ERASED;
    else if (r > 0)
        r = -EAGAIN;
    retention->at += r >= 0;
    report(retention, r);
}

static int erase_next(struct hl_retention *retention)
{
    char body[64];
    struct hl_entry_fields fields = {.conversation = retention->items[retention->at].id,
                                     .author = {.role = HL_ROLE_SYSTEM},
                                     .kind = HL_ENTRY_ERASED,
                                     .mid = hl_bytes_of("retention")};

    (void)snprintf(body, sizeof(body), "{\"days\":%u,\"reason\":\"retention\"}", retention->days);
    fields.body = hl_bytes_of(body);
    struct hl_entry *entry = hl_entry_create(&fields);
    if (entry == NULL)
        return -ENOMEM;
    retention->submit = (struct hl_log_submit){
        .loop = retention->loop,
        .done = finish_erasure,
        .entry = entry,
        .when = {.has_if_revision = true, .if_revision = retention->items[retention->at].revision}};
    int r = hl_log_submit(retention->log, &retention->submit);
    if (r != 0)
        hl_entry_unref(entry);
    return r > 0 ? -EAGAIN : r;
}

/* ---- a page ---- */

static void take_page(struct hl_index_list *list, int r)
{
    struct hl_retention *retention = HL_CONTAINER_OF(list, struct hl_retention, list);

    retention->n_items = 0;
    retention->at = 0;
    if (r == 0) {
        for (size_t i = 0; i < list->n_items; i++) {
            const struct hl_index_conversation *item = &list->items[i];
            if (item->closed_ms == 0 || item->closed_ms >= retention->before_ms)
                continue;
            retention->items[retention->n_items].id = item->state.id;
            retention->items[retention->n_items++].revision = item->state.revision;
        }
        retention->is_listed = true;
        retention->has_more = list->has_more;
        retention->key = list->next_key;
        retention->number = list->next_number;
    }
    hl_index_read_free(&list->read);
    report(retention, r > 0 ? -EAGAIN : r);
}

static int ask_page(struct hl_retention *retention)
{
    bool goes_on = retention->is_listed;

    retention->list = (struct hl_index_list){
        .read = {.loop = retention->loop, .at_least = HL_INDEX_AS_IS},
        .done = take_page,
        .sort = HL_INDEX_OLDEST,
        .status = HL_STATUS_CLOSED,
        .opened_before_ms = retention->before_ms,
        .limit = HL_RETENTION_PAGE,
        .has_cursor = goes_on,
        .cursor_key = retention->key,
        .cursor_number = retention->number,
    };
    memcpy(retention->list.site, retention->site, sizeof(retention->list.site));
    int r = hl_index_list(retention->index, &retention->list);
    return r > 0 ? -EAGAIN : r;
}

/* ---- sites ---- */

/* The next site that keeps nothing for ever. False: there is none. */
static bool choose_site(struct hl_retention *retention)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(retention->directory);
    bool found = false;

    for (size_t i = 0; i < snapshot->n_sites && !found; i++) {
        const struct hl_site *site = &snapshot->sites[i];
        if (site->retention_days == 0 || strcmp(site->record.id, retention->site) <= 0)
            continue;
        found = true;
        memcpy(retention->site, site->record.id, strlen(site->record.id) + 1);
        retention->days = site->retention_days;
    }
    hl_directory_snapshot_unref(snapshot);
    retention->before_ms = hl_clock_wall_ms(retention->clock) - (int64_t)retention->days * day_ms;
    retention->is_listed = false;
    retention->has_more = true;
    return found;
}

static void tell_over(struct hl_task *task)
{
    report(HL_CONTAINER_OF(task, struct hl_retention, task), HL_RETENTION_OVER);
}

int hl_retention_step(struct hl_retention *retention)
{
    if (retention->at < retention->n_items)
        return erase_next(retention);
    bool is_through = retention->site[0] == '\0' || (retention->is_listed && !retention->has_more);
    if (is_through && !choose_site(retention)) {
        retention->site[0] = '\0';
        retention->task.run = tell_over;
        hl_loop_post(retention->loop, &retention->task);
        return 0;
    }
    return ask_page(retention);
}
