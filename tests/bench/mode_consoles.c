/* `consoles`: agents' consoles that follow the feed of everything as event streams and read it;
 * says so when all are there, then reads until stdin ends, so that another generator can measure
 * beside them. Prints how many events they were told. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/crowd.h"

static struct {
    struct net net;
    const char *key;
    unsigned n_open;
    uint64_t n_events;
} run;

static void ask(struct net_conn *conn)
{
    char request[512];
    int n = snprintf(request, sizeof request,
                     "GET /v1/events HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n"
                     "Authorization: Bearer %s\r\n\r\n",
                     run.key);
    net_send(conn, request, (size_t)n);
}

/* The first answer holds the stream's first line; events are counted by their start. */
static size_t on_data(struct net_conn *conn, const char *data, size_t size)
{
    static const char start[] = "\"type\":\"";
    if (conn->owner == NULL) {
        if (size < 12 || memcmp(data, "HTTP/1.1 200", 12) != 0) {
            fprintf(stderr, "consoles: %.*s\n", (int)(size < 60 ? size : 60), data);
            exit(2);
        }
        conn->owner = conn;
        run.n_open++;
    }
    for (const char *at = data, *end = data + size;
         (at = memmem(at, (size_t)(end - at), start, sizeof start - 1)) != NULL; at++)
        run.n_events++;
    return size;
}

static void on_closed(struct net_conn *conn)
{
    (void)conn;
    fputs("consoles: connection lost\n", stderr);
    exit(2);
}

static const struct net_handler handler = {ask, on_data, on_closed};

int mode_consoles(const struct options *options)
{
    struct net_conn *conns = calloc(options->clients, sizeof *conns);
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t deadline = now_us() + 30000000;
    run.key = options->key;
    if (conns == NULL || run.key == NULL || net_init(&run.net) != 0)
        return 2;
    for (unsigned i = 0; i < options->clients; i++)
        net_connect(&run.net, &conns[i], NET_RAW, options->port, NULL, &handler, NULL);
    while (run.n_open < options->clients && now_us() < deadline)
        net_step(&run.net, 50000);
    printf("ready %u\n", run.n_open);
    fflush(stdout);
    while (poll(&input, 1, 0) == 0)
        net_step(&run.net, 50000);
    printf("{\"mode\":\"consoles\",\"clients\":%u,\"events\":%llu}\n", run.n_open,
           (unsigned long long)run.n_events);
    for (unsigned i = 0; i < options->clients; i++)
        net_drop(&conns[i]);
    net_fini(&run.net);
    free(conns);
    return 0;
}
