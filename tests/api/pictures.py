"""pictures.py: pictures for the tests of the command line."""

import struct
import zlib


def png(path, light, seed, side=28, flat=False):
    """A grey PNG file written by hand; flat: without any detail."""
    rows = b"".join(b"\0" + bytes((170 if light else 20) + (0 if flat else (x * 7 + y * 3 + seed * 13) % 60)
                                  for x in range(side)) for y in range(side))

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
