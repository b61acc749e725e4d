/* What the main thread does while the gateway runs: signals, reloading, watching for changed
 * keys, and the way down. Thread: the main thread. */
#ifndef HL_GATEWAY_SERVER_CONTROL_H
#define HL_GATEWAY_SERVER_CONTROL_H

#include <signal.h>
#include <time.h>

#include "gateway/data.h"
#include "gateway/server/policy.h"
#include "gateway/server/server.h"
#include "gateway/server/station.h"

/* Sent to the main thread by the log's writer. */
#define HL_CONTROL_STORE_FAILED SIGUSR1

struct hl_server { /* server.c and control.c only */
    const struct hl_server_options *options;
    struct hl_config config; /* in force */
    struct hl_data_paths paths;
    struct hl_house house;
    struct hl_policy policy; /* of the index */
    size_t n_started;        /* stations with a running thread */
    char address[160];
    pthread_t main_thread;
    sigset_t signals; /* blocked; taken by sigtimedwait */
    struct timespec secrets_changed;
    const char *reason; /* why it stops */
    char oidc_secret[HL_SIGNIN_SECRET_SIZE];
    char oidc_redirect[HL_CONFIG_PATH_SIZE + 32];
};

/* Puts what needs no restart into force. */
void hl_control_apply(struct hl_server *server);
/* Measures the free space of the data folder. */
void hl_control_watch_disk(struct hl_server *server);
/* Until told to stop, and then until every station is closed. The exit code. */
int hl_control_run(struct hl_server *server);
/* Orders the started stations to close and waits; ends the process if that takes too long. */
void hl_control_close_stations(struct hl_server *server);

#endif
