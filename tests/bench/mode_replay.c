/* `replay`: one transcript is written, then every client reads all of it from offset 0,
 * acknowledging as it goes. `storm`: many visitors with their own short transcripts lose the
 * server to kill -9 and all come back at once. The runner restarts the server: the mode prints
 * "ready" and reads "PORT PID" from stdin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/crowd.h"
#include "tests/bench/histogram.h"

enum { MISSED = 10, UNDER_WAY_MAX = 128 };

static struct {
    uint64_t n_acked, n_given, n_level, n_lost;
    uint64_t wanted; /* offset of the transcript's end */
    uint64_t start_us;
    struct histogram latencies;
} run;

static void on_ready(struct speaker *speaker)
{
    ((struct crowd *)speaker->owner)->n_ready++;
}

static void on_acked(struct speaker *speaker, unsigned n)
{
    (void)speaker;
    run.n_acked += n;
}

static void on_given(struct speaker *speaker, const char *text, size_t size)
{
    (void)speaker, (void)text, (void)size;
    run.n_given++;
}

static void on_synced(struct speaker *speaker)
{
    if (run.start_us == 0 || speaker->offset < run.wanted)
        return;
    run.n_level++;
    histogram_add(&run.latencies, now_us() - run.start_us);
}

static void on_closed(struct speaker *speaker)
{
    struct crowd *crowd = speaker->owner;
    crowd->n_ready--;
    run.n_lost++;
}

static const struct speaker_handler handler = {.ready = on_ready,
                                               .acked = on_acked,
                                               .given = on_given,
                                               .synced = on_synced,
                                               .closed = on_closed};

static void write_entries(struct crowd *crowd, unsigned n_senders, unsigned n_each)
{
    static const char text[] = "sixty-four bytes of what a visitor might have to say to an agent";
    uint64_t wanted = (uint64_t)n_senders * n_each, n_sent = 0;
    while (n_sent < wanted) {
        while (n_sent < wanted && n_sent - run.n_acked < UNDER_WAY_MAX)
            speaker_send(&crowd->speakers[n_sent++ % n_senders], text, sizeof text - 1);
        uint64_t n_before = run.n_acked;
        crowd_wait(crowd, &run.n_acked, n_before + 1, 30, "writing the transcript");
    }
    crowd_wait(crowd, &run.n_acked, wanted, 30, "writing the transcript");
}

static void print_result(const struct options *options, const struct stretch *stretch,
                         uint64_t n_units)
{
    printf("{\"mode\":\"%s\",\"clients\":%u,\"units\":%llu,\"given\":%llu,\"seconds\":%.3f,"
           "\"per_s\":%.1f,\"cpu_us\":%.2f,\"p50_us\":%llu,\"p99_us\":%llu,\"max_us\":%llu}\n",
           options->mode, options->clients, (unsigned long long)n_units,
           (unsigned long long)run.n_given, (double)stretch->us / 1e6,
           (double)n_units * 1e6 / (double)stretch->us, (double)stretch->cpu_us / (double)n_units,
           (unsigned long long)histogram_at(&run.latencies, 0.5),
           (unsigned long long)histogram_at(&run.latencies, 0.99),
           (unsigned long long)run.latencies.max_us);
    fflush(stdout);
}

int mode_replay(const struct options *options)
{
    struct crowd crowd;
    struct stretch stretch;
    crowd_init(&crowd, options, 1 + options->clients, &handler);
    crowd_open(&crowd, 0, 1, 30);
    write_entries(&crowd, 1, options->entries);
    run.wanted = options->entries;
    for (unsigned i = 1; i <= options->clients; i++) {
        crowd.speakers[i].role = ROLE_READER;
        memcpy(crowd.speakers[i].conversation, crowd.speakers[0].conversation,
               sizeof crowd.speakers[i].conversation);
    }
    stretch_start(&stretch, &options->server);
    run.start_us = stretch.start_us;
    for (unsigned i = 1; i <= options->clients; i++)
        speaker_open(&crowd.speakers[i], &crowd.config);
    crowd_wait(&crowd, &run.n_given, (uint64_t)options->clients * options->entries, 120, "replay");
    stretch_stop(&stretch);
    print_result(options, &stretch, run.n_given);
    crowd_fini(&crowd);
    return 0;
}

static void wait_for_restart(struct crowd *crowd, struct processes *server)
{
    char line[128];
    puts("ready");
    fflush(stdout);
    crowd_wait(crowd, &run.n_lost, crowd->n_speakers, 30, "connections lost");
    if (fgets(line, sizeof line, stdin) == NULL)
        exit(2);
    char *pid = NULL;
    line[strcspn(line, "\n")] = '\0';
    crowd->config.port = (uint16_t)strtoul(line, &pid, 10);
    if (*pid != ' ' || processes_parse(server, pid + 1) == 0) {
        fputs("expected PORT PID\n", stderr);
        exit(2);
    }
}

int mode_storm(const struct options *options)
{
    struct crowd crowd;
    struct stretch stretch;
    struct processes server = options->server;
    crowd_init(&crowd, options, options->clients, &handler);
    for (unsigned i = 0; i < options->clients; i++)
        crowd.speakers[i].keeps_token = true;
    crowd_open(&crowd, 0, options->clients, 60);
    write_entries(&crowd, options->clients, MISSED);
    wait_for_restart(&crowd, &server);
    run.wanted = MISSED;
    for (unsigned i = 0; i < options->clients; i++)
        crowd.speakers[i].offset = 0;
    stretch_start(&stretch, &server);
    run.start_us = stretch.start_us;
    crowd_open(&crowd, 0, options->clients, 60);
    crowd_wait(&crowd, &run.n_level, options->clients, 60, "level clients");
    stretch_stop(&stretch);
    print_result(options, &stretch, options->clients);
    crowd_fini(&crowd);
    return run.n_given == (uint64_t)options->clients * MISSED ? 0 : 2;
}
