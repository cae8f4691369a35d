"""Files state more than their pixels: each statement is applied, or the file is refused with a sentence."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from stimsynth.banks.faults import Faults
from stimsynth.banks.plan import TargetsPlan
from stimsynth.banks.targets import files_of, load_targets
from stimsynth.images import load, load_images, load_picture, save
from stimuli_store.errors import InputError
from tests.helpers import forbid
from tests.synth.image_files import png, profile, tiff, with_chunk

RNG = np.random.default_rng(0)
U8 = RNG.integers(0, 256, (6, 8), np.uint8)
U16 = RNG.integers(0, 65536, (6, 8), np.uint16)
RGB8 = RNG.integers(0, 256, (6, 8, 3), np.uint8)
RGB16 = RNG.integers(0, 65536, (6, 8, 3), np.uint16)
RGBA16 = RNG.integers(0, 65536, (6, 8, 4), np.uint16)
ALPHA = RNG.integers(0, 256, (6, 8), np.uint8)


def over_grey(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return values * alpha + 0.5 * (1 - alpha)


def srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def pillow(array: np.ndarray, name: str = "x.png", **how: object) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        Image.fromarray(array).save(folder / name, **how)
        return folder / name

    return write


def written(write: Callable, name: str, *words: object, **how: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write(folder / name, *words, **how)
        return folder / name

    return make


def palette(folder: Path) -> Path:
    image = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
    image.putpalette((255 * PALETTE).astype(np.uint8).tobytes())
    image.save(folder / "p.png", transparency=bytes([0] + [255] * 47))
    return folder / "p.png"


def chunked(array: np.ndarray, **chunks: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = pillow(array)(folder)
        for name, data in chunks.items():
            with_chunk(path, name.encode(), data)
        return path

    return make


def text(name: str, content: bytes) -> Callable[[Path], Path]:
    return written(Path.write_bytes, name, content)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LINEAR = b"\0\1\x86\xa0"  # gAMA of 1
PALETTE = np.stack([np.arange(48) * 5, np.arange(48), np.arange(48)], -1).reshape(6, 8, 3) / 255
SEEN_THROUGH = np.where(np.arange(48).reshape(6, 8, 1) == 0, 0.5, PALETTE)
GREY = np.linspace(0, 255, 48).astype(np.uint8).reshape(6, 8)

APPLIED: dict[str, tuple[Callable[[Path], Path], np.ndarray]] = {
    "16-bit colour PNG": (written(png, "x.png", RGB16, 2), RGB16 / 65535),
    "16-bit colour PNG with alpha": (
        written(png, "x.png", RGBA16, 6),
        over_grey(RGBA16[..., :3] / 65535, RGBA16[..., 3:] / 65535),
    ),
    "16-bit grey PNG": (written(png, "x.png", U16, 0), U16 / 65535),
    **{
        f"16-bit colour TIFF {order}{' deflated' if deflate else ''}": (
            written(tiff, "x.tif", RGB16, order=order, deflate=deflate),
            RGB16 / 65535,
        )
        for order in "<>"
        for deflate in (False, True)
    },
    "16-bit colour TIFF with alpha": (
        written(tiff, "x.tif", RGBA16, extra=2),
        over_grey(RGBA16[..., :3] / 65535, RGBA16[..., 3:] / 65535),
    ),
    "8-bit colour TIFF": (written(tiff, "x.tif", RGB8), RGB8 / 255),
    "16-bit TIFF <": (written(tiff, "x.tif", U16), U16 / 65535),
    "16-bit TIFF >": (written(tiff, "x.tif", U16, order=">"), U16 / 65535),
    "12-bit TIFF": (written(tiff, "x.tif", U16 // 16, bits=12), (U16 // 16) / 4095),
    "8-bit TIFF, white is zero": (written(tiff, "x.tif", U8, photometric=0), 1 - U8 / 255),
    "16-bit TIFF, white is zero": (written(tiff, "x.tif", U16, photometric=0), 1 - U16 / 65535),
    "float TIFF": (written(tiff, "x.tif", (U8 / 255).astype(np.float32)), U8 / 255),
    "palette with transparency": (palette, SEEN_THROUGH),
    "grey with alpha": (
        pillow(np.dstack([U8, ALPHA])),
        over_grey(U8 / 255, ALPHA / 255),
    ),
    "colour with alpha": (
        pillow(np.dstack([RGB8, ALPHA])),
        over_grey(RGB8 / 255, ALPHA[..., None] / 255),
    ),
    "one grey transparent": (
        pillow(GREY, transparency=int(GREY[2, 3])),
        np.where(GREY[2, 3] == GREY, 0.5, GREY / 255),
    ),
    "sRGB profile": (pillow(RGB8, icc_profile=SRGB), RGB8 / 255),
    "sRGB profile of 16 bits": (
        written(png, "x.png", RGB16, 2, chunks={b"iCCP": b"sRGB\0\0" + zlib.compress(SRGB)}),
        RGB16 / 65535,
    ),
    "linear grey profile": (
        pillow(GREY, icc_profile=profile(1.0, grey=True)),
        srgb(GREY / 255),
    ),
    "linear colour profile": (pillow(RGB8, icc_profile=profile(1.0)), srgb(RGB8 / 255)),
    "red and green swapped": (
        pillow(RGB8, icc_profile=profile(1.0, swapped=True)),
        srgb(RGB8[..., [1, 0, 2]] / 255),
    ),
    "linear gamma": (chunked(U8, gAMA=LINEAR), srgb(U8 / 255)),
    "the gamma of sRGB": (chunked(U8, gAMA=b"\0\0\xb1\x8f"), U8 / 255),
    "sRGB beats gamma": (chunked(U8, gAMA=LINEAR, sRGB=b"\0"), U8 / 255),
    "white is 100": (
        text("x.pgm", b"P5 3 1\n# a note\n100\n" + bytes([0, 50, 100])),
        np.array([[0, 128 / 255, 1]]),
    ),
    "white is 1023": (
        text("x.pgm", b"P5 2 1 1023\n" + (1023).to_bytes(2, "big") + (341).to_bytes(2, "big")),
        np.array([[1, 1 / 3]]),
    ),
    "bits": (text("x.pbm", b"P4 8 1\n\xf0"), np.array([[0.0] * 4 + [1.0] * 4])),
    "two views of a camera": (
        written(
            lambda path: Image.new("L", (8, 6), 51).save(
                path, "MPO", save_all=True, append_images=[Image.new("L", (8, 6), 204)]
            ),
            "x.jpg",
        ),
        np.full((6, 8), 0.2),
    ),
    "a smaller copy behind": (
        written(
            lambda path: Image.fromarray(U8).save(
                path, save_all=True, append_images=[_smaller_copy()]
            ),
            "x.tif",
        ),
        U8 / 255,
    ),
}
TOLERANCE = {
    "white is 1023": 1e-4,
    "two views of a camera": 2 / 255,
    "linear grey profile": 1.5 / 255,
    "linear colour profile": 1.5 / 255,
    "red and green swapped": 1.5 / 255,
}


def _smaller_copy() -> Image.Image:
    small = Image.fromarray(U8[::2, ::2])
    small.encoderinfo = {"tiffinfo": {254: 1}}
    return small


@pytest.mark.parametrize("name", APPLIED)
def test_what_a_file_states_is_applied(tmp_path: Path, name: str) -> None:
    make, wanted = APPLIED[name]
    path = make(tmp_path)
    got = load_images(path, as_gray=False)[0].numpy()
    assert got.shape == ((1, *wanted.shape) if wanted.ndim == 2 else (3, *wanted.shape[:2]))
    at = wanted[None] if wanted.ndim == 2 else wanted.transpose(2, 0, 1)
    tolerance = TOLERANCE.get(name, 1e-6)
    np.testing.assert_allclose(got, at, atol=tolerance)
    grey = load(str(path))[0, 0].numpy()
    weighted = wanted if wanted.ndim == 2 else wanted @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(grey, weighted, atol=tolerance + 1.1 / 255)


def test_inks_without_a_profile_become_colours_and_it_is_told(tmp_path: Path) -> None:
    inks = np.array([[[0, 0, 0, 0], [51, 102, 0, 0], [0, 0, 0, 255]]], np.uint8)
    Image.frombytes("CMYK", (3, 1), inks.tobytes()).save(tmp_path / "x.tif")
    wanted = [[[1, 1, 1], [0.8, 0.6, 1], [0, 0, 0]]]
    got = load_images(tmp_path / "x.tif", as_gray=False)[0].permute(1, 2, 0)
    np.testing.assert_allclose(got, wanted, atol=1 / 255)
    assert "inks (CMYK)" in load_picture(str(tmp_path / "x.tif")).changes[0]


ORIENTATIONS = {
    1: U8, 2: U8[:, ::-1], 3: U8[::-1, ::-1], 4: U8[::-1],
    5: U8.T, 6: np.rot90(U8, 1), 7: U8[::-1, ::-1].T, 8: np.rot90(U8, -1),
}  # fmt: skip


@pytest.mark.parametrize("ending", ["png", "tif", "webp", "jpg"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_images_are_upright(tmp_path: Path, orientation: int, ending: str) -> None:
    """The stored image is the upright one, turned the other way."""
    stored = Image.fromarray(np.ascontiguousarray(ORIENTATIONS[orientation]))
    exif = stored.getexif()
    exif[0x0112] = orientation
    how = {"quality": 100} if ending == "jpg" else {"lossless": True} if ending == "webp" else {}
    stored.save(tmp_path / f"x.{ending}", exif=exif, **how)
    got = load_images(tmp_path / f"x.{ending}")[0, 0].numpy()
    np.testing.assert_allclose(got, U8 / 255, atol=4 / 255 if ending == "jpg" else 1e-6)


def frames(name: str) -> Callable[[Path], Path]:
    more = [Image.fromarray(255 - U8)]
    return written(
        lambda path: Image.fromarray(U8).save(path, save_all=True, append_images=more), name
    )


def adobe_rgb(folder: Path) -> Path:
    image = Image.fromarray(RGB8)
    exif = image.getexif()
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    image.save(folder / "x.jpg", exif=exif)
    return folder / "x.jpg"


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "animated GIF": (frames("x.gif"), "holds 2 frames"),
    "animated PNG": (frames("x.png"), "holds 2 frames"),
    "animated WebP": (frames("x.webp"), "holds 2 frames"),
    "pages": (frames("x.tif"), "holds 2 pages"),
    "signed TIFF": (written(tiff, "x.tif", U16.astype(np.int16)), "with a sign"),
    "32-bit TIFF": (written(tiff, "x.tif", U16.astype(np.int32)), "32 bits"),
    "16-bit planes": (written(tiff, "x.tif", RGB16, planes=2), "separate planes"),
    "16-bit CMYK": (written(tiff, "x.tif", RGBA16, photometric=5), "CMYK"),
    "16-bit grey with alpha": (written(png, "x.png", RGBA16[..., :2], 4), "grey with alpha"),
    "a transparent 16-bit colour": (
        written(png, "x.png", RGB16, 2, chunks={b"tRNS": bytes(6)}),
        "alpha channel",
    ),
    "Lab": (lambda f: written(Image.new("LAB", (4, 4)).save, "x.tif")(f), "colours as LAB"),
    "preview": (written(tiff, "x.tif", U8, subfile=1), "preview"),
    "float beyond 1": (written(tiff, "x.tif", U8.astype(np.float32)), "outside 0 to 1"),
    "not a number": (written(tiff, "x.tif", np.full((2, 2), np.nan, np.float32)), "outside 0 to 1"),
    "16-bit PPM": (
        text("x.ppm", b"P6 1 1 65535\n" + bytes(6)),
        "16-bit colours, of which 8 bits are read",
    ),
    "JPEG 2000": (pillow(RGB8, "x.j2k"), "format JPEG2000"),
    "other format": (written(Image.new("L", (16, 16)).save, "x.ico"), "format ICO"),
    "16 bits with another profile": (
        written(png, "x.png", RGB16, 2, chunks={b"iCCP": b"x\0\0" + zlib.compress(profile(1.0))}),
        "more than 8 bits and the colour profile 'made for a test'",
    ),
    "a broken profile": (pillow(RGB8, icc_profile=b"no profile"), "profile that cannot be applied"),
    "a grey profile for colours": (
        pillow(RGB8, icc_profile=profile(1.0, grey=True)),
        "RGB with a colour profile for GRAY",
    ),
    "other primaries": (
        chunked(RGB8, cHRM=b"".join(v.to_bytes(4, "big") for v in (31270, 32900) + (20000,) * 6)),
        "colours other than sRGB",
    ),
    "high dynamic range": (chunked(RGB8, cICP=bytes([9, 16, 0, 1])), "colours other than sRGB"),
    "Adobe RGB": (adobe_rgb, "colours other than sRGB"),
    "empty": (text("x.png", b""), "cannot be read as an image: it does not begin as one$"),
    "text": (text("x.png", b"hello"), "cannot be read as an image: it does not begin as one$"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("read", [load_images, load])
def test_what_cannot_be_applied_is_refused(tmp_path: Path, name: str, read: Callable) -> None:
    make, sentence = REFUSED[name]
    path = make(tmp_path)
    with pytest.raises(InputError, match=f"{path.name} .*{sentence}"):
        read(str(path))


def cut(name: str, less: int, filled: bool = False, **how: object) -> Callable[[Path], Path]:
    """Return a writer of a file that misses its last bytes, or has zeros for them."""

    def make(folder: Path) -> Path:
        Image.fromarray(RGB8).save(folder / name, **how)
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-less] + bytes(less if filled else 0))
        return folder / name

    return make


def link(folder: Path) -> Path:
    (folder / "b.png").symlink_to(folder / "gone.png")
    return folder / "b.png"


BROKEN: dict[str, Callable[[Path], Path]] = {
    **{
        f"{format} without its last {less} bytes{', filled with zeros' if filled else ''}": cut(
            "b", less, filled, format=format, **how
        )
        for format, how in (("PNG", {}), ("JPEG", {"comment": b"\xff\xd9"}), ("GIF", {}))
        for less in (1, 8, 40)
        for filled in (False, True)
    },
    "a header of JPEG": text("b", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    "a header of PNG": text("b", b"\x89PNG\r\n\x1a\n"),
    "TIFF": cut("b", 40, format="TIFF"),
    "WebP": cut("b.webp", 1),
    "capitals": cut("B.PNG", 40),
    "empty": text("b.png", b""),
    "text": text("b.jpg", b"hello"),
    "another format": text("b.heic", b"\0\0\0\x18ftypheic"),
    "a link to nothing": link,
}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_in_a_folder_is_named(tmp_path: Path, name: str) -> None:
    path = BROKEN[name](tmp_path)
    Image.fromarray(U8).save(tmp_path / "a.png")
    Image.fromarray(U8).save(tmp_path / "c.png")
    with pytest.raises(
        InputError, match=f"{path.name} cannot be read|no image file .*{path.name}: it is a link"
    ):
        load_images(tmp_path)


def test_a_file_with_more_behind_its_end_is_whole(tmp_path: Path) -> None:
    Image.fromarray(U8).save(tmp_path / "a.jpg", comment=b"\xff\xd9")
    whole = load_images(tmp_path / "a.jpg")
    with (tmp_path / "a.jpg").open("ab") as file:
        file.write(b"a film that a telephone adds")
    assert torch.equal(load_images(tmp_path / "a.jpg"), whole)


def test_a_folder_is_sorted_by_name_or_by_a_key(tmp_path: Path) -> None:
    greys = {"10": 0.2, "9": 0.4, "100": 0.6}
    for name, grey in greys.items():
        save(tmp_path / f"{name}.png", np.full((4, 4), grey))
    (tmp_path / "notes.txt").write_text("no image")
    by_name, by_number = load_images(tmp_path), load_images(tmp_path, sorted_key=number_of)
    assert by_name[:, 0, 0, 0].tolist() == pytest.approx([0.2, 0.6, 0.4])
    assert by_number[:, 0, 0, 0].tolist() == pytest.approx([0.4, 0.2, 0.6])
    for given in (tmp_path / "9.png", [tmp_path / "9.png"]):
        with pytest.raises(InputError, match="sorted_key sorts the files of a folder"):
            load_images(given, sorted_key=number_of)
    (tmp_path / "a.png").write_bytes((tmp_path / "9.png").read_bytes())
    with pytest.raises(InputError, match=r"sorted_key cannot sort the files 10\.png, "):
        load_images(tmp_path, sorted_key=number_of)


def number_of(path: Path) -> int:
    return int(path.stem)


def test_files_of_other_kinds_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    Image.fromarray(U8).save(tmp_path / "a.png")
    Image.fromarray(255 - U8).save(tmp_path / "without ending", format="PNG")
    for name in ("notes.txt", "._a.png", ".DS_Store", "Thumbs.db", "README", "a.png.json", "empty"):
        (tmp_path / name).write_bytes(b"" if name == "empty" else b"\0\5\x16\7 something else")
    np.testing.assert_allclose(load_images(tmp_path)[:, 0] * 255, [U8, 255 - U8], atol=1e-4)


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pillow(U8)(tmp_path)

    def refused(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(InputError, match=r"x\.png cannot be read: Permission denied"):
        load_images(path)


def test_files_in_a_folder_that_may_not_be_entered_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pillow(U8)(tmp_path)
    forbid(monkeypatch, tmp_path)
    for read in (load_images, load_picture, lambda x: files_of([x.name], tmp_path)):
        with pytest.raises(InputError, match=r"x\.png cannot be read: Permission denied"):
            read(path)
    with pytest.raises(InputError, match=r"y\.png cannot be written: Permission denied"):
        save(tmp_path / "y.png", np.zeros((4, 4)))


def test_a_folder_that_may_not_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    for read in (load_images, lambda folder: files_of([""], folder)):
        with pytest.raises(InputError, match="cannot be read: Permission denied"):
            read(tmp_path)


def test_targets_of_a_folder_follow_the_same_rule(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.png", "._a.png", "notes.txt"):
        (tmp_path / "photos" / name).write_bytes(b"\0\5\x16\7 something else")
    for name, pixels in (("a.png", U8), ("b.png", 255 - U8)):
        Image.fromarray(pixels).save(tmp_path / "photos" / name)
    plan = TargetsPlan(images=("photos",), license="CC0-1.0")
    faults = Faults()
    assert [target.name for target in load_targets(plan, tmp_path, faults)] == ["a", "b"]
    assert faults.sentences == []
    (tmp_path / "photos" / "c.heic").write_bytes(b"\0\0\0\x18ftypheic")
    load_targets(plan, tmp_path, faults)
    assert "c.heic cannot be read as an image" in faults.sentences[0]
