"""A picture is judged by what it would take, before it is decoded; what is let in takes no more."""

import io
import os
import re
import struct
import subprocess
import sys
import textwrap
import zlib

import numpy as np
import pytest
from PIL import Image

import lucid_ext as lx
from tests import memory

LIMIT = 200_000_000
REFUSED = r"is {} x {} pixels and would take about [\d,]+ MB of memory; expected at most 800 MB: "


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def png(width: int, height: int) -> bytes:
    """The header of a PNG of any size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 10) + b"IDAT" + bytes(14)


def jpeg(width: int, height: int, **options) -> bytes:
    """A small JPEG whose header says another size."""
    data = encoded(Image.new("RGB", (64, 64), "red"), "jpeg", **options)
    start = re.search(rb"\xff[\xc0\xc2]\x00\x11\x08", data).end()
    return data[:start] + struct.pack(">HH", height, width) + data[start + 4 :]


def webp(width: int, height: int) -> bytes:
    """An animation of one small frame on a canvas of any size."""
    data = encoded(
        Image.new("RGBA", (64, 64), "red"), "webp", save_all=True, append_images=[Image.new("RGBA", (64, 64))]
    )
    return data[:24] + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3] + data[30:]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(60000, 60000), (60000, 60000)),
        (png(15000, 14000), (15000, 14000)),
        (jpeg(20000, 20000, progressive=True), (20000, 20000)),
        (jpeg(65000, 65000, progressive=True), (65000, 65000)),
        (webp(8000, 8000), (8000, 8000)),
        (webp(1_000_000, 100), (1000000, 100)),
        (
            encoded(Image.new("L", (1, 1)), "gif").replace(b"\1\0\1\0", struct.pack("<HH", 65000, 65000), 1),
            (65000, 65000),
        ),
    ],
)
def test_headers_that_claim_too_much_are_refused(data, size):
    with pytest.raises(ValueError, match=REFUSED.format(*size)) as error:
        lx.load_image(data)
    assert re.search(
        r"scale it down first, or allow more with load_image\(\.\.\., max_bytes=[\d_]+\)\.$", str(error.value)
    )


def test_the_limit_can_be_raised_and_lowered(tmp_path):
    picture = encoded(Image.new("RGB", (1000, 800), "red"), "png")
    with pytest.raises(ValueError, match=r"1000 x 800 pixels .* expected at most 10 MB") as error:
        lx.load_image(picture, max_bytes=10_000_000)
    enough = int(re.search(r"max_bytes=([\d_]+)", str(error.value))[1])
    assert lx.load_image(picture, max_bytes=enough).shape == (800, 1000, 3)
    for source in (np.zeros((1000, 1000, 3)), Image.new("RGB", (1000, 1000))):
        with pytest.raises(ValueError, match="expected at most 10 MB"):
            lx.load_image(source, max_bytes=10_000_000)
    for limit in (0, -1, "1 GB", None, float("nan")):
        with pytest.raises(
            ValueError, match=r"^max_bytes is .*; expected a number of bytes, such as 800_000_000\.$"
        ):
            lx.load_image(picture, max_bytes=limit)


@pytest.mark.parametrize("size", [(8160, 6120), (12000, 9000), (16320, 12240)])  # 50, 108, 200 megapixels
@pytest.mark.parametrize("subsampling", [0, 2])
def test_photographs_of_many_megapixels_are_decoded_small(size, subsampling):
    image = lx.load_image(jpeg(*size, subsampling=subsampling), max_bytes=100_000_000)
    assert image.shape == (768, 1024, 3)
    assert image[0, 0, 0] > image[-1, -1, 0] + 0.1  # the corner that the file holds is red


def test_a_jpeg_in_two_hundred_scans():
    data = encoded(Image.new("RGB", (64, 64), "red"), "jpeg", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    assert lx.load_image(data[:-2] + 50 * last + data[-2:]).shape == (64, 64, 3)
    with pytest.raises(ValueError, match=r"is a JPEG of 2\d\d scans; expected at most 100: save it anew"):
        lx.load_image(data[:-2] + 200 * last + data[-2:])


def test_programs_are_not_run_and_formats_without_bounds_not_read():
    for kind in ("eps", "icns", "dds", "sgi"):
        data = encoded(Image.new("RGB", (64, 64), "red"), kind)
        with pytest.raises(ValueError, match="cannot be read as a picture"):
            lx.load_image(data)


# Memory, in processes of their own.

LARGE = """
    import sys
    import numpy as np
    import lucid_ext as lx
    lx.load_model("mini")
    print(*lx.load_image(sys.argv[1]).shape, *lx.load_image(np.zeros((9000, 9000, 3), np.uint8)).shape)
    print(peak())
"""


@memory.needs_linux
def test_a_hundred_megapixels_and_tensorflow_stay_under_two_gigabytes(tmp_path):
    packed, row = zlib.compressobj(1), b"\0" + b"\xc8\x09\x09\x63" * 10000
    pixels = b"".join(packed.compress(row) for _ in range(10000)) + packed.flush()
    end = b"\0\0\0\0IEND" + zlib.crc32(b"IEND").to_bytes(4, "big")
    data = struct.pack(">I", len(pixels)) + b"IDAT" + pixels + zlib.crc32(b"IDAT" + pixels).to_bytes(4, "big")
    (tmp_path / "large.png").write_bytes(png(10000, 10000)[:33] + data + end)
    shapes, peak = memory.run(LARGE, tmp_path / "large.png")
    assert shapes == "1024 1024 3 1024 1024 3"
    assert int(peak) < 1_600_000_000


MEASURE = """
    import io, sys
    import numpy as np
    from PIL import Image
    import lucid_ext as lx
    Image.MAX_IMAGE_PIXELS = None
    LIMIT = {limit}

    def rss(what):
        lines = open("/proc/self/status").read().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(what))

    def measure(name, make, cost):
        side = int((0.5 * LIMIT / cost) ** 0.5)
        source = make(side)
        held = 0 if isinstance(source, bytes) else source.nbytes
        open("/proc/self/clear_refs", "w").write("5")  # the peak begins anew
        before = rss("VmRSS")
        lx.load_image(source, max_bytes=LIMIT)
        print(f"{{name}}: {{(held + rss('VmHWM') - before) / LIMIT:.2f}}", flush=True)

    DEPTH = {{"I;16": np.uint16, "I": np.int32, "F": np.float32}}

    def file(mode, kind, colour, animated=False, **options):
        def make(side):
            size, data = (side, side), io.BytesIO()
            if mode in DEPTH:
                picture = Image.fromarray(np.full(size, colour, DEPTH[mode]))
            else:
                picture = Image.new(mode, size, colour)
            if animated:
                options.update(save_all=True, append_images=[Image.new(mode, size)])
            picture.save(data, kind, **options)
            return data.getvalue()

        return make

    lx.load_image(np.zeros((3000, 3000, 4), np.uint8))
    red, clear, one_strip = (200, 9, 9), (200, 9, 9, 99), dict(compression="tiff_lzw", strip_size=1 << 30)
    for name, make, cost in [
        ("png RGB", file("RGB", "png", red, compress_level=1), 4),
        ("png RGBA", file("RGBA", "png", clear, compress_level=1), 4),
        ("png LA", file("LA", "png", (9, 99), compress_level=1), 4),
        ("png L", file("L", "png", 9), 4),
        ("png L key", file("L", "png", 9, transparency=9), 4),
        ("png P", file("P", "png", 9, transparency=9), 4),
        ("png 1", file("1", "png", 1), 4),
        ("png 16 bit", file("I;16", "png", 999), 4),
        ("gif", file("P", "gif", 9, transparency=9), 4),
        ("bmp", file("RGB", "bmp", red), 7),
        ("ppm", file("RGB", "ppm", red), 7),
        ("tga", file("RGBA", "tga", clear, compression="tga_rle"), 4),
        ("pcx", file("RGB", "pcx", red), 5),
        ("webp", file("RGB", "webp", red, method=0), 16),
        ("webp RGBA", file("RGBA", "webp", clear, lossless=True, method=0), 16),
        ("webp animation", file("RGBA", "webp", clear, animated=True, method=0), 16),
        ("tiff RGB", file("RGB", "tiff", red, **one_strip), 8),
        ("tiff RGBA", file("RGBA", "tiff", clear, **one_strip), 8),
        ("tiff CMYK", file("CMYK", "tiff", clear, **one_strip), 8),
        ("tiff 16 bit", file("I;16", "tiff", 999, **one_strip), 8),
        ("tiff 32 bit", file("I", "tiff", 999, **one_strip), 8),
        ("tiff float", file("F", "tiff", 0.5, **one_strip), 8),
        ("tiff turned", file("RGB", "tiff", red, tiffinfo={{274: 6}}), 11),
        ("tiff 1 bit", file("1", "tiff", 1, compression="group4"), 4.5),
        ("jpeg", file("RGB", "jpeg", red), 1),
        ("jpeg CMYK", file("CMYK", "jpeg", clear), 1),
        ("jpeg progressive", file("RGB", "jpeg", red, progressive=True, subsampling=0), 7),
        ("jpeg2000", file("RGBA", "jpeg2000", clear), 28),
        ("avif", file("RGBA", "avif", clear, speed=10, subsampling="4:4:4"), 20),
        ("uint8", lambda side: np.full((side, side, 3), 9, np.uint8), 3),
        ("uint8 with opacity", lambda side: np.full((side, side, 4), 9, np.uint8), 4),
        ("uint16", lambda side: np.full((side, side), 9, np.uint16), 2),
        ("int64", lambda side: np.full((side, side, 3), 9, np.int64), 24),
        ("bool", lambda side: np.full((side, side, 3), True), 3),
        ("float16", lambda side: np.full((side, side, 3), 0.5, np.float16), 6),
        ("float32", lambda side: np.full((side, side, 4), 0.5, np.float32), 16),
        ("float64", lambda side: np.full((side, side, 3), 0.5), 24),
        ("long", lambda side: np.full((100, LIMIT // 4200, 3), 9, np.uint8), 39),
    ]:
        if name != "avif" or "AVIF" in Image.SAVE:
            measure(name, make, cost)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads peaks of memory from /proc")
def test_no_kind_of_picture_takes_more_than_was_said():
    code = textwrap.dedent(MEASURE.format(limit=LIMIT))
    # glibc gives back at once what was freed, so that nothing of one picture is left for the next.
    glibc = {"MALLOC_MMAP_THRESHOLD_": "100000", "MALLOC_TRIM_THRESHOLD_": "100000"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=os.environ | glibc
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    peaks = {name: float(peak) for name, peak in (line.split(": ") for line in done.stdout.splitlines())}
    assert len(peaks) > 35
    # Half of the limit is decoding; the rest is for what the result is made in.
    assert {name: peak for name, peak in peaks.items() if not 0.05 < peak < 0.9} == {}
