/* holdline-slow-reader: clients that do not read, and what they cost.
 *   stalled: many agents follow a conversation and never read; its visitor goes on talking, and
 *            one agent that does read must be served. Prints memory before and after.
 *   replay:  a long transcript is read by one slow agent; the server's memory is watched. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/crowd.h"
#include "tests/bench/histogram.h"

enum { TEXT_SIZE = 1500, UNDER_WAY = 32, SAMPLE_EVERY = 5000, SLOW_PAUSE_US = 200 };

static struct {
    uint64_t n_acked, n_given, pss_max;
    const struct options *options;
    struct speaker *reader; /* the one that reads */
    bool is_slow;
    struct histogram latencies;
} run;

static void on_ready(struct speaker *speaker)
{
    struct crowd *crowd = speaker->owner;
    crowd->n_ready++;
    if (speaker->role == ROLE_READER && speaker != run.reader)
        net_stall(&speaker->conn);
}

static void on_acked(struct speaker *speaker, unsigned n)
{
    (void)speaker;
    run.n_acked += n;
}

static void sample_memory(void)
{
    uint64_t pss = processes_pss(&run.options->server);
    if (pss > run.pss_max)
        run.pss_max = pss;
}

static void on_given(struct speaker *speaker, const char *text, size_t size)
{
    (void)speaker;
    const char *due = memmem(text, size, "due=", 4);
    run.n_given++;
    if (due != NULL && !run.is_slow)
        histogram_add(&run.latencies, now_us() - strtoull(due + 4, NULL, 10));
    if (run.is_slow && run.n_given % SAMPLE_EVERY == 0)
        sample_memory();
    for (uint64_t end = now_us() + SLOW_PAUSE_US; run.is_slow && now_us() < end;)
        continue; /* a client that is busy with each entry */
}

static void on_closed(struct speaker *speaker)
{
    if (speaker->role == ROLE_READER && speaker != run.reader)
        return; /* slow_consumer: its right */
    fprintf(stderr, "client %u: connection lost\n", speaker->room);
    exit(1);
}

static const struct speaker_handler handler = {
    .ready = on_ready, .acked = on_acked, .given = on_given, .closed = on_closed};

static void say(struct crowd *crowd, unsigned n, size_t size)
{
    char text[TEXT_SIZE + 1];
    uint64_t wanted = run.n_acked + n;
    for (unsigned n_sent = 0; n_sent < n; n_sent++) {
        memset(text, '.', size);
        snprintf(text, sizeof text, "due=%020" PRIu64, now_us());
        text[strlen(text)] = '.';
        speaker_send(&crowd->speakers[0], text, size);
        uint64_t under_way = n - n_sent > UNDER_WAY ? UNDER_WAY : 0;
        if (under_way > 0 && n_sent >= UNDER_WAY)
            crowd_wait(crowd, &run.n_acked, wanted - n + n_sent - UNDER_WAY, 30, "answers");
    }
    crowd_wait(crowd, &run.n_acked, wanted, 30, "answers");
}

static void make_reader(struct crowd *crowd, unsigned i)
{
    crowd->speakers[i].role = ROLE_READER;
    memcpy(crowd->speakers[i].conversation, crowd->speakers[0].conversation,
           sizeof crowd->speakers[i].conversation);
}

static int run_stalled(const struct options *options)
{
    struct crowd crowd;
    crowd_init(&crowd, options, options->clients + 2, &handler);
    crowd_open(&crowd, 0, 1, 10);
    say(&crowd, 1, TEXT_SIZE);
    for (unsigned i = 1; i < options->clients + 2; i++)
        make_reader(&crowd, i);
    run.reader = &crowd.speakers[1];
    crowd_open(&crowd, 1, 1, 10);
    crowd_open(&crowd, 2, options->clients, 120);
    uint64_t before = processes_pss(&options->server);
    uint64_t n_before = run.n_given;
    for (unsigned i = 0; i < options->entries; i += 50) {
        say(&crowd, 50, TEXT_SIZE);
        sample_memory();
    }
    crowd_wait(&crowd, &run.n_given, n_before + options->entries, 30, "deliveries to who reads");
    printf("{\"stalled\":%u,\"entries\":%u,\"pss_before\":%" PRIu64 ",\"pss_max\":%" PRIu64
           ",\"bytes_each\":%.0f,\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64 "}\n",
           options->clients, options->entries, before, run.pss_max,
           run.pss_max > before ? (double)(run.pss_max - before) / options->clients : 0.0,
           histogram_at(&run.latencies, 0.5), histogram_at(&run.latencies, 0.99));
    crowd_fini(&crowd);
    return 0;
}

static int run_replay(const struct options *options)
{
    struct crowd crowd;
    crowd_init(&crowd, options, 2, &handler);
    crowd_open(&crowd, 0, 1, 10);
    uint64_t start = now_us();
    for (unsigned i = 0; i < options->entries; i += 1000)
        say(&crowd, 1000, 64);
    double write_s = (double)(now_us() - start) / 1e6;
    make_reader(&crowd, 1);
    run.reader = &crowd.speakers[1];
    run.is_slow = true;
    uint64_t before = processes_pss(&options->server);
    start = now_us();
    if (speaker_open(&crowd.speakers[1], &crowd.config) != 0)
        return 1;
    crowd_wait(&crowd, &run.n_given, options->entries, 300, "replayed entries");
    printf("{\"entries\":%u,\"write_s\":%.1f,\"replay_s\":%.1f,\"pss_before\":%" PRIu64
           ",\"pss_max\":%" PRIu64 "}\n",
           options->entries, write_s, (double)(now_us() - start) / 1e6, before, run.pss_max);
    crowd_fini(&crowd);
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {.dialect = DIALECT_HOLDLINE};
    if (argc != 7 || processes_parse(&options.server, argv[3]) == 0) {
        fputs("usage: holdline-slow-reader stalled|replay PORT PID AGENT_KEY CLIENTS ENTRIES\n",
              stderr);
        return 2;
    }
    options.port = (uint16_t)strtoul(argv[2], NULL, 10);
    options.key = argv[4];
    options.clients = (unsigned)strtoul(argv[5], NULL, 10);
    options.entries = (unsigned)strtoul(argv[6], NULL, 10);
    run.options = &options;
    raise_file_limit();
    return strcmp(argv[1], "stalled") == 0 ? run_stalled(&options) : run_replay(&options);
}
