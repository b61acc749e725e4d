/* Floor: libwebsockets on libuv as cheap as it gets (small receive buffer, no timers of its
 * own, written straight from the receive callback), answering the bench's frames. Nothing is
 * stored: the difference to floor_epoll without a store is what the library costs. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <libwebsockets.h>
#include <uv.h>

enum { RX_SIZE = 512, FRAME_MAX = 2048 };

struct session { /* allocated by the library with the connection */
    uint32_t number;
    uint32_t in_size;
    uint64_t offset;
    char *in;  /* a message in pieces */
    char *out; /* what could not be written at once */
    size_t out_size;
};

static void write_text(struct lws *wsi, struct session *session, const char *text, size_t size)
{
    unsigned char frame[LWS_PRE + FRAME_MAX];
    if (session->out == NULL && !lws_partial_buffered(wsi) && !lws_send_pipe_choked(wsi)) {
        memcpy(frame + LWS_PRE, text, size);
        lws_write(wsi, frame + LWS_PRE, size, LWS_WRITE_TEXT);
        return;
    }
    char *out = realloc(session->out, LWS_PRE + size);
    if (out == NULL)
        abort();
    memcpy(out + LWS_PRE, text, size);
    session->out = out;
    session->out_size = size;
    lws_callback_on_writable(wsi);
}

static void answer(struct lws *wsi, struct session *session, const char *text, size_t size)
{
    char out[FRAME_MAX];
    const char *mid = memmem(text, size, "\"mid\":\"", 7);
    int n;
    if (mid != NULL)
        n = snprintf(
            out, sizeof out,
            "{\"t\":\"pub_ok\",\"mid\":\"%.36s\",\"c\":\"cnv_%032x\",\"e\":\"1\",\"o\":%" PRIu64
            ",\"ts\":\"2026-01-01T00:00:00.000Z\",\"dup\":false,\"dur\":\"local\"}",
            mid + 7, session->number, ++session->offset);
    else if (memmem(text, size, "\"t\":\"hello\"", 11) != NULL)
        n = snprintf(
            out, sizeof out,
            "{\"t\":\"welcome\",\"v\":1,\"conv\":[{\"c\":\"cnv_%032x\",\"verdict\":\"resumed\","
            "\"e\":\"1\",\"head\":0,\"floor\":0}]}",
            session->number);
    else
        return;
    write_text(wsi, session, out, (size_t)n);
}

static void take_piece(struct lws *wsi, struct session *session, const char *data, size_t size)
{
    bool is_end = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
    if (is_end && session->in == NULL) {
        answer(wsi, session, data, size);
        return;
    }
    session->in = realloc(session->in, session->in_size + size);
    if (session->in == NULL)
        abort();
    memcpy(session->in + session->in_size, data, size);
    session->in_size += (uint32_t)size;
    if (!is_end)
        return;
    answer(wsi, session, session->in, session->in_size);
    free(session->in);
    session->in = NULL;
    session->in_size = 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    static uint32_t n_sessions;
    struct session *session = user;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        memset(session, 0, sizeof *session);
        session->number = ++n_sessions;
        break;
    case LWS_CALLBACK_RECEIVE:
        take_piece(wsi, session, in, size);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (session->out != NULL)
            lws_write(wsi, (unsigned char *)session->out + LWS_PRE, session->out_size,
                      LWS_WRITE_TEXT);
        free(session->out);
        session->out = NULL;
        break;
    case LWS_CALLBACK_CLOSED:
        free(session->in);
        free(session->out);
        break;
    default:
        break;
    }
    return 0;
}

int main(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    lws_set_log_level(LLL_ERR, NULL);
    uv_loop_t *loop = uv_default_loop();
    void *loops[] = {loop};
    static const struct lws_protocols protocols[] = {
        {"http", lws_callback_http_dummy, 0, 0, 0, NULL, 0},
        {"holdline.v1", on_event, sizeof(struct session), RX_SIZE, 0, NULL, 0},
        {NULL, NULL, 0, 0, 0, NULL, 0}};
    static const lws_retry_bo_t no_timers = {0};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .foreign_loops = loops,
        .retry_and_idle_policy = &no_timers,
        .pt_serv_buf_size = 4096,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .gid = -1,
        .uid = -1,
    };
    struct lws_context *context = lws_create_context(&info);
    info.port = 0;
    info.iface = "127.0.0.1";
    struct lws_vhost *vhost = context == NULL ? NULL : lws_create_vhost(context, &info);
    if (vhost == NULL)
        return 1;
    printf("listening http://127.0.0.1:%d\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
