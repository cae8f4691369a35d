"""Rectangles of pictures in the window, and the check that they fit and do not overlap."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from experiments.screen import Screen, positions
from stimuli_store.errors import DisplayError
from stimuli_store.tasks.types import Show, Task


class Box(NamedTuple):
    """Rectangle in whole pixels; row 0 is the top."""

    left: int
    top: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the rectangle in an array."""
        rows = slice(self.top, self.top + self.height)
        return rows, slice(self.left, self.left + self.width)


@dataclass(frozen=True, kw_only=True)
class Spot:
    """An interval's picture in the window: its place, its box there, and the part of the frame it shows."""

    interval: str
    place: str
    box: Box
    part: Box


Shapes = Mapping[str, tuple[int, ...]]


def spots_of(
    task: Task, shapes: Shapes, screen: Screen, size: tuple[int, int], ppd: float | None
) -> dict[tuple[Show, ...], tuple[Spot, ...]]:
    """Return where the pictures of every phase lie in the window, by what the phase shows.

    Parameters
    ----------
    task
        The task.
    shapes
        Shape of the frame of every interval.
    screen
        Its places.
    size
        Width and height of the window.
    ppd
        The bank's pixels per degree, used if the screen has none.

    Raises
    ------
    DisplayError
        If a place is unknown, or is given in degrees without pixels per degree.
    """
    largest = (
        max(shape[1] for shape in shapes.values()),
        max(shape[0] for shape in shapes.values()),
    )
    places = positions(screen, task, largest, ppd)
    return {
        phase.shows: tuple(
            _spot(show, shapes[show.interval], places[show.place], size) for show in phase.shows
        )
        for phase in task.phases
        if phase.shows
    }


def _spot(
    show: Show, shape: tuple[int, ...], position: tuple[int, int], size: tuple[int, int]
) -> Spot:
    height, width = shape[:2]
    left = (size[0] - width) // 2 + position[0]
    top = (size[1] - height) // 2 - position[1]
    half = Box(0, 0, width // 2, height // 2)
    part = {
        "whole": Box(0, 0, width, height),
        "left-half": Box(0, 0, half.width, height),
        "right-half": Box(half.width, 0, width - half.width, height),
        "top-half": Box(0, 0, width, half.height),
        "bottom-half": Box(0, half.height, width, height - half.height),
    }[show.part]
    box = Box(left + part.left, top + part.top, part.width, part.height)
    return Spot(interval=show.interval, place=show.place, box=box, part=part)


def check_layout(
    spots: Sequence[Spot], shapes: Shapes, size: tuple[int, int], patch_px: int
) -> None:
    """Check that the pictures of a phase lie within the window, apart from each other and from the patch.

    Raises
    ------
    DisplayError
        In one sentence, with the place and the numbers.
    """
    for spot in spots:
        _check_within(spot, shapes[spot.interval], size)
    for a, b in combinations(spots, 2):
        if a.place == b.place and shapes[a.interval][:2] != shapes[b.interval][:2]:
            raise DisplayError(
                f"parts of {a.interval!r} and {b.interval!r} are shown at one place, but their pictures "
                f"differ in size ({_size(shapes[a.interval])} and {_size(shapes[b.interval])})"
            )
        if _overlap(a.box, b.box):
            raise DisplayError(
                f"the pictures {a.interval!r} at {a.place!r} and {b.interval!r} at {b.place!r} overlap "
                f"by {_overlap(a.box, b.box)} pixels; move their places in the design's "
                "[screen.places] apart"
            )
    patch = Box(0, size[1] - patch_px, patch_px, patch_px)
    for spot in spots:
        if _overlap(spot.box, patch):
            raise DisplayError(
                f"the picture {spot.interval!r} at {spot.place!r} lies under the patch of {patch_px} "
                "pixels in the lower left corner; make patch_px smaller or move the place"
            )


def _check_within(spot: Spot, shape: tuple[int, ...], size: tuple[int, int]) -> None:
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 3):
        raise DisplayError(
            f"a frame must be grey (H, W) or colour (H, W, 3); that of {spot.interval!r} is {shape}"
        )
    box = spot.box
    if min(box.width, box.height) < 1:
        raise DisplayError(f"a picture of {_size(shape)} pixels cannot be divided into halves")
    middle = (box.left + box.width // 2, box.top + box.height // 2)
    if not (0 <= middle[0] < size[0] and 0 <= middle[1] < size[1]):
        raise DisplayError(
            f"the place {spot.place!r} lies outside the window of {size[0]} x {size[1]} pixels; make "
            "the size in the design's [screen] larger, or move the place there"
        )
    over = max(-box.left, -box.top, box.left + box.width - size[0], box.top + box.height - size[1])
    if over > 0:
        raise DisplayError(
            f"an image of {_size(shape)} pixels does not fit at {spot.place!r} into a window of "
            f"{size[0]} x {size[1]}: it reaches {over} pixels beyond the edge; make the size in the "
            "design's [screen] larger"
        )


def _size(shape: Iterable[int]) -> str:
    height, width, *_ = shape
    return f"{width} x {height}"


def _overlap(a: Box, b: Box) -> int:
    """Return the number of pixels that two boxes share."""
    width = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    height = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    return max(0, width) * max(0, height)
