#include "gateway/deflate.h"

#include <stdlib.h>

#include <zlib.h>

#include "base/check.h"
#include "base/result.h"

enum { CHUNK = 16384, WINDOW_BITS = -15 /* raw deflate, 32 KiB */, MEMORY_LEVEL = 8 };

/* What the sender leaves off each message, RFC 7692 section 7.2.1. */
static const char tail[4] = {0x00, 0x00, (char)0xff, (char)0xff};

struct hl_deflate {
    z_stream compressor;
    z_stream expander;
    bool has_compressor;
    bool has_expander;
    unsigned char chunk[CHUNK];
};

int hl_deflate_create(struct hl_deflate **out_codec)
{
    struct hl_deflate *codec = calloc(1, sizeof(*codec));

    if (codec == NULL)
        return -ENOMEM;
    codec->has_compressor = deflateInit2(&codec->compressor, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS,
                                         MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    codec->has_expander = inflateInit2(&codec->expander, WINDOW_BITS) == Z_OK;
    if (!codec->has_compressor || !codec->has_expander) {
        hl_deflate_destroy(codec);
        return -ENOMEM;
    }
    *out_codec = codec;
    return 0;
}

void hl_deflate_destroy(struct hl_deflate *codec)
{
    if (codec == NULL)
        return;
    if (codec->has_compressor)
        (void)deflateEnd(&codec->compressor);
    if (codec->has_expander)
        (void)inflateEnd(&codec->expander);
    free(codec);
}

void hl_deflate_compress(struct hl_deflate *codec, struct hl_bytes message, struct hl_buffer *out)
{
    z_stream *stream = &codec->compressor;

    (void)deflateReset(stream);
    stream->next_in = (unsigned char *)(uintptr_t)message.data;
    stream->avail_in = (unsigned int)message.size;
    do {
        stream->next_out = codec->chunk;
        stream->avail_out = CHUNK;
        (void)deflate(stream, Z_SYNC_FLUSH);
        hl_buffer_append(out, codec->chunk, CHUNK - stream->avail_out);
    } while (stream->avail_out == 0 && !hl_buffer_failed(out));
    if (!hl_buffer_failed(out)) {
        HL_CHECK(out->size >= sizeof(tail)); /* a sync flush ends in it */
        out->size -= sizeof(tail);
    }
}

/* Expands `input` as far as out takes it. */
static int expand_part(struct hl_deflate *codec, struct hl_bytes input, struct hl_buffer *out)
{
    z_stream *stream = &codec->expander;

    stream->next_in = (unsigned char *)(uintptr_t)input.data;
    stream->avail_in = (unsigned int)input.size;
    do {
        int r;

        stream->next_out = codec->chunk;
        stream->avail_out = CHUNK;
        r = inflate(stream, Z_SYNC_FLUSH);
        if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
            return HL_DEFLATE_INVALID;
        hl_buffer_append(out, codec->chunk, CHUNK - stream->avail_out);
        if (hl_buffer_failed(out))
            return HL_DEFLATE_TOO_LARGE;
        if (r == Z_STREAM_END) /* a final block: more blocks may follow, RFC 7692 section 7.2.3.4 */
            (void)inflateReset(stream);
    } while (stream->avail_out == 0 || stream->avail_in > 0);
    return stream->avail_in == 0 ? 0 : HL_DEFLATE_INVALID;
}

int hl_deflate_expand(struct hl_deflate *codec, struct hl_bytes compressed, struct hl_buffer *out)
{
    int r;

    (void)inflateReset(&codec->expander);
    r = expand_part(codec, compressed, out);
    if (r == 0)
        r = expand_part(codec, (struct hl_bytes){tail, sizeof(tail)}, out);
    return r;
}
