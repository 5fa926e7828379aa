/* image/png_write.c: encoding PNG with libpng. One setjmp, state on the heap, as in png_read.c.
 * SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "image/image.h"
#include "image/png_memory.h"

#include <setjmp.h>

typedef struct png_state {
    png_structp png;
    png_infop info;
    jmp_buf jump;
    ic_status status; /* why it jumped */
    ic_png_memory memory;
    const ic_image *image;
    ic_buffer *out;
} png_state;

static void on_error(png_structp png, png_const_charp message)
{
    png_state *state = png_get_error_ptr(png);

    state->status = state->memory.failed
                        ? IC_ERROR_MEMORY /* the allocator has set the text */
                        : ic_fail(IC_ERROR_INTERNAL, "libpng could not encode: %s", message);
    longjmp(state->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void on_write(png_structp png, png_bytep bytes, size_t size)
{
    png_state *state = png_get_io_ptr(png);

    state->status = ic_buffer_append(state->out, bytes, size);
    if (state->status < 0)
        longjmp(state->jump, 1);
}

static void on_flush(png_structp png)
{
    (void)png;
}

/* Below this all calls into libpng happen. */
static ic_status encode(png_state *state)
{
    static const int types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                PNG_COLOR_TYPE_RGB_ALPHA};
    const ic_image *image = state->image;

    if (setjmp(state->jump))
        return state->status;
    state->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, state, on_error, on_warning,
                                           &state->memory, ic_png_allocate, ic_png_free);
    state->info = state->png ? png_create_info_struct(state->png) : NULL;
    if (!state->info)
        return state->memory.failed ? IC_ERROR_MEMORY
                                    : ic_fail(IC_ERROR_UNSUPPORTED, "libpng is not of version %s",
                                              PNG_LIBPNG_VER_STRING);

    png_set_write_fn(state->png, state, on_write, on_flush);
    png_set_IHDR(state->png, state->info, (png_uint_32)image->width, (png_uint_32)image->height,
                 image->depth, types[image->channels - 1], PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(state->png, state->info);
    if (image->depth == 16 && ic_png_must_swap())
        png_set_swap(state->png);
    for (int32_t y = 0; y < image->height; y++)
        png_write_row(state->png, ic_image_row(image, y));
    png_write_end(state->png, NULL);
    return IC_OK;
}

ic_status ic_png_encode(const ic_image *image, ic_buffer *out)
{
    ic_context *context = image->context;
    png_state *state;
    ic_status status;

    IC_TRY(ic_allocate_zero(context, sizeof(*state), &state));
    state->memory.context = context;
    state->image = image;
    state->out = out;
    status = encode(state);
    png_destroy_write_struct(&state->png, &state->info);
    ic_free(context, state);
    return status;
}
