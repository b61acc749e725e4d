/* holdline-bench: the load generator. One mode per run against a server that is already there;
 * prints one JSON object. The runner (run) starts servers and puts the results together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/crowd.h"

static const struct {
    const char *name;
    int (*run)(const struct options *options);
} modes[] = {{"accept", mode_accept}, {"open", mode_open},     {"pairs", mode_pairs},
             {"fanout", mode_fanout}, {"replay", mode_replay}, {"storm", mode_storm},
             {"idle", mode_idle},     {"parked", mode_parked}, {"consoles", mode_consoles}};

static int usage(void)
{
    fputs("usage: holdline-bench MODE --port N --pid PID[,PID…] [--dialect holdline|nchan|mqtt]\n"
          "         [--key AGENT_KEY] [--clients N] [--inflight N] [--rate N] [--entries N]\n"
          "         [--seconds S]\n"
          "modes: accept open pairs fanout replay storm idle parked consoles\n",
          stderr);
    return 2;
}

static int parse_option(struct options *options, const char *name, const char *value)
{
    unsigned long number = strtoul(value, NULL, 10);
    if (strcmp(name, "--port") == 0)
        options->port = (uint16_t)number;
    else if (strcmp(name, "--pid") == 0)
        return processes_parse(&options->server, value) > 0 ? 0 : -1;
    else if (strcmp(name, "--key") == 0)
        options->key = value;
    else if (strcmp(name, "--clients") == 0)
        options->clients = (unsigned)number;
    else if (strcmp(name, "--inflight") == 0)
        options->inflight = (unsigned)number;
    else if (strcmp(name, "--rate") == 0)
        options->rate = (unsigned)number;
    else if (strcmp(name, "--entries") == 0)
        options->entries = (unsigned)number;
    else if (strcmp(name, "--seconds") == 0)
        options->seconds = strtod(value, NULL);
    else if (strcmp(name, "--dialect") == 0)
        options->dialect_name = value;
    else
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {.clients = 1,
                              .inflight = 1,
                              .rate = 1000,
                              .entries = 1000,
                              .seconds = 2,
                              .dialect_name = "holdline"};
    if (argc < 2 || argc % 2 != 0)
        return usage();
    options.mode = argv[1];
    for (int i = 2; i < argc; i += 2)
        if (parse_option(&options, argv[i], argv[i + 1]) != 0)
            return usage();
    options.dialect = strcmp(options.dialect_name, "nchan") == 0  ? DIALECT_NCHAN
                      : strcmp(options.dialect_name, "mqtt") == 0 ? DIALECT_MQTT
                                                                  : DIALECT_HOLDLINE;
    bool is_sane = options.port != 0 && options.server.n > 0 && options.clients > 0 &&
                   options.clients < 19000 && options.rate > 0 && options.inflight > 0 &&
                   options.inflight < 256 && options.seconds > 0;
    raise_file_limit();
    for (size_t i = 0; is_sane && i < sizeof modes / sizeof *modes; i++)
        if (strcmp(options.mode, modes[i].name) == 0)
            return modes[i].run(&options);
    return usage();
}
