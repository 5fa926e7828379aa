/*
 * image/png_read.c: decoding PNG with libpng's row interface. libpng reports errors by a callback
 * that must not return, so there is one setjmp, here, and everything that outlives a jump is in one
 * block on the heap. SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "image/codec.h"
#include "image/png_memory.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

enum {
    SIGNATURE_BYTES = 8,
    CHUNK_BYTES = 12, /* length, name and check sum around the data of a chunk */
    HEADER_BYTES = SIGNATURE_BYTES + CHUNK_BYTES + 13,
    MOST_DEFLATE = 1032 /* deflate packs at best so many bytes into one */
};

typedef struct png_state {
    png_structp png;
    png_infop info;
    jmp_buf jump;
    ic_status status; /* why it jumped */
    ic_png_memory memory;
    const unsigned char *bytes;
    size_t size, position;
    const ic_decode_options *options;
    ic_image_facts *facts;
    ic_image *image;
} png_state;

static _Noreturn void give_up(png_state *state, ic_status status)
{
    state->status = status;
    longjmp(state->jump, 1);
}

static void on_error(png_structp png, png_const_charp message)
{
    png_state *state = png_get_error_ptr(png);

    if (state->memory.failed)
        give_up(state, IC_ERROR_MEMORY); /* the allocator has set the text */
    give_up(state, ic_fail(IC_ERROR_FORMAT, "the PNG is damaged (%s)", message));
}

/* What libpng warns of (odd profiles, times, gammas) does not touch the samples. */
static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void on_read(png_structp png, png_bytep bytes, size_t size)
{
    png_state *state = png_get_io_ptr(png);

    if (size > state->size - state->position)
        give_up(state, ic_fail(IC_ERROR_FORMAT, "the PNG is cut short: its %zu bytes end too early",
                               state->size));
    memcpy(bytes, state->bytes + state->position, size);
    state->position += size;
}

static uint32_t read_32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/*
 * What can be known before libpng allocates anything: the size must be within the limits, and the
 * file long enough to hold so many pixels at all, so that a few bytes cannot ask for gigabytes.
 */
static ic_status check_header(const png_state *state)
{
    const unsigned char *bytes = state->bytes;
    uint64_t width, height, least;

    if (state->size < HEADER_BYTES)
        return ic_fail(IC_ERROR_FORMAT, "the PNG is cut short: %zu bytes do not hold its header",
                       state->size);
    if (memcmp(bytes + 12, "CgBI", 4) == 0)
        return ic_fail(IC_ERROR_UNSUPPORTED, "a PNG in Apple's own variant (CgBI): convert it back "
                                             "with pngcrush -revert-iphone-optimizations");
    if (memcmp(bytes + 12, "IHDR", 4) != 0)
        return ic_fail(IC_ERROR_FORMAT, "the PNG is damaged (its header is missing)");
    width = read_32(bytes + 16);
    height = read_32(bytes + 20);
    IC_TRY(ic_image_check_size(state->memory.context, (int64_t)width, (int64_t)height));
    least = (width + 7) / 8 * height / MOST_DEFLATE; /* at one bit a pixel */
    if (!state->options->header_only && least > state->size)
        return ic_fail(IC_ERROR_FORMAT,
                       "the PNG is cut short: %zu bytes cannot hold %llu x %llu pixels",
                       state->size, (unsigned long long)width, (unsigned long long)height);
    return IC_OK;
}

/*
 * The eXIf chunk may stand before or after the pixels. libpng is told to drop it, so that less of
 * libpng sees hostile bytes; it has checked the sums of all chunks by the time this is used.
 */
static int32_t find_orientation(const unsigned char *bytes, size_t size)
{
    size_t position = SIGNATURE_BYTES;

    while (size - position >= CHUNK_BYTES) {
        size_t length = read_32(bytes + position);
        const unsigned char *name = bytes + position + 4;

        if (length > size - position - CHUNK_BYTES || memcmp(name, "IEND", 4) == 0)
            break;
        if (memcmp(name, "eXIf", 4) == 0)
            return ic_exif_orientation(name + 4, length);
        position += CHUNK_BYTES + length;
    }
    return 1;
}

static ic_status open_file(png_state *state)
{
    const ic_limits *limits = &state->memory.context->limits;
    png_structp png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, state, on_error, on_warning,
                                               &state->memory, ic_png_allocate, ic_png_free);

    state->png = png;
    state->info = png ? png_create_info_struct(png) : NULL;
    if (!state->info)
        return state->memory.failed ? IC_ERROR_MEMORY
                                    : ic_fail(IC_ERROR_UNSUPPORTED, "libpng is not of version %s",
                                              PNG_LIBPNG_VER_STRING);
    png_set_read_fn(png, state, on_read);
    png_set_user_limits(png, (png_uint_32)limits->side, (png_uint_32)limits->side);
    png_set_chunk_malloc_max(png, state->size); /* none can be longer than the file */
    png_set_chunk_cache_max(png, 2);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* all that is not pixels */
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(png, state->info);
    return IC_OK;
}

static void read_facts(png_state *state)
{
    int type = png_get_color_type(state->png, state->info);
    bool transparent = png_get_valid(state->png, state->info, PNG_INFO_tRNS) != 0;
    ic_image_facts *facts = state->facts;

    facts->width = (int32_t)png_get_image_width(state->png, state->info);
    facts->height = (int32_t)png_get_image_height(state->png, state->info);
    facts->depth = png_get_bit_depth(state->png, state->info) == 16 ? 16 : 8;
    facts->channels = type & PNG_COLOR_MASK_COLOR ? 3 : 1;
    if (type & PNG_COLOR_MASK_ALPHA || transparent)
        facts->channels++;
}

/* Full samples, without any colour management: palette to colours, tRNS to alpha, native byte
 * order. */
static ic_status prepare_samples(png_state *state)
{
    const ic_image_facts *facts = state->facts;

    png_set_expand(state->png);
    if (facts->depth == 16 && ic_png_must_swap())
        png_set_swap(state->png);
    png_read_update_info(state->png, state->info);
    IC_TRY(ic_image_create(state->memory.context, facts->width, facts->height, facts->channels,
                           facts->depth, &state->image));
    if (png_get_rowbytes(state->png, state->info) != state->image->stride)
        return ic_fail(IC_ERROR_INTERNAL, "libpng gives rows of %zu bytes where %zu were expected",
                       (size_t)png_get_rowbytes(state->png, state->info), state->image->stride);
    return IC_OK;
}

/* Below this all calls into libpng happen. */
static ic_status decode(png_state *state)
{
    int passes;

    if (setjmp(state->jump))
        return state->status;
    IC_TRY(open_file(state));
    read_facts(state);
    if (state->options->header_only)
        return IC_OK;

    passes = png_set_interlace_handling(state->png);
    if (!state->options->check_only)
        IC_TRY(prepare_samples(state));
    for (int pass = 0; pass < passes; pass++)
        for (int32_t y = 0; y < state->facts->height; y++)
            png_read_row(state->png, state->image ? ic_image_row(state->image, y) : NULL, NULL);
    png_read_end(state->png, NULL); /* up to the end chunk, so that a cut is seen */
    return IC_OK;
}

ic_status ic_png_decode(ic_context *context, const unsigned char *bytes, size_t size,
                        const ic_decode_options *options, ic_image_facts *facts,
                        int32_t *orientation, ic_image **out)
{
    png_state *state;
    ic_status status;

    IC_TRY(ic_allocate_zero(context, sizeof(*state), &state));
    state->memory.context = context;
    state->bytes = bytes;
    state->size = size;
    state->options = options;
    state->facts = facts;
    status = check_header(state);
    if (status >= 0)
        status = decode(state);
    png_destroy_read_struct(&state->png, &state->info, NULL);
    if (status < 0) {
        ic_image_free(state->image);
    } else {
        *orientation = find_orientation(bytes, size);
        if (state->image)
            *out = state->image;
    }
    ic_free(context, state);
    return status;
}
