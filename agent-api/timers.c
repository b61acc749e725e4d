#include "agent-api/timers.h"

#include "agent-api/hours.h"

static int64_t first_due(const struct hl_inbox *inbox, const struct hl_index_wait *wait)
{
    if (inbox == NULL || inbox->first_response_minutes == 0)
        return 0;
    return hl_hours_due(inbox, wait->opened_ms, inbox->first_response_minutes);
}

static int64_t next_due(const struct hl_inbox *inbox, const struct hl_index_wait *wait)
{
    if (inbox == NULL || inbox->response_minutes == 0 || wait->waiting_since_ms == 0)
        return 0;
    return hl_hours_due(inbox, wait->waiting_since_ms, inbox->response_minutes);
}

int64_t hl_timers_due(const struct hl_inbox *inbox, const struct hl_index_wait *wait)
{
    int64_t due_ms = 0;
    if (wait->waiting_since_ms == 0)
        return 0;
    if (wait->first_response_ms == 0)
        due_ms = first_due(inbox, wait);
    return due_ms != 0 ? due_ms : next_due(inbox, wait);
}

static const char *judge_wait(int64_t due_ms, int64_t since_ms, int64_t now_ms)
{
    if (due_ms == 0)
        return "none";
    if (now_ms >= due_ms)
        return "breached";
    return (due_ms - now_ms) < (due_ms - since_ms) / 5 ? "due_soon" : "ok";
}

void hl_timers_make(const struct hl_inbox *inbox, const struct hl_index_wait *wait, int64_t now_ms,
                    struct hl_timers *out_timers)
{
    int64_t first_ms = first_due(inbox, wait);
    bool owes_first = wait->first_response_ms == 0 && first_ms != 0;
    out_timers->first_response_due_ms = first_ms;
    out_timers->response_due_ms = next_due(inbox, wait);
    if (wait->waiting_since_ms != 0)
        out_timers->sla = judge_wait(owes_first ? first_ms : out_timers->response_due_ms,
                                     owes_first ? wait->opened_ms : wait->waiting_since_ms, now_ms);
    else if (first_ms == 0 || wait->first_response_ms == 0)
        out_timers->sla = "none";
    else
        out_timers->sla = wait->first_response_ms <= first_ms ? "met" : "breached";
}
