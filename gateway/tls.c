#include "gateway/tls.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/result.h"

struct hl_tls {
    SSL_CTX *context;
};

/* One line of why OpenSSL refused; its queue of errors is left empty. */
static void write_why(char *why, size_t why_size, const char *what, const char *file)
{
    unsigned long code = ERR_peek_error(); /* the first: the others only hand it up */
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    if (ERR_SYSTEM_ERROR(code))
        reason = strerror(ERR_GET_REASON(code));

    (void)snprintf(why, why_size, "%s %s: %s", what, file, reason != NULL ? reason : "not usable");
    ERR_clear_error();
}

static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *in, unsigned int in_size, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof(ours) - 1, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301: no_application_protocol */
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int set_rules(SSL_CTX *context)
{
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE |
                                           SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        SSL_CTX_set_num_tickets(context, 1) != 1)
        return -EINVAL;
    return 0;
}

static int load_files(SSL_CTX *context, const char *certificate, const char *key, char *why,
                      size_t why_size)
{
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        write_why(why, why_size, "certificate", certificate);
        return -EINVAL;
    }
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        write_why(why, why_size, "private key", key);
        return -EINVAL;
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        write_why(why, why_size, "private key does not fit the certificate:", key);
        return -EINVAL;
    }
    return 0;
}

int hl_tls_create(const char *certificate, const char *key, char *why, size_t why_size,
                  struct hl_tls **out_tls)
{
    struct hl_tls *tls = calloc(1, sizeof(*tls));
    int r = -ENOMEM;

    if (tls == NULL)
        return -ENOMEM;
    tls->context = SSL_CTX_new(TLS_server_method());
    if (tls->context == NULL) {
        write_why(why, why_size, "TLS with", certificate);
        goto fail;
    }
    r = set_rules(tls->context);
    if (r != 0)
        write_why(why, why_size, "TLS with", certificate);
    else
        r = load_files(tls->context, certificate, key, why, why_size);
    if (r != 0)
        goto fail;
    *out_tls = tls;
    return 0;
fail:
    hl_tls_destroy(tls);
    return r;
}

void hl_tls_destroy(struct hl_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context); /* counted: open streams hold it */
    free(tls);
}

/* The opaque type of the header is OpenSSL's own object. */
static SSL *ssl_of(struct hl_tls_stream *stream)
{
    return (SSL *)stream;
}

int hl_tls_stream_create(struct hl_tls *tls, int fd, struct hl_tls_stream **out_stream)
{
    SSL *ssl = SSL_new(tls->context);

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return -ENOMEM;
    }
    SSL_set_accept_state(ssl);
    *out_stream = (struct hl_tls_stream *)ssl;
    return 0;
}

void hl_tls_stream_destroy(struct hl_tls_stream *stream)
{
    SSL_free(ssl_of(stream));
}

static int outcome_of(struct hl_tls_stream *stream, int r)
{
    switch (SSL_get_error(ssl_of(stream), r)) {
    case SSL_ERROR_WANT_READ:
        return HL_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return HL_TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        ERR_clear_error();
        return HL_TLS_FAILED;
    }
}

int hl_tls_stream_handshake(struct hl_tls_stream *stream)
{
    int r;

    ERR_clear_error();
    r = SSL_do_handshake(ssl_of(stream));
    if (r == 1)
        return 0;
    r = outcome_of(stream, r);
    return r == 0 ? HL_TLS_FAILED : r;
}

int hl_tls_stream_read(struct hl_tls_stream *stream, void *data, size_t size)
{
    int r;

    ERR_clear_error();
    r = SSL_read(ssl_of(stream), data, size > INT_MAX ? INT_MAX : (int)size);
    return r > 0 ? r : outcome_of(stream, r);
}

bool hl_tls_stream_has_pending(struct hl_tls_stream *stream)
{
    return SSL_has_pending(ssl_of(stream)) == 1;
}

int hl_tls_stream_write(struct hl_tls_stream *stream, const void *data, size_t size)
{
    int r;

    ERR_clear_error();
    r = SSL_write(ssl_of(stream), data, size > INT_MAX ? INT_MAX : (int)size);
    if (r > 0)
        return r;
    r = outcome_of(stream, r);
    return r == 0 ? HL_TLS_FAILED : r;
}

void hl_tls_stream_shutdown(struct hl_tls_stream *stream)
{
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_of(stream)))
        (void)SSL_shutdown(ssl_of(stream));
    ERR_clear_error();
}
