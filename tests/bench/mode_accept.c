/* Senders that wait for their acknowledgements: closed loop (`accept`: each keeps so many under
 * way), or open loop (`open`: a fixed rate over all, latency from the moment it was due). */
#include <stdio.h>
#include <string.h>

#include "tests/bench/crowd.h"
#include "tests/bench/histogram.h"

static const char text[] = "sixty-four bytes of what a visitor might have to say to an agent";

static struct {
    uint64_t n_acked;
    bool is_open_loop, is_over;
    struct histogram latencies;
    struct { /* sends under way per speaker, oldest first */
        uint64_t due_us[256];
        uint8_t first, n;
    } queues[20000];
} run;

static unsigned number_of(const struct speaker *speaker)
{
    return speaker->room - 1;
}

static void send_one(struct speaker *speaker, uint64_t due_us)
{
    unsigned i = number_of(speaker);
    run.queues[i].due_us[(uint8_t)(run.queues[i].first + run.queues[i].n++)] = due_us;
    speaker_send(speaker, text, sizeof text - 1);
}

static void on_ready(struct speaker *speaker)
{
    ((struct crowd *)speaker->owner)->n_ready++;
}

static void on_acked(struct speaker *speaker, unsigned n)
{
    unsigned i = number_of(speaker);
    for (; n > 0 && run.queues[i].n > 0; n--) {
        uint64_t now = now_us();
        histogram_add(&run.latencies, now - run.queues[i].due_us[run.queues[i].first++]);
        run.queues[i].n--;
        run.n_acked++;
        if (!run.is_open_loop && !run.is_over)
            send_one(speaker, now);
    }
}

static void on_closed(struct speaker *speaker)
{
    fprintf(stderr, "sender %u: connection lost\n", speaker->room);
}

static const struct speaker_handler handler = {
    .ready = on_ready, .acked = on_acked, .closed = on_closed};

/* Sends what is due since the last call; returns when the next is due. */
static uint64_t pump(struct crowd *crowd, unsigned rate, uint64_t start_us, uint64_t *n_sent)
{
    uint64_t now = now_us();
    for (;;) {
        uint64_t due = start_us + *n_sent * 1000000U / rate;
        if (due > now)
            return due - now;
        struct speaker *speaker = &crowd->speakers[*n_sent % crowd->n_speakers];
        if (run.queues[number_of(speaker)].n < 255)
            send_one(speaker, due);
        (*n_sent)++;
    }
}

static void run_for(struct crowd *crowd, const struct options *options, double seconds)
{
    uint64_t start = now_us(), end = start + (uint64_t)(seconds * 1e6), n_sent = 0;
    for (uint64_t now = start; now < end; now = now_us()) {
        uint64_t wait = end - now;
        if (run.is_open_loop) {
            uint64_t due = pump(crowd, options->rate, start, &n_sent);
            wait = due < wait ? due : wait;
        }
        net_step(&crowd->net, wait);
    }
}

static int run_mode(const struct options *options)
{
    struct crowd crowd;
    struct stretch stretch;
    crowd_init(&crowd, options, options->clients, &handler);
    crowd_open(&crowd, 0, options->clients, 60);
    for (unsigned i = 0; !run.is_open_loop && i < options->clients; i++)
        for (unsigned k = 0; k < options->inflight; k++)
            send_one(&crowd.speakers[i], now_us());
    run_for(&crowd, options, options->seconds / 4);
    memset(&run.latencies, 0, sizeof run.latencies);
    uint64_t n_before = run.n_acked;
    stretch_start(&stretch, &options->server);
    run_for(&crowd, options, options->seconds);
    stretch_stop(&stretch);
    uint64_t n = run.n_acked - n_before;
    run.is_over = true;
    printf("{\"mode\":\"%s\",\"clients\":%u,\"inflight\":%u,\"rate\":%u,\"units\":%llu,"
           "\"per_s\":%.1f,\"cpu_us\":%.2f,\"cpu_share\":%.3f,\"p50_us\":%llu,\"p99_us\":%llu,"
           "\"p999_us\":%llu}\n",
           options->mode, options->clients, options->inflight, options->rate, (unsigned long long)n,
           (double)n * 1e6 / (double)stretch.us, n == 0 ? 0 : (double)stretch.cpu_us / (double)n,
           (double)stretch.cpu_us / (double)stretch.us,
           (unsigned long long)histogram_at(&run.latencies, 0.5),
           (unsigned long long)histogram_at(&run.latencies, 0.99),
           (unsigned long long)histogram_at(&run.latencies, 0.999));
    crowd_fini(&crowd);
    return n == 0 ? 2 : 0;
}

int mode_accept(const struct options *options)
{
    return run_mode(options);
}

int mode_open(const struct options *options)
{
    run.is_open_loop = true;
    return run_mode(options);
}
