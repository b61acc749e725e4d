/* GET /livez and GET /readyz. Live: the process does its work; if not, restart it. Ready: it
 * should get traffic; if not, the answer says why. */
#include <inttypes.h>

#include "agent-api/reply.h"
#include "gateway/server/station.h"

enum { STUCK_MS = 10000 };

void hl_health_live(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_house *house = arg;
    uint64_t now = hl_clock_mono_ms(house->clock);
    size_t n_stuck = 0;
    struct hl_buffer body;
    (void)params;
    for (size_t i = 0; i < house->n_stations; i++) {
        if (now > hl_station_last_tick_ms(house->stations[i]) + STUCK_MS)
            n_stuck++;
    }
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_printf(&body, "{\"live\":%s,\"loops\":%zu,\"loops_stuck\":%zu}",
                     n_stuck == 0 ? "true" : "false", house->n_stations, n_stuck);
    hl_reply_add_text(exchange, "cache-control", "no-store");
    hl_reply_json(exchange, n_stuck == 0 ? 200 : 503, &body);
    hl_buffer_fini(&body);
}

/* What stands against taking traffic; docs/operating.md says what to do about each. */
static unsigned append_problems(const struct hl_house *house, const struct hl_log_info *info,
                                struct hl_buffer *out)
{
    uint64_t disk_free = atomic_load(&house->disk_free);
    const struct {
        bool is_so;
        const char *name;
    } problems[] = {
        {info->failed, "store_failed"},
        {!info->writable && !info->failed, "store_not_writable"},
        {disk_free < house->disk_free_min, "disk_low"},
        {info->queue_depth * 10 >= info->queue_max * 9, "queue_full"},
        {info->oldest_wait_ms > atomic_load(&house->ready_wait_ms_max), "commits_slow"},
        {atomic_load(&house->is_draining), "draining"},
    };
    unsigned n_problems = 0;
    for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
        if (problems[i].is_so)
            hl_buffer_printf(out, "%s\"%s\"", n_problems++ > 0 ? "," : "", problems[i].name);
    }
    return n_problems;
}

void hl_health_ready(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_house *house = arg;
    struct hl_log_info info;
    struct hl_index_stats index;
    struct hl_buffer problems;
    struct hl_buffer body;
    (void)params;
    hl_log_info(house->log, &info);
    hl_index_stats(house->index, &index);
    hl_buffer_init(&problems, 1024);
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    bool is_ready = append_problems(house, &info, &problems) == 0;
    hl_buffer_printf(&body, "{\"ready\":%s,\"problems\":[", is_ready ? "true" : "false");
    hl_buffer_append_bytes(&body, hl_buffer_bytes(&problems));
    hl_buffer_printf(&body,
                     "],\"writable\":%s,\"failed\":%s,\"draining\":%s,\"queue_depth\":%" PRIu64
                     ",\"queue_max\":%" PRIu64 ",\"oldest_wait_ms\":%" PRIu64
                     ",\"disk_free_bytes\":%" PRIu64 ",\"disk_free_min_bytes\":%" PRIu64,
                     info.writable ? "true" : "false", info.failed ? "true" : "false",
                     atomic_load(&house->is_draining) ? "true" : "false", info.queue_depth,
                     info.queue_max, info.oldest_wait_ms, (uint64_t)atomic_load(&house->disk_free),
                     house->disk_free_min);
    hl_buffer_printf(&body,
                     ",\"engine\":\"%s\",\"durability\":\"%s\",\"epoch\":\"%" PRIu64
                     "\",\"position\":%" PRIu64 ",\"index_position\":%" PRIu64
                     ",\"node\":\"%s\",\"region\":\"%s\",\"version\":\"%s\"}",
                     info.engine, hl_durability_name(info.durability), info.epoch, info.position,
                     index.applied, house->node, house->region, HL_VERSION);
    hl_reply_add_text(exchange, "cache-control", "no-store");
    if (!is_ready)
        hl_reply_add_text(exchange, "retry-after", "2");
    hl_reply_json(exchange, is_ready ? 200 : 503, &body);
    hl_buffer_fini(&problems);
    hl_buffer_fini(&body);
}
