"""A PNG decoder in plain Python, written from the specification (W3C PNG, third edition) and sharing
nothing with libpng: the reference that robust.py compares with. SPDX-License-Identifier: MIT"""
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: first column, first row, column step, row step of each pass.
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


class Broken(Exception):
    """The file is not a sound PNG."""


def chunks(data):
    """(name, body) of each chunk up to IEND."""
    if data[:8] != SIGNATURE:
        raise Broken("signature")
    position = 8
    while True:
        if position + 12 > len(data):
            raise Broken("cut short")
        (length,) = struct.unpack_from(">I", data, position)
        name, body = data[position + 4:position + 8], data[position + 8:position + 8 + length]
        if position + 12 + length > len(data):
            raise Broken("cut short")
        (check,) = struct.unpack_from(">I", data, position + 8 + length)
        if zlib.crc32(name + body) != check:
            raise Broken("CRC of " + repr(name))
        yield name, body
        if name == b"IEND":
            return
        position += 12 + length


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def unfilter(kind, row, above, step):
    row = bytearray(row)
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        up = above[i]
        corner = above[i - step] if i >= step else 0
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 2:
            row[i] = (row[i] + up) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + up) // 2) & 255
        elif kind == 4:
            row[i] = (row[i] + paeth(left, up, corner)) & 255
        elif kind:
            raise Broken("filter %d" % kind)
    return row


def unpack(row, count, bits):
    """The samples of a row as a list of numbers."""
    if bits == 16:
        return list(struct.unpack(">%dH" % count, bytes(row[:2 * count])))
    if bits == 8:
        return list(row[:count])
    each = 8 // bits
    return [row[i // each] >> (8 - bits * (i % each + 1)) & ((1 << bits) - 1) for i in range(count)]


def read_passes(raw, width, height, samples, bits, interlaced):
    """Rows of samples, whole, from the inflated data."""
    rows = [[0] * (width * samples) for _ in range(height)]
    step, position = max(1, samples * bits // 8), 0
    for x0, y0, dx, dy in PASSES if interlaced else [(0, 0, 1, 1)]:
        columns, lines = -(-(width - x0) // dx), -(-(height - y0) // dy)
        if columns <= 0 or lines <= 0:
            continue
        length = (columns * samples * bits + 7) // 8
        above = bytearray(length)
        for line in range(lines):
            if position + 1 + length > len(raw):
                raise Broken("too few pixels")
            above = unfilter(raw[position], raw[position + 1:position + 1 + length], above, step)
            position += 1 + length
            values, row = unpack(above, columns * samples, bits), rows[y0 + line * dy]
            for c in range(samples):
                row[x0 * samples + c::dx * samples] = values[c::samples]
    return rows


def expand(rows, kind, bits, palette, transparent):
    """(rows, channels, depth) with full samples: palette to colours, transparency to alpha."""
    if kind == 3:
        alpha = list(transparent or b"")
        alpha += [255] * (256 - len(alpha))
        palette = palette + bytes(768 - len(palette))
        colours = [list(palette[3 * i:3 * i + 3]) + ([alpha[i]] if transparent is not None else [])
                   for i in range(256)]
        return [[s for i in row for s in colours[i]] for row in rows], len(colours[0]), 8
    depth, samples = max(bits, 8), SAMPLES[kind]
    most = (1 << depth) - 1
    key = None
    if transparent is not None and kind in (0, 2):
        key = [v & ((1 << bits) - 1) for v in struct.unpack(">%dH" % samples, transparent)]
    scale = most // ((1 << bits) - 1)
    if key is None:
        return [[s * scale for s in row] for row in rows], samples, depth
    out = []
    for row in rows:
        line = []
        for i in range(0, len(row), samples):
            pixel = row[i:i + samples]
            line += [s * scale for s in pixel] + [0 if pixel == key else most]
        out.append(line)
    return out, samples + 1, depth


def orientation_of(exif):
    """The orientation in an eXIf chunk, 1 without or when the chunk makes no sense."""
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (at,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, at)
        for i in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", exif, at + 2 + 12 * i)
            if tag == 0x112 and kind == 3:
                return value
    except struct.error:
        pass
    return 1


def decode(data):
    """(width, height, channels, depth, samples as bytes (16-bit ones big-endian), orientation)."""
    found, body = {}, b""
    for name, content in chunks(data):
        if name == b"IDAT":
            body += content
        else:
            found.setdefault(name, content)
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", found[b"IHDR"])
    rows = read_passes(zlib.decompress(body), width, height, SAMPLES[kind], bits, interlaced)
    rows, channels, depth = expand(rows, kind, bits, found.get(b"PLTE", b""), found.get(b"tRNS"))
    code = ">%dB" if depth == 8 else ">%dH"
    samples = b"".join(struct.pack(code % len(r), *r) for r in rows)
    return width, height, channels, depth, samples, orientation_of(found.get(b"eXIf", b""))
