/* `idle`: what a connection costs that says nothing. `parked`: what a long-poll session costs
 * while no poll of it is open (sessions are made over a few connections that are closed again).
 * Both print their result, then keep still until stdin ends, so that another generator can
 * measure beside them. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/crowd.h"

static void on_ready(struct speaker *speaker)
{
    ((struct crowd *)speaker->owner)->n_ready++;
}

static void on_acked(struct speaker *speaker, unsigned n)
{
    (void)speaker, (void)n;
}

static void on_closed(struct speaker *speaker)
{
    fprintf(stderr, "idle client %u: connection lost\n", speaker->room);
    exit(2);
}

static const struct speaker_handler handler = {
    .ready = on_ready, .acked = on_acked, .closed = on_closed};

static void keep_still(struct net *net)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, 0) == 0)
        net_step(net, 50000);
}

/* Lets the server come to rest: stops when its CPU time stood still for half a second. */
static void settle(struct net *net, const struct processes *server)
{
    uint64_t deadline = now_us() + 5000000;
    for (uint64_t cpu = UINT64_MAX; now_us() < deadline;) {
        uint64_t now = processes_cpu_us(server);
        if (now == cpu)
            return;
        cpu = now;
        for (uint64_t end = now_us() + 500000; now_us() < end;)
            net_step(net, 100000);
    }
}

int mode_idle(const struct options *options)
{
    struct crowd crowd;
    struct stretch stretch;
    crowd_init(&crowd, options, options->clients, &handler);
    uint64_t before = processes_pss(&options->server);
    stretch_start(&stretch, &options->server);
    crowd_open(&crowd, 0, options->clients, 120);
    stretch_stop(&stretch);
    settle(&crowd.net, &options->server);
    uint64_t after = processes_pss(&options->server);
    printf("{\"mode\":\"idle\",\"clients\":%u,\"bytes_each\":%.0f,\"cpu_us\":%.2f,"
           "\"seconds\":%.3f,\"pss_before\":%llu,\"pss_after\":%llu}\n",
           options->clients, ((double)after - (double)before) / options->clients,
           (double)stretch.cpu_us / options->clients, (double)stretch.us / 1e6,
           (unsigned long long)before, (unsigned long long)after);
    fflush(stdout);
    keep_still(&crowd.net);
    crowd_fini(&crowd);
    return 0;
}

/* -- parked -- */

enum { POLL_CONNS = 16 };

static struct {
    struct net net;
    struct net_conn conns[POLL_CONNS];
    unsigned n_wanted, n_asked, n_answered;
} polls;

static void ask(struct net_conn *conn)
{
    static const char body[] = "{\"rid\":1,\"wait_ms\":0,\"frames\":[{\"t\":\"hello\",\"v\":1}]}";
    if (polls.n_asked == polls.n_wanted)
        return;
    polls.n_asked++;
    net_request(conn, "POST", "/v1/poll", "Content-Type: application/json\r\n", body,
                sizeof body - 1);
}

static size_t on_answer(struct net_conn *conn, const char *data, size_t size)
{
    if (conn->status != 200 || memmem(data, size, "\"welcome\"", 9) == NULL) {
        fprintf(stderr, "poll: status %d: %.*s\n", conn->status, (int)size, data);
        exit(2);
    }
    polls.n_answered++;
    ask(conn);
    return size;
}

static void on_poll_closed(struct net_conn *conn)
{
    (void)conn;
    fputs("poll: connection lost\n", stderr);
    exit(2);
}

static const struct net_handler poll_handler = {ask, on_answer, on_poll_closed};

static void make_sessions(const struct options *options, unsigned n)
{
    polls.n_wanted = n;
    polls.n_asked = polls.n_answered = 0;
    for (unsigned i = 0; i < POLL_CONNS; i++)
        if (net_connect(&polls.net, &polls.conns[i], NET_HTTP, options->port, NULL, &poll_handler,
                        NULL) != 0)
            exit(2);
    uint64_t deadline = now_us() + 120000000;
    while (polls.n_answered < n && now_us() < deadline)
        net_step(&polls.net, 100000);
    for (unsigned i = 0; i < POLL_CONNS; i++)
        net_drop(&polls.conns[i]);
    if (polls.n_answered < n) {
        fprintf(stderr, "only %u of %u sessions in time\n", polls.n_answered, n);
        exit(2);
    }
}

int mode_parked(const struct options *options)
{
    struct stretch stretch;
    if (net_init(&polls.net) != 0)
        return 2;
    make_sessions(options, POLL_CONNS * 4); /* what the first connections cost is not a session's */
    settle(&polls.net, &options->server);
    uint64_t before = processes_pss(&options->server);
    stretch_start(&stretch, &options->server);
    make_sessions(options, options->clients);
    stretch_stop(&stretch);
    settle(&polls.net, &options->server);
    uint64_t after = processes_pss(&options->server);
    printf("{\"mode\":\"parked\",\"clients\":%u,\"bytes_each\":%.0f,\"cpu_us\":%.2f,"
           "\"seconds\":%.3f}\n",
           options->clients, ((double)after - (double)before) / options->clients,
           (double)stretch.cpu_us / options->clients, (double)stretch.us / 1e6);
    fflush(stdout);
    keep_still(&polls.net);
    net_fini(&polls.net);
    return 0;
}
