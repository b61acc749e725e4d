/* The running gateway: brings up what `holdline serve` needs, waits for signals, takes it
 * down in reverse. Thread: the main thread. */
#ifndef HL_GATEWAY_SERVER_SERVER_H
#define HL_GATEWAY_SERVER_SERVER_H

#include "gateway/config.h"

struct hl_server_options {
    const struct hl_config *config; /* checked */
    /* Reads the configuration again, with the options of the command line, and checks it.
     * As hl_config_load. */
    int (*reload)(void *arg, struct hl_config *out_config, struct hl_config_report *report);
    void *arg;
};

/* Returns the exit code (gateway/command/command.h) once everything is down; the last line of
 * the log says why it stopped. */
int hl_server_run(const struct hl_server_options *options);

#endif
