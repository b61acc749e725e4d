#include "store/log.h"

#include "base/check.h"

int hl_log_submit(struct hl_log *log, struct hl_log_submit *submit)
{
    HL_CHECK(submit->loop != NULL && submit->done != NULL && submit->entry != NULL);
    HL_CHECK(submit->entry->offset == 0 && submit->entry->position == 0);
    HL_CHECK(hl_mid_is_valid(hl_entry_mid(submit->entry)));
    HL_CHECK(submit->opening == NULL || !hl_id_is_zero(&submit->entry->conversation));
    return log->ops->submit(log, submit);
}

int hl_log_read(struct hl_log *log, struct hl_log_read *read)
{
    HL_CHECK(read->loop != NULL && read->done != NULL && read->limit > 0);
    return log->ops->read(log, read);
}

int hl_log_scan(struct hl_log *log, struct hl_log_scan *scan)
{
    HL_CHECK(scan->loop != NULL && scan->done != NULL && scan->limit > 0);
    return log->ops->scan(log, scan);
}

int hl_log_find(struct hl_log *log, struct hl_log_find *find)
{
    HL_CHECK(find->loop != NULL && find->done != NULL);
    return log->ops->find(log, find);
}

void hl_log_mark(struct hl_log *log, const struct hl_log_mark *mark)
{
    log->ops->mark(log, mark);
}

int hl_log_marks(struct hl_log *log, struct hl_log_marks *marks)
{
    HL_CHECK(marks->loop != NULL && marks->done != NULL);
    return log->ops->marks(log, marks);
}

void hl_log_subscribe(struct hl_log *log, struct hl_log_subscription *subscription)
{
    HL_CHECK(subscription->loop != NULL && subscription->on_commit != NULL);
    log->ops->subscribe(log, subscription);
}

void hl_log_unsubscribe(struct hl_log *log, struct hl_log_subscription *subscription)
{
    log->ops->unsubscribe(log, subscription);
}

const char *hl_durability_name(enum hl_durability durability)
{
    switch (durability) {
    case HL_DURABILITY_MEMORY:
        return "memory";
    case HL_DURABILITY_LOCAL:
        return "local";
    case HL_DURABILITY_ZONE:
        return "zone";
    case HL_DURABILITY_QUORUM:
        return "quorum";
    }
    HL_NEVER("a durability");
}

void hl_log_info(struct hl_log *log, struct hl_log_info *out_info)
{
    log->ops->info(log, out_info);
}

int hl_log_backup(struct hl_log *log, const char *path)
{
    return log->ops->backup(log, path);
}

void hl_log_close(struct hl_log *log)
{
    if (log != NULL)
        log->ops->close(log);
}
