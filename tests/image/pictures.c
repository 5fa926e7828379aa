/* image/pictures.c: makes PNG and JPEG files in memory. SPDX-License-Identifier: MIT */
#include "image/pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <zlib.h>

void add_bytes(made_file *file, const void *bytes, size_t size)
{
    file->bytes = realloc(file->bytes, file->size + size + 1);
    if (!file->bytes)
        abort();
    if (size > 0)
        memcpy(file->bytes + file->size, bytes, size);
    file->size += size;
}

static void put_32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

void add_chunk(made_file *file, const char *name, const void *body, size_t size)
{
    unsigned char number[4];
    size_t begin = file->size + 4;

    put_32(number, (uint32_t)size);
    add_bytes(file, number, 4);
    add_bytes(file, name, 4);
    add_bytes(file, body, size);
    put_32(number, (uint32_t)crc32(0, file->bytes + begin, (uInt)(size + 4)));
    add_bytes(file, number, 4);
}

size_t find_chunk(const made_file *file, const char *name)
{
    for (size_t i = 8; i + 8 <= file->size; i++)
        if (memcmp(file->bytes + i + 4, name, 4) == 0)
            return i;
    return file->size;
}

uint32_t png_sample(const png_plan *plan, uint32_t x, uint32_t y, uint32_t channel)
{
    uint32_t value = (x * 2654435761u) ^ (y * 2246822519u) ^ (channel * 3266489917u);

    return (value ^ value >> 15) & ((1u << plan->bits) - 1);
}

unsigned char png_palette(uint32_t entry, uint32_t part)
{
    return (unsigned char)(entry * 37 + part * 101 + 5);
}

static uint32_t channels_of(int type)
{
    return type == 2 ? 3 : type == 4 ? 2 : type == 6 ? 4 : 1;
}

/* Adds the rows of one pass: the pixels (x0 + i dx, y0 + j dy), each row after filter type 0. */
static void add_pass(made_file *raw, const png_plan *plan, uint32_t x0, uint32_t y0, uint32_t dx,
                     uint32_t dy)
{
    uint32_t channels = channels_of(plan->type);
    size_t columns = plan->width > x0 ? (plan->width - x0 + dx - 1) / dx : 0;
    size_t length = (columns * channels * (size_t)plan->bits + 7) / 8 + 1;
    unsigned char *row = malloc(length);

    for (uint32_t y = y0; columns > 0 && y < plan->height; y += dy) {
        size_t bit = 8;

        memset(row, 0, length);
        for (uint32_t x = x0; x < plan->width; x += dx)
            for (uint32_t c = 0; c < channels; c++) {
                uint32_t sample = png_sample(plan, x, y, c);

                if (plan->bits == 16) {
                    row[bit / 8] = (unsigned char)(sample >> 8);
                    row[bit / 8 + 1] = (unsigned char)sample;
                } else {
                    row[bit / 8] |= (unsigned char)(sample << (8 - plan->bits - (int)(bit % 8)));
                }
                bit += (size_t)plan->bits;
            }
        add_bytes(raw, row, length);
    }
    free(row);
}

static void add_pixels(made_file *file, const png_plan *plan)
{
    static const uint32_t passes[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                          {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    made_file raw = {0};
    unsigned char *packed;
    uLongf size;

    for (int i = 0; i < 7 && plan->interlaced; i++)
        add_pass(&raw, plan, passes[i][0], passes[i][1], passes[i][2], passes[i][3]);
    if (!plan->interlaced)
        add_pass(&raw, plan, 0, 0, 1, 1);
    size = compressBound(raw.size);
    packed = malloc(size);
    compress(packed, &size, raw.bytes, raw.size);
    /* In two chunks, as large files come. */
    add_chunk(file, "IDAT", packed, size / 2);
    add_chunk(file, "IDAT", packed + size / 2, size - size / 2);
    free(packed);
    free(raw.bytes);
}

made_file make_png(const png_plan *plan)
{
    made_file file = {0};
    unsigned char header[13] = {0}, palette[768];

    add_bytes(&file, "\x89PNG\r\n\x1a\n", 8);
    put_32(header, plan->width);
    put_32(header + 4, plan->height);
    header[8] = (unsigned char)plan->bits;
    header[9] = (unsigned char)plan->type;
    header[12] = plan->interlaced;
    add_chunk(&file, "IHDR", header, sizeof(header));
    add_chunk(&file, "tEXt", "Comment\0made up", 15);
    for (uint32_t i = 0; i < 768; i++)
        palette[i] = png_palette(i / 3, i % 3);
    if (plan->type == 3)
        add_chunk(&file, "PLTE", palette, (size_t)3 << plan->bits);
    if (plan->transparency)
        add_chunk(&file, "tRNS", plan->transparency, plan->transparency_size);
    if (plan->exif && !plan->exif_last)
        add_chunk(&file, "eXIf", plan->exif, plan->exif_size);
    add_pixels(&file, plan);
    if (plan->exif && plan->exif_last)
        add_chunk(&file, "eXIf", plan->exif, plan->exif_size);
    add_chunk(&file, "IEND", "", 0);
    return file;
}

unsigned char jpeg_sample(const jpeg_plan *plan, int x, int y, int component)
{
    /* At most two steps a pixel: what subsampling and the cosines lose stays small. */
    int across = 255 * x / (plan->width > 128 ? plan->width : 128);
    int down = 255 * y / (plan->height > 128 ? plan->height : 128);

    switch (component) {
    case 0:
        return (unsigned char)((across + down) / 2);
    case 1:
        return (unsigned char)(64 + across / 2);
    case 2:
        return (unsigned char)(255 - down / 2);
    default:
        return (unsigned char)(128 + (across + down) / 4);
    }
}

enum { MANY_SCANS = 127 };

/* One DC scan, then each AC coefficient without its last bit, then their last bits. */
static void script_many_scans(jpeg_scan_info *scans)
{
    memset(scans, 0, MANY_SCANS * sizeof(*scans));
    for (int i = 0; i < MANY_SCANS; i++)
        scans[i].comps_in_scan = 1;
    for (int k = 1; k < 64; k++) {
        scans[k].Ss = scans[k].Se = k;
        scans[k].Al = 1;
        scans[63 + k].Ss = scans[63 + k].Se = k;
        scans[63 + k].Ah = 1;
    }
}

static void set_up(struct jpeg_compress_struct *jpeg, const jpeg_plan *plan, jpeg_scan_info *scans)
{
    jpeg->image_width = (JDIMENSION)plan->width;
    jpeg->image_height = (JDIMENSION)plan->height;
    jpeg->input_components = plan->components;
    jpeg->in_color_space = plan->components == 1   ? JCS_GRAYSCALE
                           : plan->components == 3 ? JCS_RGB
                                                   : JCS_CMYK;
    jpeg_set_defaults(jpeg);
    if (plan->components == 4)
        jpeg_set_colorspace(jpeg, plan->plain ? JCS_CMYK : JCS_YCCK);
    else if (plan->plain)
        jpeg_set_colorspace(jpeg, jpeg->in_color_space);
    jpeg_set_quality(jpeg, 96, TRUE);
    if (!plan->subsampled)
        jpeg->comp_info[0].h_samp_factor = jpeg->comp_info[0].v_samp_factor = 1;
    if (plan->across > 0) {
        jpeg->comp_info[0].h_samp_factor = plan->across;
        jpeg->comp_info[0].v_samp_factor = plan->down;
    }
    if (!plan->subsampled && plan->components == 4)
        jpeg->comp_info[3].h_samp_factor = jpeg->comp_info[3].v_samp_factor = 1;
    jpeg->restart_in_rows = plan->restart;
    if (plan->progressive)
        jpeg_simple_progression(jpeg);
    if (plan->many_scans) {
        script_many_scans(scans);
        jpeg->scan_info = scans;
        jpeg->num_scans = MANY_SCANS;
    }
}

made_file make_jpeg(const jpeg_plan *plan)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg_scan_info scans[MANY_SCANS];
    made_file file = {0};
    unsigned long size = 0;
    unsigned char *row = malloc((size_t)(plan->width * plan->components));

    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &file.bytes, &size);
    set_up(&jpeg, plan, scans);
    jpeg_start_compress(&jpeg, TRUE);
    if (plan->app1)
        jpeg_write_marker(&jpeg, JPEG_APP0 + 1, plan->app1, (unsigned int)plan->app1_size);
    for (int y = 0; y < plan->height; y++) {
        JSAMPROW rows = row;

        for (int i = 0; i < plan->width * plan->components; i++)
            row[i] = jpeg_sample(plan, i / plan->components, y, i % plan->components);
        jpeg_write_scanlines(&jpeg, &rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    file.size = size;
    return file;
}

size_t make_exif(unsigned char *out, bool big_endian, unsigned int orientation)
{
    /* Header; directory at 8 with two entries: make (two letters), orientation; no next one. */
    static const unsigned char big[] = {'M', 'M', 0, 42, 0, 0,   0, 8, 0, 2,    0x01, 0x0f, 0,
                                        2,   0,   0, 0,  2, 'A', 0, 0, 0, 0x01, 0x12, 0,    3,
                                        0,   0,   0, 1,  0, 0,   0, 0, 0, 0,    0,    0};
    static const unsigned char little[] = {'I', 'I', 42, 0, 8, 0,   0, 0, 2, 0,    0x0f, 0x01, 2,
                                           0,   2,   0,  0, 0, 'A', 0, 0, 0, 0x12, 0x01, 3,    0,
                                           1,   0,   0,  0, 0, 0,   0, 0, 0, 0,    0,    0};
    size_t value = 30;

    memcpy(out, big_endian ? big : little, sizeof(big));
    out[value + (big_endian ? 1 : 0)] = (unsigned char)orientation;
    out[value + (big_endian ? 0 : 1)] = (unsigned char)(orientation >> 8);
    return sizeof(big);
}

ic_status decode_canvas(ic_context *context, const ic_pipeline *pipeline, const void *bytes,
                        size_t size, bool centre, ic_image **out)
{
    ic_decode_options options = ic_pipeline_decoding(pipeline);
    ic_image *image;
    options.centre = centre;
    ic_status status = ic_image_decode_with(context, bytes, size, &options, NULL, &image);
    if (status < 0)
        return status;
    status = ic_pipeline_canvas(pipeline, image, out);
    ic_image_free(image);
    return status;
}
