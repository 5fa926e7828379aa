/*
 * image/jpeg_write.c: encoding JPEG with the libjpeg API. One setjmp, state on the heap, as in
 * jpeg.c. SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "image/image.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE and size_t */

#include <jerror.h>
#include <jpeglib.h>

enum { CHUNK = 4096 };

typedef struct jpeg_writer {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf jump;
    ic_status status; /* why it jumped */
    const ic_image *image;
    int32_t quality;
    ic_buffer *out;
    unsigned char chunk[CHUNK];
} jpeg_writer;

static void on_error(j_common_ptr common)
{
    jpeg_writer *writer = common->client_data;
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    writer->status = common->err->msg_code == JERR_OUT_OF_MEMORY
                         ? ic_fail(IC_ERROR_MEMORY, "out of memory while encoding a JPEG")
                         : ic_fail(IC_ERROR_INTERNAL, "libjpeg could not encode: %s", text);
    longjmp(writer->jump, 1);
}

static void stay_silent(j_common_ptr common)
{
    (void)common;
}

static void begin(j_compress_ptr jpeg)
{
    jpeg->dest->next_output_byte = ((jpeg_writer *)jpeg->client_data)->chunk;
    jpeg->dest->free_in_buffer = CHUNK;
}

static void give(jpeg_writer *writer, size_t size)
{
    writer->status = ic_buffer_append(writer->out, writer->chunk, size);
    if (writer->status < 0)
        longjmp(writer->jump, 1);
}

/* Whenever the chunk is full: what the fields say of how full it is does not count then. */
static boolean on_full(j_compress_ptr jpeg)
{
    give(jpeg->client_data, CHUNK);
    begin(jpeg);
    return TRUE;
}

static void end(j_compress_ptr jpeg)
{
    give(jpeg->client_data, CHUNK - jpeg->dest->free_in_buffer);
}

/* Below this all calls into libjpeg happen. */
static ic_status encode(jpeg_writer *writer)
{
    struct jpeg_compress_struct *jpeg = &writer->jpeg;
    const ic_image *image = writer->image;
    jpeg->err = jpeg_std_error(&writer->errors);
    writer->errors.error_exit = on_error;
    writer->errors.output_message = stay_silent;
    jpeg->client_data = writer;
    if (setjmp(writer->jump))
        return writer->status;
    jpeg_create_compress(jpeg);
    writer->destination = (struct jpeg_destination_mgr){
        .init_destination = begin, .empty_output_buffer = on_full, .term_destination = end};
    jpeg->dest = &writer->destination;
    jpeg->image_width = (JDIMENSION)image->width;
    jpeg->image_height = (JDIMENSION)image->height;
    jpeg->input_components = image->channels;
    jpeg->in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, writer->quality, TRUE);
    jpeg->optimize_coding = TRUE; /* the usual tables alone take 400 bytes */
    jpeg->dct_method = JDCT_ISLOW;
    jpeg_start_compress(jpeg, TRUE);
    for (int32_t y = 0; y < image->height; y++) {
        JSAMPROW row = ic_image_row(image, y);
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
    return IC_OK;
}

ic_status ic_jpeg_encode(const ic_image *image, int32_t quality, ic_buffer *out)
{
    ic_context *context = image->context;
    jpeg_writer *writer;
    if (image->depth != 8 || image->channels % 2 == 0)
        return ic_fail(IC_ERROR_INTERNAL, "a JPEG holds 8-bit grey or colour");
    IC_TRY(ic_allocate_zero(context, sizeof *writer, &writer));
    writer->image = image;
    writer->quality = quality;
    writer->out = out;
    ic_status status = encode(writer);
    jpeg_destroy_compress(&writer->jpeg);
    ic_free(context, writer);
    return status;
}
