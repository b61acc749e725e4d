/* GET /metrics: the text format of Prometheus, version 0.0.4. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent-api/reply.h"
#include "gateway/server/station.h"

enum { METRICS_BYTES_MAX = 65536 };

static bool is_loopback(struct hl_bytes address)
{
    return hl_bytes_is(address, "::1") ||
           (address.size > 4 && memcmp(address.data, "127.", 4) == 0);
}

static bool may_read(struct hl_house *house, const struct hl_exchange *exchange)
{
    struct hl_bytes value = exchange->headers[HL_HEADER_AUTHORIZATION];
    struct hl_principal key;
    if (atomic_load(&house->metrics_public) || is_loopback(exchange->address))
        return true;
    return value.size > 7 && strncasecmp(value.data, "Bearer ", 7) == 0 &&
           hl_directory_find_secret(house->directory,
                                    (struct hl_bytes){value.data + 7, value.size - 7}, &key) == 0;
}

static void add_u64(struct hl_buffer *out, const char *name, const char *help, uint64_t value)
{
    size_t size = strlen(name);
    bool is_counter = size > 6 && strcmp(name + size - 6, "_total") == 0;
    hl_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name,
                     is_counter ? "counter" : "gauge", name, value);
}

static void add_seconds(struct hl_buffer *out, const char *name, const char *type, const char *help,
                        uint64_t ms)
{
    hl_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 ".%03" PRIu64 "\n", name, help,
                     name, type, name, ms / 1000, ms % 1000);
}

static void add_hub(struct hl_buffer *out, const struct hl_hub_stats *hub)
{
    add_u64(out, "holdline_sessions", "Sessions known to this process.", hub->sessions);
    add_u64(out, "holdline_streams", "WebSocket links attached.", hub->streams);
    add_u64(out, "holdline_polls_parked", "Long-polls waiting for news.", hub->polls_parked);
    add_u64(out, "holdline_links_waiting_hello", "Links that have not said hello.",
            hub->links_waiting_hello);
    add_u64(out, "holdline_frames_in_total", "Frames received.", hub->frames_in);
    add_u64(out, "holdline_frames_out_total", "Frames sent.", hub->frames_out);
    add_u64(out, "holdline_frame_bytes_out_total", "Bytes of frames sent.", hub->bytes_out);
    add_u64(out, "holdline_pubs_total", "Messages submitted by sessions.", hub->pubs);
    add_u64(out, "holdline_pub_errors_total", "Messages of sessions refused.", hub->pub_errors);
    add_u64(out, "holdline_resumes_total", "Attachments resumed where they were.", hub->resumes);
    add_u64(out, "holdline_gaps_total", "Attachments that met trimmed entries.", hub->gaps);
    add_u64(out, "holdline_resets_total", "Attachments told to start over.", hub->resets);
    add_u64(out, "holdline_replays_total", "Pages read from the store for sessions.", hub->replays);
    add_u64(out, "holdline_stalls_total", "Links ended because nothing was acknowledged.",
            hub->stalls);
    add_u64(out, "holdline_fenced_total", "Attachments replaced by newer ones.", hub->fenced);
}

static void add_wire(struct hl_buffer *out, struct hl_house *house)
{
    struct hl_wire_stats wire;
    hl_wire_shared_stats(house->wire, &wire);
    add_u64(out, "holdline_connections", "Connections open.", wire.connections);
    add_u64(out, "holdline_accepted_total", "Connections accepted.", wire.accepted);
    add_u64(out, "holdline_refused_address_total", "Connections over the limit of an address.",
            wire.refused_address);
    add_u64(out, "holdline_refused_connections_total", "Connections over the limit of all.",
            wire.refused_total);
    add_u64(out, "holdline_refused_rate_total", "Connections that came too fast.",
            wire.refused_rate);
    add_u64(out, "holdline_gate_refusals_total", "Requests refused as malformed.",
            wire.gate_refusals);
    add_u64(out, "holdline_http_requests_total", "HTTP requests.", wire.requests);
    add_u64(out, "holdline_http_too_fast_total", "HTTP requests refused as too fast.",
            wire.requests_too_fast);
    add_u64(out, "holdline_websockets_total", "WebSocket handshakes done.", wire.websockets);
    add_u64(out, "holdline_tls_errors_total", "TLS handshakes failed.", wire.tls_errors);
    add_u64(out, "holdline_wire_timeouts_total", "Connections closed as too slow.", wire.timeouts);
    add_u64(out, "holdline_network_in_bytes_total", "Bytes received.", wire.bytes_in);
    add_u64(out, "holdline_network_out_bytes_total", "Bytes sent.", wire.bytes_out);
}

static void add_log(struct hl_buffer *out, struct hl_house *house)
{
    struct hl_log_info info;
    hl_log_info(house->log, &info);
    add_u64(out, "holdline_store_position", "Position of the last entry.", info.position);
    add_u64(out, "holdline_store_epoch", "Epoch of the log; changes with every restore.",
            info.epoch);
    add_u64(out, "holdline_store_queue_depth", "Entries waiting to be stored.", info.queue_depth);
    add_u64(out, "holdline_store_queue_limit", "Entries that may wait.", info.queue_max);
    add_seconds(out, "holdline_store_oldest_wait_seconds", "gauge",
                "Age of the oldest entry waiting to be stored.", info.oldest_wait_ms);
    add_u64(out, "holdline_store_submits_total", "Entries submitted.", info.submits);
    add_u64(out, "holdline_store_duplicates_total", "Entries that were stored before.",
            info.duplicates);
    add_u64(out, "holdline_store_refused_total", "Entries refused.", info.refused);
    add_u64(out, "holdline_store_groups_total", "Commits.", info.groups);
    add_u64(out, "holdline_store_reads_total", "Reads.", info.reads);
    add_seconds(out, "holdline_store_commit_seconds_total", "counter", "Time spent in commits.",
                info.commit_ms_total);
    add_u64(out, "holdline_store_wal_bytes", "Size of the write-ahead log.", info.wal_bytes);
    add_u64(out, "holdline_store_writable", "1 if entries can be stored.", info.writable ? 1 : 0);
    add_u64(out, "holdline_store_failed", "1 after a commit of unknown outcome.",
            info.failed ? 1 : 0);
    add_u64(out, "holdline_disk_free_bytes", "Free space of the data folder.",
            atomic_load(&house->disk_free));
    add_u64(out, "holdline_draining", "1 while going down.",
            atomic_load(&house->is_draining) ? 1 : 0);
}

static void add_index(struct hl_buffer *out, struct hl_house *house)
{
    struct hl_index_stats stats;
    hl_index_stats(house->index, &stats);
    add_u64(out, "holdline_index_position", "Position that lists have reached.", stats.applied);
    add_u64(out, "holdline_index_lag_entries", "Entries that lists do not know yet.",
            stats.log > stats.applied ? stats.log - stats.applied : 0);
    add_u64(out, "holdline_index_entries_total", "Entries applied.", stats.entries);
    add_u64(out, "holdline_index_batches_total", "Transactions of the index.", stats.batches);
    add_u64(out, "holdline_index_rebuilds_total", "Times it was built from the beginning.",
            stats.rebuilds);
    add_u64(out, "holdline_index_reads_total", "Reads answered.", stats.reads);
    add_u64(out, "holdline_index_behind_total", "Reads refused since it was behind.", stats.behind);
    add_u64(out, "holdline_index_refused_total", "Reads refused since too many waited.",
            stats.refused);
}

static uint64_t resident_bytes(void)
{
    unsigned long long n_pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*s %llu", &n_pages) != 1)
        n_pages = 0;
    fclose(file);
    return (uint64_t)n_pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void add_process(struct hl_buffer *out, const struct hl_house *house)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    uint64_t cpu_ms = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                      (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
    hl_buffer_printf(out,
                     "# HELP holdline_build_info Version of the program.\n"
                     "# TYPE holdline_build_info gauge\n"
                     "holdline_build_info{version=\"%s\"} 1\n",
                     HL_VERSION);
    add_seconds(out, "process_cpu_seconds_total", "counter", "CPU time used.", cpu_ms);
    add_u64(out, "process_resident_memory_bytes", "Memory in RAM.", resident_bytes());
    add_seconds(out, "process_start_time_seconds", "gauge", "Start, since 1970.",
                (uint64_t)house->started_ms);
}

static void add_u64_of(uint64_t *sum, const uint64_t *part, size_t n_numbers)
{
    for (size_t i = 0; i < n_numbers; i++)
        sum[i] += part[i];
}

static void sum_stations(struct hl_house *house, struct hl_station_stats *out_sum)
{
    memset(out_sum, 0, sizeof(*out_sum));
    for (size_t i = 0; i < house->n_stations; i++) {
        struct hl_station_stats stats;
        hl_station_stats(house->stations[i], &stats);
        _Static_assert(sizeof(stats) % sizeof(uint64_t) == 0, "counters only");
        add_u64_of((uint64_t *)out_sum, (const uint64_t *)&stats, sizeof(stats) / sizeof(uint64_t));
    }
}

void hl_metrics_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_house *house = arg;
    struct hl_station_stats sum;
    struct hl_buffer out;
    (void)params;
    if (!may_read(house, exchange)) {
        hl_reply_add_text(exchange, "www-authenticate", "Bearer realm=\"holdline\"");
        hl_exchange_problem(exchange, HL_PROBLEM_UNAUTHORIZED,
                            "Metrics are for loopback addresses and API keys.");
        return;
    }
    sum_stations(house, &sum);
    hl_buffer_init(&out, METRICS_BYTES_MAX);
    add_process(&out, house);
    add_hub(&out, &sum.hub);
    add_u64(&out, "holdline_api_requests_total", "Requests to the agents' API.", sum.api.requests);
    add_u64(&out, "holdline_api_unauthorized_total", "Requests without a valid key.",
            sum.api.unauthorized);
    add_u64(&out, "holdline_audit_failures_total", "Accesses that could not be recorded.",
            sum.api.audit_failures);
    add_u64(&out, "holdline_feeds", "Event feeds open.", sum.api.feeds);
    add_u64(&out, "holdline_feed_events_total", "Events given to feeds.", sum.api.feed_events);
    add_u64(&out, "holdline_enquiries_total", "Enquiries stored.", sum.enquiries);
    add_u64(&out, "holdline_enquiries_repeated_total", "Enquiries that came again.",
            sum.enquiries_repeated);
    add_u64(&out, "holdline_enquiries_refused_total", "Enquiries refused.", sum.enquiries_refused);
    add_u64(&out, "holdline_erased_total", "Conversations erased by request.", sum.jobs.erased);
    add_u64(&out, "holdline_expired_total", "Conversations erased by retention.", sum.jobs.expired);
    add_u64(&out, "holdline_erasures_delayed_total", "Steps of erasures to be repeated.",
            sum.jobs.failures);
    add_u64(&out, "holdline_jobs_waiting", "Erasures that are not done.", sum.jobs.waiting);
    add_wire(&out, house);
    add_log(&out, house);
    add_index(&out, house);
    if (hl_buffer_failed(&out))
        hl_exchange_problem(exchange, HL_PROBLEM_INTERNAL, "The metrics do not fit.");
    else
        exchange->ops->answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
                              hl_buffer_bytes(&out));
    hl_buffer_fini(&out);
}
