/*
 * image/exif.c: the orientation in an EXIF block. EXIF is a TIFF file in small: a header with the
 * byte order and the offset of the first directory; a directory is a count and entries of 12 bytes:
 * tag, type, count, value (Exif 2.3, section 4.6). Nothing in it is trusted.
 * SPDX-License-Identifier: MIT
 */
#include "image/codec.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_BYTES = 12 };

static uint32_t read_16(const unsigned char *at, bool big)
{
    return big ? (uint32_t)at[0] << 8 | at[1] : (uint32_t)at[1] << 8 | at[0];
}

static uint32_t read_32(const unsigned char *at, bool big)
{
    return big ? read_16(at, big) << 16 | read_16(at + 2, big)
               : read_16(at + 2, big) << 16 | read_16(at, big);
}

/* The value of an entry if it is one small number, else 0. */
static uint32_t entry_value(const unsigned char *entry, bool big)
{
    uint32_t type = read_16(entry + 2, big);

    if (read_32(entry + 4, big) != 1)
        return 0;
    if (type == TYPE_SHORT)
        return read_16(entry + 8, big);
    return type == TYPE_LONG ? read_32(entry + 8, big) : 0;
}

int32_t ic_exif_orientation(const unsigned char *tiff, size_t size)
{
    bool big;
    size_t offset, entries;

    if (size < 10 || (tiff[0] != 'I' && tiff[0] != 'M') || tiff[1] != tiff[0])
        return 1;
    big = tiff[0] == 'M';
    offset = read_32(tiff + 4, big);
    if (read_16(tiff + 2, big) != 42 || offset > size - 2)
        return 1;

    entries = read_16(tiff + offset, big);
    offset += 2;
    for (size_t i = 0; i < entries && size - offset >= ENTRY_BYTES; i++, offset += ENTRY_BYTES) {
        const unsigned char *entry = tiff + offset;

        if (read_16(entry, big) == TAG_ORIENTATION) {
            uint32_t value = entry_value(entry, big);

            return value >= 1 && value <= 8 ? (int32_t)value : 1;
        }
    }
    return 1;
}
