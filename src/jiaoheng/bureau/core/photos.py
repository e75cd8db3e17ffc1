"""Photos made safe: turned upright, scaled, encoded anew without place, device or anything else, with a small picture.

Decoding happens in a child process with little memory and time: a picture is a stranger's program for our decoder.
The child knows no Django; it reads the picture from stdin and writes two lengths and two pictures to stdout.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiaoheng

LONGEST = 2560  # pixels of the longer side: a hazard's detail still shows, a phone's 4 MB become 0.6
SMALL = 360
MOST_PIXELS = 80_000_000  # a phone's largest picture has 50; what has more is a bomb or a scan that should be a PDF
_SECONDS = 30
_MEMORY = 1 << 30
_HEAD = struct.Struct(">4sII")
_SOURCE = str(Path(jiaoheng.__file__).resolve().parent.parent)
BROKEN, TOO_LARGE = 3, 4  # exit codes of the child


class PhotoError(Exception):
    """Not a picture that can be shown; `too_many` where it has too many pixels."""

    def __init__(self, *, too_many: bool = False) -> None:
        super().__init__("too many pixels" if too_many else "broken picture")
        self.too_many = too_many


@dataclass(frozen=True, slots=True)
class Photo:
    """The picture as it is stored (JPEG or PNG) and its small JPEG."""

    data: bytes
    small: bytes
    media_type: str
    suffix: str


def prepare(data: bytes) -> Photo:
    """The safe form of a picture, made in a child process. Raises PhotoError."""
    environment = {"PYTHONPATH": _SOURCE, "PATH": os.environ.get("PATH", ""), "PYTHONIOENCODING": "utf-8"}
    if os.name == "nt":
        environment["SYSTEMROOT"] = os.environ.get("SYSTEMROOT", "")
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "jiaoheng.bureau.core.photos"],
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise PhotoError(too_many=True) from None
    if done.returncode != 0 or len(done.stdout) < _HEAD.size:
        raise PhotoError(too_many=done.returncode == TOO_LARGE)
    kind, large, small = _HEAD.unpack_from(done.stdout)
    body = done.stdout[_HEAD.size :]
    if len(body) != large + small:
        raise PhotoError
    png = kind == b"PNG "
    return Photo(body[:large], body[large:], "image/png" if png else "image/jpeg", ".png" if png else ".jpg")


def made_safe(data: bytes) -> tuple[bytes, bytes, bytes]:
    """(kind, picture, small picture); what the child does. Raises Pillow's errors."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise Image.DecompressionBombError
        lossless = opened.format == "PNG"
        opened.draft("RGB", (LONGEST, LONGEST))  # JPEG is decoded at a half or a quarter where that is enough
        opened.load()
        upright = ImageOps.exif_transpose(opened)
    picture = _plain(upright)
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    small = _on_white(picture)
    small.thumbnail((SMALL, SMALL), Image.Resampling.LANCZOS)
    if lossless:
        return b"PNG ", _saved(picture, "PNG"), _saved(small, "JPEG", quality=80)
    return b"JPEG", _saved(_on_white(picture), "JPEG", quality=86, optimize=True), _saved(small, "JPEG", quality=80)


def _plain(image: Any) -> Any:
    """The pixels alone, in sRGB: profiles name devices, and every other note goes with the old image object."""
    from PIL import Image, ImageCms

    mode = "RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB"
    profile = image.info.get("icc_profile")
    if profile and image.mode == "RGB":
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            image = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
    made = Image.new(mode, image.size)
    made.paste(image.convert(mode))
    return made


def _on_white(image: Any) -> Any:
    from PIL import Image

    if image.mode != "RGBA":
        return image.copy()
    made = Image.new("RGB", image.size, "white")
    made.paste(image, mask=image.getchannel("A"))
    return made


def _saved(image: Any, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _limited() -> None:
    """Little memory and time, where the system can say so; elsewhere the parent's clock and the pixel limit hold."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))


def main() -> int:
    """The child's whole life."""
    from PIL import Image

    _limited()
    try:
        kind, large, small = made_safe(sys.stdin.buffer.read())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        return TOO_LARGE
    except Exception:  # a decoder raises what it likes on broken data
        return BROKEN
    sys.stdout.buffer.write(_HEAD.pack(kind, len(large), len(small)) + large + small)
    return 0


if __name__ == "__main__":
    sys.exit(main())
