/* holdline-growth: what submits and page reads cost in the real engine as its store grows, up
 * to 10,000,000 entries. A thousand conversations are alive at a time, a hundred entries each.
 * CPU is that of the whole process: writer, readers, and this driver. One JSON line per figure. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/log_sqlite.h"
#include "tests/bench/histogram.h"
#include "tests/bench/process.h"
#include "tests/support/fake_loop.h"

enum { ALIVE = 1000, ENTRIES_EACH = 100, PAGE = 50, READS = 4000, SUBMITS_MAX = 1024 };

static const char body[] =
    "{\"text\":\"sixty-four bytes of what a visitor might have to say to an agent\"}";

struct slot { /* one submit under way */
    struct hl_log_submit submit;
    struct hl_log_opening opening;
    char reference[HL_REFERENCE_SIZE_MAX + 1];
    uint64_t start_us;
    bool is_busy;
};

static struct {
    struct hl_log *log;
    struct hl_fake_loop loop;
    struct slot slots[SUBMITS_MAX];
    uint64_t n_done, n_sent, random;
    uint32_t n_conversations;
    struct {
        uint32_t number, n_entries;
    } alive[ALIVE];
    struct histogram latencies;
    bool is_woken;
} run;

static uint64_t next_random(void)
{
    run.random ^= run.random << 13;
    run.random ^= run.random >> 7;
    run.random ^= run.random << 17;
    return run.random;
}

static void make_id(uint32_t number, struct hl_id *out)
{
    uint64_t mixed = number * 0x9E3779B97F4A7C15U;
    for (int i = 0; i < 8; i++)
        out->b[i] = (uint8_t)((uint64_t)number >> (8 * (7 - i)));
    memcpy(out->b + 8, &mixed, 8);
}

static void on_done(struct hl_log_submit *submit, int r)
{
    struct slot *slot = HL_CONTAINER_OF(submit, struct slot, submit);
    if (r != 0) {
        fprintf(stderr, "submit: %d\n", r);
        exit(1);
    }
    hl_entry_unref(submit->entry);
    histogram_add(&run.latencies, now_us() - slot->start_us);
    slot->is_busy = false;
    run.n_done++;
    run.is_woken = true;
}

static void submit_one(struct slot *slot)
{
    unsigned i = (unsigned)(next_random() % ALIVE);
    char mid[40];
    if (run.alive[i].n_entries >= ENTRIES_EACH) {
        run.alive[i].number = ++run.n_conversations;
        run.alive[i].n_entries = 0;
    }
    run.alive[i].n_entries++;
    int mid_size = snprintf(mid, sizeof mid, "%08x-0000-4000-8000-%012" PRIx64,
                            (unsigned)next_random(), run.n_sent++);
    struct hl_entry_fields fields = {
        .kind = HL_ENTRY_MESSAGE,
        .mid = {mid, (size_t)mid_size},
        .body = {body, sizeof body - 1},
    };
    make_id(run.alive[i].number, &fields.conversation);
    fields.author.role = HL_ROLE_VISITOR;
    fields.author.id = fields.conversation;
    memset(&slot->submit, 0, sizeof slot->submit);
    snprintf(slot->reference, sizeof slot->reference, "HL-%08X", run.alive[i].number);
    slot->opening.site = hl_bytes_of("bench");
    slot->opening.reference = hl_bytes_of(slot->reference);
    slot->submit.loop = &run.loop.loop;
    slot->submit.done = on_done;
    slot->submit.entry = hl_entry_create(&fields);
    slot->submit.opening = &slot->opening;
    slot->start_us = now_us();
    slot->is_busy = true;
    if (slot->submit.entry == NULL || hl_log_submit(run.log, &slot->submit) != 0) {
        fputs("submit was not taken\n", stderr);
        exit(1);
    }
}

/* Keeps `window` submits under way until `n` more are done, or `seconds` are over. */
static uint64_t submit_many(uint64_t n, unsigned window, double seconds)
{
    uint64_t start = run.n_done, n_sent = 0, end = now_us() + (uint64_t)(seconds * 1e6);
    while (run.n_done - start < n) {
        bool is_time = now_us() < end;
        for (unsigned i = 0; i < window && n_sent < n && is_time; i++)
            if (!run.slots[i].is_busy) {
                submit_one(&run.slots[i]);
                n_sent++;
            }
        if (!is_time && run.n_done - start == n_sent)
            break;
        run.is_woken = hl_fake_loop_run_all(&run.loop) > 0;
        if (!hl_fake_loop_run_until(&run.loop, &run.is_woken))
            exit(1);
    }
    return run.n_done - start;
}

static uint64_t own_cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000U +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void measure_submits(unsigned window, double seconds)
{
    memset(&run.latencies, 0, sizeof run.latencies);
    uint64_t size = run.n_done, start = now_us(), cpu = own_cpu_us();
    uint64_t n = submit_many(UINT64_MAX, window, seconds);
    printf("{\"figure\":\"submit\",\"size\":%" PRIu64 ",\"window\":%u,\"cpu_us\":%.2f,"
           "\"per_s\":%.0f,\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64 "}\n",
           size, window, (double)(own_cpu_us() - cpu) / (double)n,
           (double)n * 1e6 / (double)(now_us() - start), histogram_at(&run.latencies, 0.5),
           histogram_at(&run.latencies, 0.99));
    fflush(stdout);
}

static void on_read(struct hl_log_read *read, int r)
{
    if (r != 0) {
        fprintf(stderr, "read: %d\n", r);
        exit(1);
    }
    run.is_woken = true;
    (void)read;
}

static void measure_reads(void)
{
    memset(&run.latencies, 0, sizeof run.latencies);
    uint64_t cpu = own_cpu_us(), n_rows = 0;
    for (unsigned i = 0; i < READS; i++) {
        struct hl_log_read read = {
            .loop = &run.loop.loop, .done = on_read, .limit = PAGE, .bytes_max = 65536};
        make_id((uint32_t)(next_random() % run.n_conversations) + 1, &read.conversation);
        read.after = next_random() % PAGE;
        uint64_t start = now_us();
        run.is_woken = false;
        if (hl_log_read(run.log, &read) != 0 || !hl_fake_loop_run_until(&run.loop, &run.is_woken))
            exit(1);
        histogram_add(&run.latencies, now_us() - start);
        n_rows += read.batch->n_entries;
        hl_batch_unref(read.batch);
    }
    printf("{\"figure\":\"read\",\"size\":%" PRIu64 ",\"page\":%.1f,\"cpu_us\":%.1f,"
           "\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64 "}\n",
           run.n_done, (double)n_rows / READS, (double)(own_cpu_us() - cpu) / READS,
           histogram_at(&run.latencies, 0.5), histogram_at(&run.latencies, 0.99));
    fflush(stdout);
}

static void measure_growth(uint64_t size_max, double seconds)
{
    for (uint64_t size = 10000; size <= size_max; size *= 10) {
        if (run.n_done < size)
            submit_many(size - run.n_done, SUBMITS_MAX, 1e6);
        measure_reads();
        measure_submits(64, seconds);
        measure_submits(512, seconds);
    }
}

int main(int argc, char **argv)
{
    char path[1024], why[256] = "";
    if (argc != 4) {
        fputs("usage: holdline-growth FOLDER ENTRIES_MAX SECONDS\n", stderr);
        return 2;
    }
    snprintf(path, sizeof path, "%s/growth.db", argv[1]);
    static const uint8_t key[32] = {1};
    struct hl_log_sqlite_config config = {
        .path = path, .clock = hl_clock_system(), .chain_key = key, .region_key = key};
    run.random = 88172645463325252U;
    hl_fake_loop_init(&run.loop);
    int r = hl_log_sqlite_open(&config, why, sizeof why, &run.log);
    if (r != 0) {
        fprintf(stderr, "open: %d %s\n", r, why);
        return 1;
    }
    for (unsigned i = 0; i < ALIVE; i++) { /* of all ages */
        run.alive[i].number = ++run.n_conversations;
        run.alive[i].n_entries = (uint32_t)(next_random() % ENTRIES_EACH);
    }
    measure_growth(strtoull(argv[2], NULL, 10), strtod(argv[3], NULL));
    hl_log_close(run.log);
    hl_fake_loop_run_all(&run.loop);
    hl_fake_loop_fini(&run.loop);
    struct stat file = {0};
    if (stat(path, &file) == 0)
        printf("{\"figure\":\"file\",\"size\":%" PRIu64 ",\"bytes_each\":%.0f}\n", run.n_done,
               (double)file.st_size / (double)run.n_done);
    const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(path, sizeof path, "%s/growth.db%s", argv[1], suffixes[i]);
        unlink(path);
    }
    return 0;
}
