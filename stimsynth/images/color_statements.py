"""Colour profiles and gammas that image files state, applied so that values are sRGB values."""

import io
from typing import Any

import numpy as np

_SRGB_GAMMA = 1 / 2.2
_SRGB_PRIMARIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_SRGB_CODE_POINTS = (1, 13)  # primaries and transfer of a PNG's cICP chunk
_ADOBE_RGB = "R03"
_EXIF_DETAILS, _EXIF_INTEROPERABILITY = 0x8769, 0xA005
_TIFF_TRANSFER_FUNCTION = 301
#: Levels of 255 by which two profiles may differ and count as the same.
_SAME = 2
_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}


class Refused(Exception):
    """A statement of a file that cannot be applied: the rest of a sentence that begins with the file."""


def by_profile(image: Any, profile: bytes) -> tuple[Any, list[str]]:
    """Return an 8-bit image in sRGB, and the change in words if its profile is another one.

    Parameters
    ----------
    image
        Pillow image, grey (L), RGB or CMYK.
    profile
        ICC profile from the file.

    Raises
    ------
    Refused
        If the profile cannot be read, or is for other colours than the image has.
    """
    from PIL import ImageCms

    name, space, transform = _transform(profile)
    grey = image.mode == "L"
    if grey and space == "RGB":
        image = image.convert("RGB")
    if image.mode != _MODES[space]:
        raise Refused(f"is {image.mode} with a colour profile for {space}; convert it to sRGB")
    if _is_srgb(transform, space):
        return (image.convert("L") if grey else image), []
    converted: Any = ImageCms.applyTransform(image, transform)
    said = f"values of the colour profile {name!r} become sRGB"
    return (converted.getchannel("G") if grey else converted), [said]


def check_deep_profile(profile: bytes) -> None:
    """Raise an error for a profile other than sRGB, which is not applied above 8 bits."""
    name, space, transform = _transform(profile)
    if not _is_srgb(transform, space):
        raise Refused(f"has more than 8 bits and the colour profile {name!r}; convert it to sRGB")


def by_statements(values: np.ndarray, image: Any, content: bytes) -> tuple[np.ndarray, list[str]]:
    """Return values in [0, 1] on the sRGB curve, and the change in words if the file states another one.

    Parameters
    ----------
    values
        (height, width) or (height, width, 3).
    image
        Pillow image of a file without a profile.
    content
        All bytes of the file.

    Raises
    ------
    Refused
        If the file states primaries or a transfer function that are not those of sRGB.
    """
    if _states_other_primaries(image, content, values.ndim == 3):
        raise Refused("states colours other than sRGB without a profile; convert it to sRGB")
    gamma = image.info.get("gamma")
    if not gamma or "srgb" in image.info or abs(gamma / _SRGB_GAMMA - 1) < 0.05:
        return values, []
    light = values ** (1 / gamma)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return curve, [f"values of gamma {gamma:g} become sRGB"]


def _states_other_primaries(image: Any, content: bytes, color: bool) -> bool:
    if image.format == "TIFF":
        return _TIFF_TRANSFER_FUNCTION in image.tag_v2
    if image.format == "PNG":
        coded = content.find(b"cICP", 0, content.find(b"IDAT"))
        if coded > 0:
            return tuple(content[coded + 4 : coded + 6]) != _SRGB_CODE_POINTS
        stated = image.info.get("chromaticity", _SRGB_PRIMARIES)
        far = np.abs(np.subtract(stated, _SRGB_PRIMARIES)).max() > 0.02
        return bool(color and far and "srgb" not in image.info)
    exif = image.getexif()
    if _EXIF_INTEROPERABILITY not in exif.get_ifd(_EXIF_DETAILS):
        return False
    return exif.get_ifd(_EXIF_INTEROPERABILITY).get(1) == _ADOBE_RGB


def _transform(profile: bytes) -> tuple[str, str, Any]:
    """Return a profile's name, its space, and the transform from it to sRGB."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(source).strip()
        space = source.profile.xcolor_space.strip()
        target = ImageCms.createProfile("sRGB")
        exactly = ImageCms.Flags.NOOPTIMIZE  # else dark values are interpolated over several levels
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        mode = _MODES[space]
        return name, space, ImageCms.buildTransform(source, target, mode, "RGB", intent, exactly)
    except (OSError, LookupError, ImageCms.PyCMSError) as error:
        raise Refused("has a colour profile that cannot be applied; convert it to sRGB") from error


def _is_srgb(transform: Any, space: str) -> bool:
    """Return whether a transform to sRGB leaves a set of colours as they are."""
    from PIL import Image, ImageCms

    if space == "CMYK":
        return False
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    probe = grid if space == "RGB" else np.arange(256, dtype=np.uint8)[None]
    got = np.asarray(ImageCms.applyTransform(Image.fromarray(probe), transform), dtype=int)
    wanted = probe if space == "RGB" else probe[..., None]
    return bool(np.abs(got - wanted).max() <= _SAME)
