/* image/sniff.c: what kind of file the first bytes tell of. SPDX-License-Identifier: MIT */
#include "image/image.h"

#include <string.h>

/* Whether `text` (of `length` bytes, zeros allowed) stands at `offset`. */
static bool stands_at(const void *bytes, size_t size, size_t offset, const char *text,
                      size_t length)
{
    return size >= offset && size - offset >= length &&
           memcmp((const char *)bytes + offset, text, length) == 0;
}

ic_format ic_image_sniff(const void *bytes, size_t size)
{
    if (stands_at(bytes, size, 0, "\x89PNG\r\n\x1a\n", 8))
        return IC_FORMAT_PNG;
    if (stands_at(bytes, size, 0, "\xff\xd8", 2))
        return IC_FORMAT_JPEG;
    return IC_FORMAT_UNKNOWN;
}

/* One signature: its bytes, where they stand, and the name of what has them. */
typedef struct signature {
    const char *name;
    const char *text;
    unsigned char length, offset;
} signature;

#define SIGNATURE(name, offset, text)                                                              \
    {                                                                                              \
        name, text, sizeof(text) - 1, offset                                                       \
    }

/* The first that fits is taken: longer and surer ones come before shorter ones. */
static const signature signatures[] = {
    SIGNATURE("WebP", 8, "WEBP"),
    SIGNATURE("GIF", 0, "GIF8"),
    SIGNATURE("TIFF", 0, "II*\0"),
    SIGNATURE("TIFF", 0, "MM\0*"),
    SIGNATURE("BigTIFF", 0, "II+\0"),
    SIGNATURE("BigTIFF", 0, "MM\0+"),
    SIGNATURE("AVIF", 4, "ftypavi"),
    SIGNATURE("HEIC", 4, "ftyphe"),
    SIGNATURE("HEIF", 4, "ftypmif1"),
    SIGNATURE("HEIF", 4, "ftypmsf1"),
    SIGNATURE("Canon's raw format CR3", 4, "ftypcrx"),
    SIGNATURE("a video (MP4 or QuickTime)", 4, "ftyp"),
    SIGNATURE("JPEG XL", 0, "\0\0\0\x0cJXL "),
    SIGNATURE("JPEG XL", 0, "\xff\x0a"),
    SIGNATURE("JPEG 2000", 0, "\0\0\0\x0cjP  "),
    SIGNATURE("JPEG 2000", 0, "\xff\x4f\xff\x51"),
    SIGNATURE("MNG", 0, "\x8aMNG"),
    SIGNATURE("JNG", 0, "\x8bJNG"),
    SIGNATURE("DICOM", 128, "DICM"),
    SIGNATURE("a Photoshop document", 0, "8BPS"),
    SIGNATURE("a PDF document", 0, "%PDF-"),
    SIGNATURE("OpenEXR", 0, "\x76\x2f\x31\x01"),
    SIGNATURE("Radiance HDR", 0, "#?RADIANCE"),
    SIGNATURE("QOI", 0, "qoif"),
    SIGNATURE("a DirectDraw surface", 0, "DDS "),
    SIGNATURE("an icon (ICO)", 0, "\0\0\1\0"),
    SIGNATURE("SVG", 0, "<svg"),
    SIGNATURE("an XML document (SVG perhaps)", 0, "<?xml"),
    SIGNATURE("an HTML page", 0, "<!DOCTYPE html"),
    SIGNATURE("an HTML page", 0, "<!doctype html"),
    SIGNATURE("an HTML page", 0, "<html"),
    SIGNATURE("a ZIP archive", 0, "PK\3\4"),
    SIGNATURE("gzip data", 0, "\x1f\x8b"),
    SIGNATURE("an HDF5 file", 0, "\x89HDF"),
    SIGNATURE("a NumPy array", 0, "\x93NUMPY"),
};

/* Two letters are little to go by: the header's reserved fields and its size must fit too. */
static bool is_bmp(const unsigned char *bytes, size_t size)
{
    return size >= 18 && bytes[0] == 'B' && bytes[1] == 'M' && bytes[6] == 0 && bytes[7] == 0 &&
           bytes[8] == 0 && bytes[9] == 0 && bytes[15] == 0 && bytes[16] == 0 && bytes[17] == 0;
}

/* Portable bitmap and its kin: P1 to P7 and white space. */
static bool is_pnm(const unsigned char *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
           (bytes[2] == '\n' || bytes[2] == '\r' || bytes[2] == ' ' || bytes[2] == '\t');
}

const char *ic_image_format_name(const void *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
        const signature *s = &signatures[i];

        if (stands_at(bytes, size, s->offset, s->text, s->length))
            return s->name;
    }
    if (is_bmp(bytes, size))
        return "BMP";
    if (is_pnm(bytes, size))
        return "PNM";
    return NULL;
}
