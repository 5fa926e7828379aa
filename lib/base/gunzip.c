/* base/gunzip.c: gzip bytes through zlib (RFC 1952). SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "base/status.h"

#include <string.h>
#include <zlib.h>

enum { INPUT_PART = 1 << 30, OUTPUT_PART = 1 << 16 };

static voidpf zlib_allocate(voidpf context, uInt count, uInt size)
{
    void *block;
    return ic_allocate_array(context, count, size, &block) == IC_OK ? block : Z_NULL;
}

static void zlib_free(voidpf context, voidpf block)
{
    ic_free(context, block);
}

/* Behind a member stands another one, zeros that fill up a block, or nothing. */
static ic_status begin_next_member(z_stream *stream, const unsigned char *at, size_t left,
                                   bool *more)
{
    *more = left > 0 && at[0] != 0;
    if (*more && (left < 2 || at[0] != 0x1F || at[1] != 0x8B))
        return ic_fail(IC_ERROR_FORMAT, "the gzip data is followed by something else");
    if (*more)
        inflateReset(stream);
    return IC_OK;
}

/* Inflates what is left of the input into the buffer's free room; the code of inflate. */
static int inflate_part(z_stream *stream, const unsigned char **at, size_t *left, ic_buffer *out)
{
    size_t room = out->capacity - out->size;
    stream->next_in = (Bytef *)*at;
    stream->avail_in = (uInt)(*left < INPUT_PART ? *left : INPUT_PART);
    stream->next_out = out->bytes + out->size;
    stream->avail_out = (uInt)(room < INPUT_PART ? room : INPUT_PART);
    int code = inflate(stream, Z_NO_FLUSH);
    *left -= (size_t)(stream->next_in - *at);
    *at = stream->next_in;
    out->size = (size_t)(stream->next_out - out->bytes);
    return code;
}

static ic_status inflate_all(z_stream *stream, const unsigned char *at, size_t left, int64_t limit,
                             ic_buffer *out)
{
    size_t size_before = out->size;
    bool more = true;
    while (more) {
        IC_TRY(ic_grow(out->context, &out->bytes, &out->capacity, out->size + OUTPUT_PART, 1));
        int code = inflate_part(stream, &at, &left, out);
        if (out->size - size_before > (uint64_t)limit)
            return ic_fail(IC_ERROR_LIMIT, "the gzip data unpacks to more than %lld bytes",
                           (long long)limit);
        if (code == Z_MEM_ERROR)
            return ic_fail(IC_ERROR_MEMORY, "out of memory while unpacking gzip data");
        if (code == Z_STREAM_END)
            IC_TRY(begin_next_member(stream, at, left, &more));
        else if (code == Z_BUF_ERROR && left == 0)
            return ic_fail(IC_ERROR_FORMAT, "the gzip data is cut short");
        else if (code != Z_OK && code != Z_BUF_ERROR)
            return ic_fail(IC_ERROR_FORMAT, "the gzip data is damaged: %s",
                           stream->msg != NULL ? stream->msg : "not gzip");
    }
    return IC_OK;
}

ic_status ic_gunzip(const void *bytes, size_t size, int64_t limit, ic_buffer *out)
{
    z_stream stream = {.zalloc = zlib_allocate, .zfree = zlib_free, .opaque = out->context};
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
        return ic_fail(IC_ERROR_MEMORY, "out of memory while unpacking gzip data");
    size_t size_before = out->size;
    ic_status status = inflate_all(&stream, bytes, size, limit, out);
    inflateEnd(&stream);
    if (status < 0)
        out->size = size_before;
    return status;
}
