/* Delivery: `pairs` sends from each sender to its own reader, `fanout` from one sender to many
 * readers; open loop at a fixed rate of messages, latency from the moment a message was due to
 * the moment its reader had it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/crowd.h"
#include "tests/bench/histogram.h"

static struct {
    uint64_t n_acked, n_given, n_sent;
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
    (void)speaker;
    const char *due = memmem(text, size, "due=", 4);
    run.n_given++;
    if (due != NULL)
        histogram_add(&run.latencies, now_us() - strtoull(due + 4, NULL, 10));
}

static void on_closed(struct speaker *speaker)
{
    fprintf(stderr, "client %u: connection lost\n", speaker->room);
}

static const struct speaker_handler handler = {
    .ready = on_ready, .acked = on_acked, .given = on_given, .closed = on_closed};

static void send_due(struct speaker *speaker, uint64_t due_us)
{
    char text[96];
    int n = snprintf(text, sizeof text, "due=%020llu and then some words to make it sixty-four",
                     (unsigned long long)due_us);
    speaker_send(speaker, text, (size_t)n);
    run.n_sent++;
}

static void run_for(struct crowd *crowd, unsigned n_senders, unsigned rate, double seconds)
{
    uint64_t start = now_us(), end = start + (uint64_t)(seconds * 1e6), n = 0;
    for (uint64_t now = start; now < end; now = now_us()) {
        uint64_t due = start + n * 1000000U / rate;
        for (; due <= now; due = start + n * 1000000U / rate)
            send_due(&crowd->speakers[n++ % n_senders], due);
        net_step(&crowd->net, due < end ? due - now : end - now);
    }
}

static int run_mode(const struct options *options, unsigned n_senders, unsigned n_readers)
{
    struct crowd crowd;
    struct stretch stretch;
    crowd_init(&crowd, options, n_senders + n_readers, &handler);
    crowd_open(&crowd, 0, n_senders, 60);
    if (options->dialect == DIALECT_HOLDLINE) { /* a conversation is there with its first entry */
        for (unsigned i = 0; i < n_senders; i++)
            send_due(&crowd.speakers[i], now_us());
        crowd_wait(&crowd, &run.n_acked, n_senders, 30, "first messages");
    }
    for (unsigned i = 0; i < n_readers; i++) {
        struct speaker *sender = &crowd.speakers[i % n_senders];
        struct speaker *reader = &crowd.speakers[n_senders + i];
        reader->role = ROLE_READER;
        reader->room = sender->room;
        reader->resume_at = sender->offset;
        memcpy(reader->conversation, sender->conversation, sizeof reader->conversation);
    }
    crowd_open(&crowd, n_senders, n_readers, 60);
    run_for(&crowd, n_senders, options->rate, options->seconds / 4);
    memset(&run.latencies, 0, sizeof run.latencies);
    uint64_t n_before = run.n_given;
    stretch_start(&stretch, &options->server);
    run_for(&crowd, n_senders, options->rate, options->seconds);
    stretch_stop(&stretch);
    uint64_t n = run.n_given - n_before;
    printf("{\"mode\":\"%s\",\"senders\":%u,\"readers\":%u,\"rate\":%u,\"units\":%llu,"
           "\"per_s\":%.1f,\"cpu_us\":%.2f,\"cpu_share\":%.3f,\"p50_us\":%llu,\"p99_us\":%llu,"
           "\"p999_us\":%llu}\n",
           options->mode, n_senders, n_readers, options->rate, (unsigned long long)n,
           (double)n * 1e6 / (double)stretch.us, n == 0 ? 0 : (double)stretch.cpu_us / (double)n,
           (double)stretch.cpu_us / (double)stretch.us,
           (unsigned long long)histogram_at(&run.latencies, 0.5),
           (unsigned long long)histogram_at(&run.latencies, 0.99),
           (unsigned long long)histogram_at(&run.latencies, 0.999));
    crowd_fini(&crowd);
    return n == 0 ? 2 : 0;
}

int mode_pairs(const struct options *options)
{
    return run_mode(options, options->clients, options->clients);
}

int mode_fanout(const struct options *options)
{
    return run_mode(options, 1, options->clients);
}
