"""Pictures of a plan: bundled photographs and files, with their licences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stimsynth.banks.plan import TargetsPlan
from stimsynth.banks.recipe import to_array
from stimsynth.images import Picture, bundled, load, load_picture
from stimsynth.images.files import looks_like_an_image
from stimsynth.images.pictures import GREY
from stimuli_store.errors import InputError


def load_targets(plan: TargetsPlan, folder: Path) -> tuple[Picture, ...]:
    """Return the targets of a plan, in its order.

    Raises
    ------
    InputError
        If an image is missing, unreadable or too small, a folder or pattern holds none, a file has no
        licence, or two targets have one name.
    """
    found = [
        load_target(source, plan.size, license, plan.colour)
        for source, license in _sources(plan.images, plan.license, plan.licenses, folder)
    ]
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"targets have different names; {', '.join(twice)} stands there twice")
    return tuple(found)


def load_target(source: str | Path, size: int | None, license: str, colour: str) -> Picture:
    """Return a picture, float32 (h, w) or (h, w, 3) on the levels of an 8-bit screen.

    Parameters
    ----------
    source
        Name of a bundled photograph, or a file.
    size
        Side of the square that it is brought to; None to keep it as it is.
    license
        Licence of a file.
    colour
        ``"gray"``; ``"rgb"`` for three channels, which the picture must have; ``"any"`` for what it has.

    Raises
    ------
    InputError
        If it cannot be had so.
    """
    grey = load_picture(str(source), size, license=license)
    if colour == "gray":
        return grey
    pixels = to_array(load(str(source), size, as_gray=False)[0])
    if colour == "rgb" and pixels.ndim == 2:
        raise InputError(f"{grey.name} has no colour; take it out, or set targets.colour to gray")
    changes = tuple(change for change in grey.changes if change != GREY)
    return replace(grey, pixels=pixels, changes=changes)


def files_of(patterns: Iterable[str], folder: Path) -> list[Path]:
    """Return the image files that names, folders and patterns stand for.

    Raises
    ------
    InputError
        If one of them stands for none.
    """
    found: list[Path] = []
    for pattern in patterns:
        path = folder / pattern
        if path.is_dir():
            files = sorted(p for p in path.iterdir() if looks_like_an_image(p))
        elif path.is_file():
            files = [path]
        else:
            files = sorted(p for p in folder.glob(pattern) if looks_like_an_image(p))
        if not files:
            raise InputError(f"there is no image file {pattern} beside the plan")
        found += files
    return found


def _sources(
    images: Sequence[str], license: str, licenses: Mapping[str, str], folder: Path
) -> Iterator[tuple[str | Path, str]]:
    for name in images:
        is_file = (folder / name).exists() or any(sign in name for sign in "*?[/.")
        if name in bundled() or not is_file:
            yield name, ""
            continue
        for path in files_of([name], folder):
            own = licenses.get(path.name, license)
            if not own.strip():
                raise InputError(
                    f"{path.name} has no licence; give targets.license for all files, or name it in "
                    "targets.licenses"
                )
            yield path, own
