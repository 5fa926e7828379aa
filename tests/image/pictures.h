/*
 * image/pictures.h: makes the files that the tests of this room decode. PNG is put together by
 * hand, so that anything about it can be wrong; JPEG by libjpeg's encoder. SPDX-License-Identifier:
 * MIT
 */
#ifndef IMAGE_PICTURES_H
#define IMAGE_PICTURES_H

#include "preprocess/pipeline.h"

/* Bytes on the C heap; release with free(file.bytes). */
typedef struct made_file {
    unsigned char *bytes;
    size_t size;
} made_file;

typedef struct png_plan {
    uint32_t width, height;
    int type; /* PNG's colour type: 0 grey, 2 colour, 3 palette, 4 grey + alpha, 6 colour + alpha */
    int bits;
    bool interlaced;
    const void *transparency; /* body of the tRNS chunk */
    size_t transparency_size;
    const void *exif; /* body of the eXIf chunk */
    size_t exif_size;
    bool exif_last; /* behind the pixels instead of before them */
} png_plan;

/* The made-up sample at a place, below 2^bits. For palettes: the index. */
uint32_t png_sample(const png_plan *plan, uint32_t x, uint32_t y, uint32_t channel);
/* The palette has 2^bits entries; entry i's part c. */
unsigned char png_palette(uint32_t entry, uint32_t part);

made_file make_png(const png_plan *plan);

/* Appends a chunk with its check sum; for files of one's own. */
void add_chunk(made_file *file, const char *name, const void *body, size_t size);
void add_bytes(made_file *file, const void *bytes, size_t size);

/* The place of the first chunk of that name: of its length field. */
size_t find_chunk(const made_file *file, const char *name);

typedef struct jpeg_plan {
    int width, height;
    int components; /* 1 grey, 3 colour, 4 inks */
    bool plain;     /* stored as RGB or CMYK, not as YCbCr or YCCK */
    bool progressive;
    bool subsampled;  /* chroma at half size, as most files have it */
    int across, down; /* subsampled: samples of luma for one of chroma; 0: 2 */
    bool many_scans;  /* progressive, each coefficient by itself: 127 scans (grey only) */
    int restart;      /* rows of blocks between restart markers; 0: none */
    const void *app1; /* body of an APP1 marker */
    size_t app1_size;
} jpeg_plan;

/* What is encoded: smooth, so that little is lost. Inks: inverted as Adobe's, 255 is none. */
unsigned char jpeg_sample(const jpeg_plan *plan, int x, int y, int component);
made_file make_jpeg(const jpeg_plan *plan);

/*
 * An EXIF block (without "Exif\0\0") with the orientation as its second entry, in either byte
 * order. Returns its size; out holds at least EXIF_BYTES.
 */
enum { EXIF_BYTES = 64 };
size_t make_exif(unsigned char *out, bool big_endian, unsigned int orientation);

/* What a pipeline makes of a file. centre: the decoder may leave out what the canvas does not show.
 */
ic_status decode_canvas(ic_context *context, const ic_pipeline *pipeline, const void *bytes,
                        size_t size, bool centre, ic_image **out);

#endif
