"""Makes the GIFs and TIFFs of this folder byte for byte, animation.avif but for its times, and read.json: what Pillow reads
of those that are read. Needs Pillow with AVIF, numpy.

Not made here: black-on-white, red-on-white and transp.gif, greyfloat01.tif, damaged-palette.bmp and x.heic are inputs that
failed once; hevc.avif is 40 x 30 pixels written by pillow-heif under another name, hevc-brand.avif that with the brands of
AVIF too.

    python test/golden/image/make.py
"""

import hashlib
import json
import random
import struct
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent
GALLERY = FOLDER.parent.parent.parent / "models" / "miniature" / "pictures"


def lzw(indices: list[int], bits: int) -> bytes:
    """Codes that never grow: a clear code before the table would."""
    clear, size = 1 << bits, bits + 1
    codes = [clear]
    for count, index in enumerate(indices, 1):
        codes.append(index)
        if count % ((1 << bits) - 2) == 0:
            codes.append(clear)
    codes.append(clear + 1)
    value = sum(code << (size * at) for at, code in enumerate(codes))
    data = value.to_bytes((size * len(codes) + 7) // 8, "little")
    blocks = b"".join(bytes([len(part)]) + part for part in (data[at : at + 255] for at in range(0, len(data), 255)))
    return bytes([bits]) + blocks + b"\0"


def gif(name, screen, frame, transparent=3, background=5, has_global=True, has_local=False, interlaced=False, disposal=0, extension=b""):
    """One frame of noise in 16 colours at a place of the screen."""
    draw = random.Random(name)

    def palette():
        return bytes(draw.randrange(256) for _ in range(48))

    left, top, width, height = frame
    parts = [b"GIF89a" + struct.pack("<HHBBB", *screen, 0xF3 if has_global else 0x70, background, 0)]
    parts += [palette()] if has_global else []
    parts.append(extension)
    if transparent is not None:
        parts.append(b"\x21\xf9\x04" + bytes([disposal << 2 | 1]) + b"\0\0" + bytes([transparent]) + b"\0")
    flags = (0x83 if has_local else 0) | (0x40 if interlaced else 0)
    parts.append(b"\x2c" + struct.pack("<HHHHB", left, top, width, height, flags))
    parts += [palette()] if has_local else []
    parts += [lzw([draw.randrange(16) for _ in range(width * height)], 4), b"\x3b"]
    (FOLDER / f"{name}.gif").write_bytes(b"".join(parts))


def tiff(name, samples, kind, photometric=1, palette=None):
    """Samples of a kind (1: unsigned, 2: signed, 3: floating point) without compression, one or more a pixel."""
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    data = samples.tobytes()
    bits = samples.itemsize * 8
    entries = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8)]
    entries += [(277, channels), (278, height), (279, len(data))]
    entries += [(320, palette)] if palette else []
    entries += [(339, kind)] if channels == 1 else []
    shorts = {258, 259, 262, 277, 339}
    behind = 8 + len(data) + 2 + 12 * len(entries) + 4
    extra = struct.pack(f"<{channels}H", *[bits] * channels) if channels > 2 else b""
    directory = struct.pack("<H", len(entries))
    for tag, value in entries:
        if tag == 258 and channels > 2:
            directory += struct.pack("<HHII", tag, 3, channels, behind)
        elif tag == 320:
            directory += struct.pack("<HHII", tag, 3, len(value), behind)
            extra += struct.pack(f"<{len(value)}H", *value)
        else:
            directory += struct.pack("<HHI", tag, 3 if tag in shorts else 4, 1)
            directory += struct.pack("<HH", value, 0) if tag in shorts else struct.pack("<I", value)
    (FOLDER / name).write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory + struct.pack("<I", 0) + extra)


WHOLE, PART = (0, 0, 9, 7), (2, 1, 5, 4)
gif("inter-trans", (9, 13), (0, 0, 9, 13), interlaced=True)
gif("part-trans", (9, 7), PART)
gif("part-local-trans", (9, 7), PART, has_global=False, has_local=True)
gif("part-both-opaque", (9, 7), PART, transparent=None, has_local=True)
gif("trans-out", (9, 7), WHOLE, transparent=200)
gif("disp3", (9, 7), PART, disposal=3)
loop = b"\x21\xfe\x05hello\0\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
gif("comment", (9, 7), WHOLE, extension=loop)
gif("beyond", (9, 7), (5, 4, 8, 8))
gif("screen-640", (640, 480), PART)
gif("screen-long", (3000, 8), PART, has_local=True)

drawing = Image.open(GALLERY / "clean-04.png").convert("RGB").resize((40, 30))
grey = np.asarray(drawing)[..., 0]
drawing.convert("YCbCr").save(FOLDER / "ycbcr.tif")
tiff("half.tif", (grey / 255.0).astype("<f2"), 3)
tiff("s16.tif", grey.astype("<i2"), 2)

inks = np.asarray(drawing.convert("CMYK"))
tiff("cmyk16.tif", inks.astype("<u2") * 257 ^ 0x55, 1, photometric=5)
tiff("palette-short.tif", grey, 1, photometric=3, palette=[index * 257 for index in range(30)])
drawing.save(FOLDER / "drawing.png")
drawing.save(FOLDER / "lzma.tif", compression="lzma")
drawing.save(FOLDER / "animation.avif", save_all=True, append_images=[drawing.rotate(180)], subsampling="4:4:4", quality=100)

read = {}
for path in [*sorted(FOLDER.glob("*.gif")), FOLDER / "cmyk16.tif"]:
    image = Image.open(path).convert("RGB")
    sha256 = hashlib.sha256(image.tobytes()).hexdigest()
    read[path.name] = {"width": image.width, "height": image.height, "rgbSha256": sha256}
(FOLDER / "read.json").write_text(json.dumps(read, indent=2))
