/* TLS by OpenSSL: the certificate of a listener, and the encrypted stream of one connection on
 * a non-blocking socket. Thread: a certificate may be shared, a stream is its loop's. */
#ifndef HL_GATEWAY_TLS_H
#define HL_GATEWAY_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct hl_tls; /* certificate, key and rules; streams keep it alive */

/* Reads chain and key and checks that they belong together. TLS 1.2 at least, ALPN http/1.1.
 * 0, -errno; `why` gets one line. */
int hl_tls_create(const char *certificate, const char *key, char *why, size_t why_size,
                  struct hl_tls **out_tls);
void hl_tls_destroy(struct hl_tls *tls); /* accepts NULL; open streams go on */

struct hl_tls_stream;
int hl_tls_stream_create(struct hl_tls *tls, int fd, struct hl_tls_stream **out_stream);
void hl_tls_stream_destroy(struct hl_tls_stream *stream); /* accepts NULL; fd stays open */

/* Progress of a call that could not finish: the socket must become readable or writable. */
enum { HL_TLS_WANT_READ = -1, HL_TLS_WANT_WRITE = -2, HL_TLS_FAILED = -3 };

/* 0, HL_TLS_WANT_READ, HL_TLS_WANT_WRITE, HL_TLS_FAILED. */
int hl_tls_stream_handshake(struct hl_tls_stream *stream);
/* Bytes read, 0 at the peer's end, or one of the above. */
int hl_tls_stream_read(struct hl_tls_stream *stream, void *data, size_t size);
/* True if bytes were read from the socket that no read() has given out yet. */
bool hl_tls_stream_has_pending(struct hl_tls_stream *stream);
/* Bytes written, or one of the above. */
int hl_tls_stream_write(struct hl_tls_stream *stream, const void *data, size_t size);
/* Tells the peer that nothing more comes; does not wait for its answer. */
void hl_tls_stream_shutdown(struct hl_tls_stream *stream);

#endif
