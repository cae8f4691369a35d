"""Pictures of a plan: bundled photographs and files, with their licences."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from stimsynth.banks.faults import Faults, together
from stimsynth.banks.plan import TargetsPlan
from stimsynth.banks.recipe import to_array
from stimsynth.images import Picture, bundled, load, load_picture
from stimsynth.images.files import looks_like_an_image
from stimsynth.images.pictures import GREY
from stimuli_store.disk.paths import is_file, is_folder, reached
from stimuli_store.errors import InputError
from stimuli_store.records.canonical import pixel_id


def load_targets(plan: TargetsPlan, folder: Path, faults: Faults) -> tuple[Picture, ...]:
    """Return the targets of a plan that can be loaded, in its order.

    Faults are an image that is missing, unreadable or too small, a folder or pattern that holds none, a file
    without a licence, and two targets of one name or with the same pixels.
    """
    found = []
    for name in plan.images:
        sources: list[tuple[str | Path, str]] = []
        with faults.collect():
            sources += _sources(name, plan.license, plan.licenses, folder)
        for source, license in sources:
            with faults.collect():
                found.append(load_target(source, plan.size, license, plan.colour))
    names = [one.name for one in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.sentences.append(f"targets must have different names; {name} is used twice")
    first: dict[str, str] = {}
    for one in found:
        other = first.setdefault(pixel_id(one.pixels), one.name)
        if other != one.name:
            faults.sentences.append(
                f"targets must be different pictures; {other} and {one.name} have the same pixels"
            )
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
    with together() as faults:
        for pattern in patterns:
            path = folder / pattern
            if is_folder(path):
                with reached(path):
                    files = sorted(p for p in path.iterdir() if looks_like_an_image(p))
                fault = f"the folder {pattern} has no image file in it"
            elif is_file(path):
                files, fault = [path], ""
            else:
                files = sorted(p for p in folder.glob(pattern) if looks_like_an_image(p))
                fault = f"there is no image file {pattern} beside the plan"
            found += files
            faults.sentences += [] if files else [fault]
    return found


def _sources(
    name: str, license: str, licenses: Mapping[str, str], folder: Path
) -> list[tuple[str | Path, str]]:
    """Return the pictures of one entry of targets.images, as names or paths, with their licences."""
    from_disk = any(sign in name for sign in "*?[/.") or (folder / name).exists()
    if name in bundled() or not from_disk:
        return [(name, "")]
    found = [(path, licenses.get(path.name, license)) for path in files_of([name], folder)]
    without = [path.name for path, own in found if not own.strip()]
    if without:
        raise InputError(
            f"{', '.join(without)} has no licence; give targets.license for all files, or name it in "
            "targets.licenses"
        )
    return [*found]
