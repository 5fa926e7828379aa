"""An independent reader of .safetensors files, with nothing but Python's own library.

Usage: safetensors_oracle.py FILE
Checks the container as the format's description and imgcls's own promises (alignment, order, hash) have it, then
prints one line for each metadata key ("meta KEY") and each tensor ("tensor NAME DTYPE SHAPE SHA256"), in file order.
SPDX-License-Identifier: MIT
"""

import hashlib
import json
import struct
import sys

SIZES = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "I32": 4, "U8": 1}


def unique(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), "a key is there twice"
    return dict(pairs)


def check_hash(raw, stated):
    assert raw.count(stated.encode()) == 1, "the hash stands in the file once"
    zeroed = raw.replace(stated.encode(), b"0" * 64)
    assert hashlib.sha256(zeroed).hexdigest() == stated, "the hash is not that of the file"


def check(raw):
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length].decode("utf-8"), object_pairs_hook=unique)
    assert (8 + length) % 64 == 0, "the data starts at a multiple of 64"
    metadata = header.pop("__metadata__")
    assert all(isinstance(value, str) for value in metadata.values())
    check_hash(raw, metadata["imgcls.sha256"])
    data = raw[8 + length :]
    end, previous = 0, None
    for name, entry in header.items():
        begin = entry["data_offsets"][0]
        assert begin == end, f"{name}: a hole or an overlap"
        end = entry["data_offsets"][1]
        count = 1
        for extent in entry["shape"]:
            count *= extent
        assert end - begin == count * SIZES[entry["dtype"]], f"{name}: shape and bytes differ"
        place = (-SIZES[entry["dtype"]], name.encode())
        assert previous is None or previous < place, f"{name}: out of order"
        previous = place
    assert end == len(data), "bytes behind the last tensor"
    return metadata, header, data


def main():
    with open(sys.argv[1], "rb") as file:
        metadata, header, data = check(file.read())
    for key in metadata:
        print("meta", key)
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        shape = "x".join(map(str, entry["shape"])) or "scalar"
        print("tensor", name, entry["dtype"], shape, hashlib.sha256(data[begin:end]).hexdigest())


main()
