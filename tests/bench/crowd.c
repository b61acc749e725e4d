#include "tests/bench/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPENING_MAX = 256 };

void crowd_init(struct crowd *crowd, const struct options *options, unsigned n_speakers,
                const struct speaker_handler *handler)
{
    memset(crowd, 0, sizeof *crowd);
    crowd->n_speakers = n_speakers;
    crowd->speakers = calloc(n_speakers, sizeof *crowd->speakers);
    if (crowd->speakers == NULL || net_init(&crowd->net) != 0) {
        fputs("cannot start\n", stderr);
        exit(2);
    }
    crowd->config = (struct speaker_config){.net = &crowd->net,
                                            .handler = handler,
                                            .dialect = options->dialect,
                                            .port = options->port,
                                            .key = options->key};
    for (unsigned i = 0; i < n_speakers; i++) {
        crowd->speakers[i].owner = crowd;
        crowd->speakers[i].room = i + 1;
        crowd->speakers[i].mid_seed = (uint32_t)getpid() ^ (uint32_t)(now_us() >> 10);
    }
}

void crowd_fini(struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->n_speakers; i++)
        speaker_drop(&crowd->speakers[i]);
    free(crowd->speakers);
    net_fini(&crowd->net);
}

void crowd_open(struct crowd *crowd, unsigned first, unsigned n, double seconds)
{
    uint64_t deadline = now_us() + (uint64_t)(seconds * 1e6);
    unsigned n_opened = 0, n_before = crowd->n_ready;
    while (crowd->n_ready - n_before < n) {
        while (n_opened < n && n_opened - (crowd->n_ready - n_before) < OPENING_MAX) {
            if (speaker_open(&crowd->speakers[first + n_opened], &crowd->config) != 0) {
                perror("connect");
                exit(2);
            }
            n_opened++;
        }
        net_step(&crowd->net, 100000);
        if (now_us() > deadline) {
            fprintf(stderr, "only %u of %u clients were ready in time\n", crowd->n_ready - n_before,
                    n);
            exit(2);
        }
    }
}

void crowd_wait(struct crowd *crowd, const uint64_t *counter, uint64_t wanted, double seconds,
                const char *what)
{
    uint64_t deadline = now_us() + (uint64_t)(seconds * 1e6);
    while (*counter < wanted) {
        net_step(&crowd->net, 100000);
        if (now_us() > deadline) {
            fprintf(stderr, "%s: only %llu of %llu in time\n", what, (unsigned long long)*counter,
                    (unsigned long long)wanted);
            exit(2);
        }
    }
}

void stretch_start(struct stretch *stretch, const struct processes *server)
{
    stretch->server = server;
    stretch->start_us = now_us();
    stretch->start_cpu_us = processes_cpu_us(server);
}

void stretch_stop(struct stretch *stretch)
{
    stretch->us = now_us() - stretch->start_us;
    stretch->cpu_us = processes_cpu_us(stretch->server) - stretch->start_cpu_us;
}
