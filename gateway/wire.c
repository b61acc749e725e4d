#include "gateway/wire.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "gateway/conn.h"
#include "gateway/listener.h"
#include "gateway/wire_state.h"
#include "gateway/ws/ws.h"

enum { TICK_MS = 100, REPLY_HEAD_MAX = 32768 };

static void free_origins(char **origins, size_t n_origins)
{
    for (size_t i = 0; origins != NULL && i < n_origins; i++)
        free(origins[i]);
    free(origins);
}

static int copy_origins(const struct hl_wire_config *config, char ***out_origins)
{
    char **origins;

    HL_CHECK(config->n_origins <= HL_ORIGINS_MAX);
    origins = calloc(config->n_origins + 1, sizeof(*origins));
    if (origins == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < config->n_origins; i++) {
        origins[i] = strdup(config->origins[i]);
        if (origins[i] == NULL) {
            free_origins(origins, config->n_origins);
            return -ENOMEM;
        }
    }
    *out_origins = origins;
    return 0;
}

static void use_origins(struct hl_wire *wire, char **origins, size_t n_origins)
{
    free_origins(wire->origins, wire->config.n_origins);
    wire->origins = origins;
    wire->config.origins = (const char *const *)origins;
    wire->config.n_origins = n_origins;
}

/* 0; *out_tls NULL if the listener is plain. */
static int load_tls(const struct hl_wire_tls *tls, char *why, size_t why_size,
                    struct hl_tls **out_tls)
{
    *out_tls = NULL;
    if (tls->certificate == NULL)
        return 0;
    return hl_tls_create(tls->certificate, tls->key, why, why_size, out_tls);
}

static void on_tick(void *arg)
{
    struct hl_wire *wire = arg;

    hl_conn_check_due(wire);
    hl_ws_check_due(wire->engine);
}

/* Those that asked up to now; who asks meanwhile waits for the next turn. */
static void run_ready(struct hl_task *task)
{
    struct hl_wire *wire = HL_CONTAINER_OF(task, struct hl_wire, ready_task);
    struct hl_list batch;

    hl_list_init(&batch);
    while (!hl_list_is_empty(&wire->ready)) {
        struct hl_list *first = wire->ready.next;

        hl_list_remove(first);
        hl_list_add(&batch, first);
    }
    while (!hl_list_is_empty(&batch)) {
        struct hl_conn *conn = HL_CONTAINER_OF(batch.next, struct hl_conn, ready);

        hl_list_remove(&conn->ready);
        hl_conn_resume(conn);
    }
    hl_wire_check_closed(wire);
}

static void free_wire(struct hl_wire *wire)
{
    hl_tls_destroy(wire->tls);
    free_origins(wire->origins, wire->config.n_origins);
    hl_buffer_fini(&wire->reply);
    free(wire);
}

int hl_wire_create(const struct hl_wire_config *config, char *why, size_t why_size,
                   struct hl_wire **out_wire)
{
    struct hl_wire *wire = calloc(1, sizeof(*wire));
    int r = -ENOMEM;

    why[0] = '\0';
    if (wire == NULL) {
        (void)close(config->listen_fd);
        return -ENOMEM;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of the write */
    wire->config = *config;
    wire->config.n_origins = 0;
    wire->uv = hl_loop_uv_handle(config->loop);
    wire->ready_task.run = run_ready;
    hl_limits_copy(config->shared, &wire->limits);
    hl_buffer_init(&wire->reply, HL_WIRE_SCRATCH_SIZE + REPLY_HEAD_MAX);
    hl_list_init(&wire->conns);
    hl_list_init(&wire->ready);
    for (int due = 0; due < HL_DUE_END; due++)
        hl_list_init(&wire->due[due]);
    r = hl_wire_reload(wire, config, why, why_size);
    if (r == 0)
        r = hl_ws_engine_create(wire, why, why_size, &wire->engine);
    if (r != 0)
        goto fail;
    r = hl_loop_timer_start(config->loop, TICK_MS, on_tick, wire, &wire->timer);
    if (r == 0)
        r = hl_listener_create(wire, &wire->listener);
    if (r != 0)
        goto fail_engine;
    *out_wire = wire;
    return 0;
fail_engine:
    (void)close(config->listen_fd);
    hl_wire_close(wire, NULL, NULL); /* frees in later turns of the loop */
    return r;
fail:
    (void)close(config->listen_fd);
    free_wire(wire);
    return r;
}

int hl_wire_reload(struct hl_wire *wire, const struct hl_wire_config *config, char *why,
                   size_t why_size)
{
    struct hl_tls *tls = NULL;
    char **origins = NULL;
    int r = load_tls(&config->tls, why, why_size, &tls);

    if (r != 0)
        return r;
    r = copy_origins(config, &origins);
    if (r != 0) {
        hl_tls_destroy(tls);
        return r;
    }
    use_origins(wire, origins, config->n_origins);
    wire->proxies = config->proxies != NULL ? *config->proxies : (struct hl_networks){0};
    wire->config.proxies = &wire->proxies;
    wire->config.proxy_header = config->proxy_header;
    if (tls != NULL) {
        hl_tls_destroy(wire->tls);
        wire->tls = tls;
    }
    hl_limits_copy(wire->config.shared, &wire->limits);
    return 0;
}

void hl_wire_stop_accepting(struct hl_wire *wire)
{
    hl_listener_destroy(wire->listener);
    wire->listener = NULL;
    while (!hl_list_is_empty(&wire->due[HL_DUE_IDLE]))
        hl_conn_close(HL_CONTAINER_OF(wire->due[HL_DUE_IDLE].next, struct hl_conn, due_link));
}

void hl_wire_close(struct hl_wire *wire, void (*closed)(void *arg), void *arg)
{
    HL_CHECK(!wire->is_closing);
    wire->closed = closed;
    wire->closed_arg = arg;
    wire->n_handles++; /* this call: nothing is over before its end */
    hl_wire_stop_accepting(wire);
    while (!hl_list_is_empty(&wire->conns))
        hl_conn_close(HL_CONTAINER_OF(wire->conns.next, struct hl_conn, member));
    hl_ws_engine_destroy(wire->engine);
    wire->engine = NULL;
    hl_loop_timer_stop(wire->timer);
    wire->timer = NULL;
    wire->is_closing = true;
    wire->n_handles--;
    hl_wire_check_closed(wire);
}

void hl_wire_check_closed(struct hl_wire *wire)
{
    void (*closed)(void *arg) = wire->closed;
    void *arg = wire->closed_arg;

    /* the task may still be posted after its last connection went */
    if (!wire->is_closing || wire->n_handles > 0 || hl_list_is_linked(&wire->ready_task.link))
        return;
    free_wire(wire);
    if (closed != NULL)
        closed(arg);
}
