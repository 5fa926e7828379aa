/* image/decode.c: from encoded bytes to an upright picture, whatever the format.
 * SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "image/codec.h"

#include <string.h>

/* The error for bytes that neither decoder wants. */
static ic_status refuse(const unsigned char *bytes, size_t size)
{
    const char *name = ic_image_format_name(bytes, size);

    if (name)
        return ic_fail(IC_ERROR_UNSUPPORTED,
                       "this is %s; only JPEG and PNG are read: convert it to one of them", name);
    if (size == 0)
        return ic_fail(IC_ERROR_FORMAT, "the picture is empty: it has no bytes at all");
    if (size >= 4 && memcmp(bytes + 1, "PNG", 3) == 0)
        return ic_fail(IC_ERROR_FORMAT, "a PNG whose first bytes were changed, as by a transfer in "
                                        "text mode: fetch it again in binary mode");
    return ic_fail(IC_ERROR_FORMAT, "neither JPEG nor PNG: it begins with the bytes %02x %02x",
                   bytes[0], size > 1 ? bytes[1] : 0);
}

ic_status ic_image_decode_with(ic_context *context, const void *bytes, size_t size,
                               const ic_decode_options *options, ic_image_facts *facts,
                               ic_image **out)
{
    static const ic_decode_options plain = {0};
    ic_image_facts found = {0};
    ic_image *image = NULL;
    int32_t orientation = 1;
    ic_decoder_fn decode;

    if (!options)
        options = &plain;
    if (size > (uint64_t)context->limits.file_bytes)
        return ic_fail(IC_ERROR_LIMIT,
                       "the picture has %zu bytes, the limit is %lld (option max_file_mb)", size,
                       (long long)context->limits.file_bytes);
    found.format = ic_image_sniff(bytes, size);
    if (found.format == IC_FORMAT_UNKNOWN)
        return refuse(bytes, size);
    decode = found.format == IC_FORMAT_JPEG ? ic_jpeg_decode : ic_png_decode;
    IC_TRY(decode(context, bytes, size, options, &found, &orientation, &image));

    if (image) {
        ic_status status = ic_image_orient(image, orientation, out);

        ic_image_free(image);
        IC_TRY(status);
    }
    if (ic_exif_turns(orientation)) {
        int32_t width = found.width;

        found.width = found.height;
        found.height = width;
    }
    if (facts)
        *facts = found;
    return IC_OK;
}
