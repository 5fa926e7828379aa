/* image/codec.h: what decoders share with each other; inside this room only.
 * SPDX-License-Identifier: MIT */
#ifndef IMAGE_CODEC_H
#define IMAGE_CODEC_H

#include "image/image.h"

/*
 * IC_ERROR_FORMAT for an empty picture, IC_ERROR_LIMIT for one over the limits of the context. For
 * sizes that a file claims: to be called before anything is allocated for them.
 */
ic_status ic_image_check_size(ic_context *context, int64_t width, int64_t height);

/*
 * The decoders proper: the picture and the facts before orientation is applied. *orientation
 * is 1..8. *out stays as it is with header_only and check_only.
 */
typedef ic_status (*ic_decoder_fn)(ic_context *context, const unsigned char *bytes, size_t size,
                                   const ic_decode_options *options, ic_image_facts *facts,
                                   int32_t *orientation, ic_image **out);

ic_status ic_jpeg_decode(ic_context *context, const unsigned char *bytes, size_t size,
                         const ic_decode_options *options, ic_image_facts *facts,
                         int32_t *orientation, ic_image **out);
ic_status ic_png_decode(ic_context *context, const unsigned char *bytes, size_t size,
                        const ic_decode_options *options, ic_image_facts *facts,
                        int32_t *orientation, ic_image **out);

/*
 * The orientation (1..8) in the first directory of a TIFF block, which is what EXIF is; 1 when
 * there is none or the block makes no sense.
 */
int32_t ic_exif_orientation(const unsigned char *tiff, size_t size);

/* Whether pictures of this orientation have width and height exchanged. */
static inline bool ic_exif_turns(int32_t orientation)
{
    return orientation >= 5;
}

/* A new picture, upright. Orientation 1 gives the same picture, one more reference. */
ic_status ic_image_orient(ic_image *image, int32_t orientation, ic_image **out);

#endif
