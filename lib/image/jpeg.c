/*
 * image/jpeg.c: decoding JPEG with the libjpeg API. libjpeg reports errors by a callback that must
 * not return, so there is one setjmp, here, and everything that outlives a jump is in one block on
 * the heap.
 *
 * What libjpeg merely warns of is an error here when it means that samples are wrong or missing:
 * data that end early, bad codes, restart markers out of step, scans that do not fit together. Not
 * so what leaves the picture whole: odd version numbers, unused bytes before the first scan or
 * after the last. SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "image/codec.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE and size_t */
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

enum {
    MOST_SCANS = 100,     /* sound progressive files have about ten */
    EXIF_HEADER_BYTES = 6 /* "Exif\0\0" before the TIFF block of an APP1 marker */
};

/* libjpeg may hold all coefficients of a progressive picture: at most 4 components of 2 bytes,
 * rounded up to blocks. */
enum { WORK_BYTES_PER_PIXEL = 12, WORK_BYTES_BASE = 64 << 20 };

typedef struct jpeg_state {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    ic_status status; /* why it jumped */
    ic_context *context;
    const unsigned char *bytes;
    size_t size;
    const ic_decode_options *options;
    ic_image_facts *facts;
    int32_t orientation;
    ic_image *image;
    unsigned char *row; /* where rows go that are not wanted, or not yet RGB */
    size_t left;        /* samples of a row before those that are decoded */
} jpeg_state;

/* Only called from within libjpeg, below the setjmp. */
static _Noreturn void give_up(jpeg_state *state, ic_status status)
{
    state->status = status;
    longjmp(state->jump, 1);
}

static ic_status code_of_error(int message)
{
    switch (message) {
    case JERR_OUT_OF_MEMORY:
        return IC_ERROR_MEMORY;
    case JERR_NO_BACKING_STORE:
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
        return IC_ERROR_LIMIT;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
        return IC_ERROR_UNSUPPORTED;
    default:
        return IC_ERROR_FORMAT;
    }
}

static void on_error(j_common_ptr common)
{
    jpeg_state *state = common->client_data;
    ic_status code = code_of_error(common->err->msg_code);
    char text[JMSG_LENGTH_MAX];

    common->err->format_message(common, text);
    if (code == IC_ERROR_UNSUPPORTED)
        ic_fail(code, "a JPEG of a kind that is not read (%s): convert it to a plain JPEG", text);
    else if (code == IC_ERROR_MEMORY)
        ic_fail(code, "out of memory while decoding a JPEG");
    else if (code == IC_ERROR_LIMIT)
        ic_fail(code, "the JPEG needs too much memory (%s)", text);
    else
        ic_fail(code, "the JPEG is damaged (%s)", text);
    give_up(state, code);
}

/* Whether a warning leaves the picture whole. */
static bool is_harmless(const jpeg_state *state)
{
    const struct jpeg_error_mgr *errors = &state->errors;

    switch (errors->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
        return true;
    case JWRN_EXTRANEOUS_DATA: /* parameters: bytes, and the marker they stand before */
        return state->jpeg.input_scan_number == 0 || errors->msg_parm.i[1] == JPEG_EOI;
    default:
        return false;
    }
}

/* Level -1 is a warning, others are traces. */
static void on_message(j_common_ptr common, int level)
{
    jpeg_state *state = common->client_data;
    char text[JMSG_LENGTH_MAX];

    if (level >= 0 || is_harmless(state))
        return;
    if (common->err->msg_code == JWRN_JPEG_EOF)
        give_up(state, ic_fail(IC_ERROR_FORMAT,
                               "the JPEG is cut short: its %zu bytes end too early", state->size));
    common->err->format_message(common, text);
    give_up(state, ic_fail(IC_ERROR_FORMAT, "the JPEG is damaged (%s)", text));
}

static void stay_silent(j_common_ptr common)
{
    (void)common;
}

/* A few kilobytes of empty scans could otherwise keep the decoder busy for minutes. */
static void on_progress(j_common_ptr common)
{
    jpeg_state *state = common->client_data;

    if (state->jpeg.input_scan_number > MOST_SCANS)
        give_up(state, ic_fail(IC_ERROR_LIMIT, "the JPEG has more than %d scans", MOST_SCANS));
}

static void open_file(jpeg_state *state)
{
    struct jpeg_decompress_struct *jpeg = &state->jpeg;
    int64_t work = state->context->limits.pixels * WORK_BYTES_PER_PIXEL + WORK_BYTES_BASE;

    jpeg->err = jpeg_std_error(&state->errors);
    state->errors.error_exit = on_error;
    state->errors.emit_message = on_message;
    state->errors.output_message = stay_silent;
    jpeg->client_data = state;
    jpeg_create_decompress(jpeg);
    jpeg->mem->max_memory_to_use = work < LONG_MAX ? (long)work : LONG_MAX;
    state->progress.progress_monitor = on_progress;
    jpeg->progress = &state->progress;

    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(jpeg, state->bytes, (unsigned long)state->size);
    jpeg_read_header(jpeg, TRUE);
}

/* Of the first APP1 marker that holds EXIF; XMP comes in APP1 too. */
static int32_t find_orientation(const struct jpeg_decompress_struct *jpeg)
{
    for (const struct jpeg_marker_struct *m = jpeg->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > EXIF_HEADER_BYTES &&
            memcmp(m->data, "Exif\0", EXIF_HEADER_BYTES - 1) == 0)
            return ic_exif_orientation(m->data + EXIF_HEADER_BYTES,
                                       m->data_length - EXIF_HEADER_BYTES);
    return 1;
}

static ic_status read_facts(jpeg_state *state)
{
    struct jpeg_decompress_struct *jpeg = &state->jpeg;
    ic_image_facts *facts = state->facts;

    IC_TRY(ic_image_check_size(state->context, jpeg->image_width, jpeg->image_height));
    switch (jpeg->jpeg_color_space) {
    case JCS_GRAYSCALE:
        jpeg->out_color_space = JCS_GRAYSCALE;
        facts->channels = 1;
        break;
    case JCS_RGB:
    case JCS_YCbCr:
        jpeg->out_color_space = JCS_RGB;
        facts->channels = 3;
        break;
    case JCS_CMYK:
    case JCS_YCCK:
        jpeg->out_color_space = JCS_CMYK;
        facts->channels = 3;
        break;
    default:
        return ic_fail(IC_ERROR_UNSUPPORTED,
                       "a JPEG with %d components: only 1 (grey), 3 (colour) and 4 (CMYK) are read",
                       jpeg->num_components);
    }
    facts->width = (int32_t)jpeg->image_width;
    facts->height = (int32_t)jpeg->image_height;
    facts->depth = 8;
    state->orientation = find_orientation(jpeg);
    return IC_OK;
}

/* The canvas's sides along those of the stored picture, which may lie on its side. */
static void find_canvas(const jpeg_state *state, int64_t *width, int64_t *height)
{
    const ic_decode_options *options = state->options;
    bool turns = ic_exif_turns(state->orientation);

    *width = turns ? options->canvas_height : options->canvas_width;
    *height = turns ? options->canvas_width : options->canvas_height;
}

/* The strongest shrinking in the DCT domain that leaves both sides as long as needed. */
static unsigned int choose_shrink(const jpeg_state *state)
{
    int64_t width, height;

    if (state->options->check_only)
        return 8;
    find_canvas(state, &width, &height);
    if (!state->options->shrink || width < 1 || height < 1)
        return 1;
    for (unsigned int shrink = 8; shrink > 1; shrink /= 2)
        if ((state->jpeg.image_width + shrink - 1) / shrink >= width &&
            (state->jpeg.image_height + shrink - 1) / shrink >= height)
            return shrink;
    return 1;
}

#if defined LIBJPEG_TURBO_VERSION_NUMBER && LIBJPEG_TURBO_VERSION_NUMBER >= 1005003

/*
 * The columns at either side that are not looked at: beyond what the widest filter reaches from the
 * centre, and the two pixels that interpolated colour reaches.
 */
static int64_t count_spared(const jpeg_state *state)
{
    const struct jpeg_decompress_struct *jpeg = &state->jpeg;
    int64_t width, height;

    find_canvas(state, &width, &height);
    if (!state->options->centre || width < 1 || height < 1)
        return 0;
    double seen = (double)jpeg->output_height * (double)width / (double)height;
    double reach = ceil(ic_filter_reach(IC_FILTER_BICUBIC, seen / (double)width)) + 1 + 2;
    return ((int64_t)jpeg->output_width - (int64_t)ceil(seen)) / 2 - (int64_t)reach;
}

/*
 * Inverse DCT and colour conversion are for the columns that are looked at; the others are 0. Not,
 * as not all versions of libjpeg-turbo give the same pixels then, of progressive files (which may
 * be smoothed over several blocks), lossless ones, and colour at less than half of the size.
 */
static void spare_sides(jpeg_state *state)
{
    struct jpeg_decompress_struct *jpeg = &state->jpeg;
    int64_t spared = count_spared(state);

    if (spared <= 0 || jpeg->progressive_mode || jpeg->Ss != 0 || jpeg->Se != DCTSIZE2 - 1 ||
        jpeg->max_h_samp_factor > 2 || jpeg->max_v_samp_factor > 2)
        return;
    JDIMENSION left = (JDIMENSION)spared, columns = jpeg->output_width - 2 * left;
    jpeg_crop_scanline(jpeg, &left, &columns); /* moves left to the edge of a block */
    state->left = (size_t)left * (size_t)state->image->channels;
}

#else

static void spare_sides(jpeg_state *state)
{
    (void)state;
}

#endif

/*
 * Inks to light: R = C K / 255. Encoders follow Adobe and store inks inverted (255 is no ink).
 * Files without Adobe's marker are taken to do so too, as djpeg and the browsers take them.
 */
static void cmyk_to_rgb(const unsigned char *cmyk, unsigned char *rgb, int32_t width)
{
    for (int32_t x = 0; x < width; x++, cmyk += 4, rgb += 3)
        for (int32_t c = 0; c < 3; c++)
            rgb[c] = (unsigned char)((cmyk[c] * cmyk[3] + 127) / 255);
}

/* Where the decoded columns of a row begin; what is left of them and right becomes 0. */
static JSAMPROW begin_row(const jpeg_state *state, int32_t y)
{
    const ic_image *image = state->image;
    unsigned char *row = ic_image_row(image, y);
    size_t end = state->left + (size_t)state->jpeg.output_width * (size_t)image->channels;

    memset(row, 0, state->left);
    memset(row + end, 0, (size_t)image->width * (size_t)image->channels - end);
    return row + state->left;
}

static void read_rows(jpeg_state *state)
{
    struct jpeg_decompress_struct *jpeg = &state->jpeg;

    while (jpeg->output_scanline < jpeg->output_height) {
        int32_t y = (int32_t)jpeg->output_scanline;
        JSAMPROW row = state->row ? state->row : begin_row(state, y);

        /* One row asked for, one row given: the source never has to wait for more bytes. */
        jpeg_read_scanlines(jpeg, &row, 1);
        if (state->row && state->image)
            cmyk_to_rgb(state->row, ic_image_row(state->image, y), state->image->width);
    }
    jpeg_finish_decompress(jpeg); /* reads up to the end marker, so that a cut is seen */
}

/* Below this all calls into libjpeg happen. */
static ic_status decode(jpeg_state *state)
{
    struct jpeg_decompress_struct *jpeg = &state->jpeg;

    if (setjmp(state->jump))
        return state->status;
    open_file(state);
    IC_TRY(read_facts(state));
    if (state->options->header_only)
        return IC_OK;

    jpeg->scale_num = 1;
    jpeg->scale_denom = choose_shrink(state);
    if (state->options->check_only) {
        jpeg->out_color_space = jpeg->jpeg_color_space;
        jpeg->do_fancy_upsampling = FALSE;
    }
    jpeg_start_decompress(jpeg);
    if (state->options->check_only || jpeg->out_color_space == JCS_CMYK)
        IC_TRY(ic_allocate_array(state->context, jpeg->output_width,
                                 (size_t)jpeg->output_components, &state->row));
    if (!state->options->check_only)
        IC_TRY(ic_image_create(state->context, (int32_t)jpeg->output_width,
                               (int32_t)jpeg->output_height, state->facts->channels, 8,
                               &state->image));
    if (state->row == NULL)
        spare_sides(state);
    read_rows(state);
    return IC_OK;
}

ic_status ic_jpeg_decode(ic_context *context, const unsigned char *bytes, size_t size,
                         const ic_decode_options *options, ic_image_facts *facts,
                         int32_t *orientation, ic_image **out)
{
    jpeg_state *state;
    ic_status status;

    IC_TRY(ic_allocate_zero(context, sizeof(*state), &state));
    state->context = context;
    state->bytes = bytes;
    state->size = size;
    state->options = options;
    state->facts = facts;
    status = decode(state);
    jpeg_destroy_decompress(&state->jpeg);
    if (status < 0) {
        ic_image_free(state->image);
    } else {
        *orientation = state->orientation;
        if (state->image)
            *out = state->image;
    }
    ic_free(context, state->row);
    ic_free(context, state);
    return status;
}
