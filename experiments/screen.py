"""The screen of a design: window, background, fixation mark, and the places at which pictures are shown.

Positions are whole pixels from the middle of the window, x to the right and y up.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np

from stimuli_store.bank.format import check_ppd
from stimuli_store.errors import DisplayError, InputError, unknown_name
from stimuli_store.tasks.types import CENTRE, Task

LEFT, RIGHT = "left", "right"
RING = re.compile(r"ring-([1-9][0-9]*)")
#: Smallest gap between two pictures that stand side by side; the fixation mark fits into it.
LEAST_GAP_PX = 24
#: No window is larger; a slip would need more memory than there is.
_LARGEST_PX = 16_384
#: No screen is faster; more would make a phase of frames without end.
_MOST_HZ = 10_000.0
#: Relative difference up to which two numbers of pixels per degree are one.
_SCALE_RTOL = 0.01


@dataclass(frozen=True, kw_only=True)
class Position:
    """Middle of a picture from the middle of the window: [x, y] in pixels (`px`) or degrees (`deg`)."""

    px: tuple[int, int] | None = None
    deg: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if (self.px is None) == (self.deg is None):
            raise InputError(
                "a place needs its position [x, y], either in pixels (px) or in degrees (deg)"
            )
        if self.deg is not None and not all(map(math.isfinite, self.deg)):
            raise InputError(f"the position of a place must be finite; not {list(self.deg)} deg")


@dataclass(frozen=True, kw_only=True)
class Radius:
    """Radius of the ring on which the places ring-1, ring-2, … lie: in pixels or degrees."""

    px: int | None = None
    deg: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.px, self.deg) if value is not None]
        if len(given) != 1 or not (math.isfinite(given[0]) and given[0] > 0):
            raise InputError(
                "the ring needs one radius above 0, either in pixels (px) or in degrees (deg)"
            )


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Screen that a session is planned for.

    Attributes
    ----------
    refresh_hz
        Refresh rate, in hertz.
    size
        Width and height of the window, in pixels.
    fullscreen, screen
        Whether the window fills its screen, and the number of that screen, from 0.
    background
        Grey of the window, from 0 (black) to 1 (white).
    places
        Positions of places, by the names that the task uses. Without them there are ``centre``, ``left``
        and ``right`` (pictures side by side with a gap), and ``ring-1``, ``ring-2``, … (the first at the
        top, the others clockwise).
    ring
        Radius of the ring; None: the smallest at which its pictures keep a gap.
    ppd
        Pixels per degree; None: those of the bank.
    fixation
        Whether the fixation mark stays over the pictures, is covered by them (under), or is not drawn.
    patch_px
        Side of a square in the lower left corner for a photodiode: white in phases that show pictures,
        else black. 0 for none.
    verify
        When the window is read back and compared with its scene: before the first picture of a trial
        (rehearsal), also in the first and the last frame of every picture (ends), or in every frame (all).
    tolerance_ms
        Largest difference that rounding a duration to whole frames may make, in milliseconds.

    Raises
    ------
    InputError
        If a number is out of its range.

    Examples
    --------
    >>> screen = Screen(refresh_hz=120.0, size=(1920, 1080), ppd=40.0)
    >>> screen.size, screen.background, screen.level
    ((1920, 1080), 0.5, 128)
    """

    refresh_hz: float = 60.0
    size: tuple[int, int] = (800, 600)
    fullscreen: bool = False
    screen: int = 0
    background: float = 0.5
    places: Mapping[str, Position] = field(default_factory=dict)
    ring: Radius | None = None
    ppd: float | None = None
    fixation: Literal["over", "under", "none"] = "over"
    patch_px: int = 0
    verify: Literal["rehearsal", "ends", "all"] = "rehearsal"
    tolerance_ms: float = 5.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.refresh_hz <= _MOST_HZ:
            raise InputError(
                f"refresh_hz must be a positive number from 1 to {_MOST_HZ:g}; not {self.refresh_hz}"
            )
        if not 1 <= min(self.size) <= max(self.size) <= _LARGEST_PX:
            raise InputError(
                f"size must be width and height in pixels, from 1 to {_LARGEST_PX}; not {list(self.size)}"
            )
        if self.screen < 0:
            raise InputError(f"screen must be 0 or more; not {self.screen}")
        if not 0.0 <= self.background <= 1.0:
            raise InputError(
                f"background must lie between 0 (black) and 1 (white); not {self.background}"
            )
        check_ppd(self.ppd, "ppd")
        if not 0 <= self.patch_px <= min(self.size):
            raise InputError(
                f"patch_px must be 0 or more and fit into the window; not {self.patch_px}"
            )
        if not (math.isfinite(self.tolerance_ms) and self.tolerance_ms >= 0):
            raise InputError(f"tolerance_ms must be 0 or more; not {self.tolerance_ms}")

    @property
    def level(self) -> int:
        """The 8-bit grey level of the background.

        Examples
        --------
        >>> Screen(background=0.5).level
        128
        """
        return int(np.rint(self.background * 255.0))


def check_scale(screen: Screen, ppd: float | None) -> None:
    """Check that the screen shows a bank at its scale, where both say how many pixels a degree has.

    Raises
    ------
    DisplayError
        If the two numbers differ by more than 1 %.
    """
    if ppd is not None and screen.ppd is not None and abs(screen.ppd / ppd - 1) > _SCALE_RTOL:
        raise DisplayError(
            f"the images of the bank are meant to be seen at {ppd:g} pixels per degree, but the ppd of the "
            f"design's [screen] is {screen.ppd:g}; change the distance to the screen so that they agree to "
            "1 %, or use a bank that was made for this screen"
        )


def positions(
    screen: Screen, task: Task, picture: tuple[int, int], ppd: float | None = None
) -> dict[str, tuple[int, int]]:
    """Return the position (x, y) of every place that a task uses, in pixels from the window's middle.

    Parameters
    ----------
    screen
        Its own places come before those that exist by default.
    task
        Pictures that it shows together are kept apart.
    picture
        Width and height of the largest picture, for the places that exist by default.
    ppd
        The bank's pixels per degree, used if the screen has none.

    Raises
    ------
    DisplayError
        If a place is unknown, or is given in degrees and there are no pixels per degree, or the screen has
        a place that the task does not use.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> positions(Screen(), task_named("pair"), (200, 100))
    {'left': (-113, 0), 'right': (113, 0)}
    """
    together = [{show.place for show in phase.shows} for phase in task.phases]
    names = sorted(set().union(*together))
    rings = [int(match[1]) for name in names if (match := RING.fullmatch(name))]
    for name in screen.places:
        if name not in (*names, CENTRE, LEFT, RIGHT) and not RING.fullmatch(name):
            raise DisplayError(str(unknown_name(f"place of the task {task.name}", name, names)))
    per_degree = screen.ppd if screen.ppd is not None else ppd
    found = {}
    for name in names:
        if name in screen.places:
            found[name] = _position(screen.places[name], name, per_degree)
        elif name == CENTRE:
            found[name] = (0, 0)
        elif name in (LEFT, RIGHT):
            distance = _beside(picture[0], together)
            found[name] = (-distance if name == LEFT else distance, 0)
        elif match := RING.fullmatch(name):
            radius = _radius(screen, max(rings), picture, together, per_degree)
            x, y = _on_circle(int(match[1]), max(rings))
            found[name] = (round(round(radius * x, 6)), round(round(radius * y, 6)))
        else:
            known = [*screen.places, CENTRE, LEFT, RIGHT, *(f"ring-{k + 1}" for k in range(6))]
            raise DisplayError(str(unknown_name("place", name, known)))
    return found


def _position(place: Position, name: str, ppd: float | None) -> tuple[int, int]:
    if place.px is not None:
        return place.px
    assert place.deg is not None
    x, y = (_pixels(value, f"the place {name!r}", ppd) for value in place.deg)
    return x, y


def _pixels(degrees: float, what: str, ppd: float | None) -> int:
    if ppd is None:
        raise DisplayError(
            f"{what} is given in degrees, but neither the design's [screen] nor the bank says how many "
            "pixels a degree has; set ppd in the design's [screen], or give px"
        )
    return round(degrees * ppd)


def gap_px(width: int) -> int:
    """Return the gap between two pictures that stand side by side by default, in pixels."""
    return max(LEAST_GAP_PX, width // 8)


def _beside(width: int, together: Iterable[Collection[str]]) -> int:
    """Return the distance of left and right from the middle, with room for a picture in the centre."""
    apart = width + gap_px(width)
    if any(CENTRE in names and {LEFT, RIGHT} & set(names) for names in together):
        return apart
    return -(-apart // 2)


def _on_circle(number: int, count: int) -> tuple[float, float]:
    angle = 2 * math.pi * (number - 1) / count
    return math.sin(angle), math.cos(angle)


def _radius(
    screen: Screen,
    count: int,
    picture: tuple[int, int],
    together: Iterable[Collection[str]],
    ppd: float | None,
) -> int:
    if screen.ring is not None:
        if screen.ring.px is not None:
            return screen.ring.px
        return _pixels(float(screen.ring.deg or 0.0), "the radius of the ring", ppd)
    points = [_on_circle(k + 1, count) for k in range(count)]
    if any(CENTRE in names and any(map(RING.fullmatch, names)) for names in together):
        points.append((0.0, 0.0))
    width, height = (side + gap_px(picture[0]) for side in picture)
    needed = [
        min(width / max(abs(a[0] - b[0]), 1e-9), height / max(abs(a[1] - b[1]), 1e-9))
        for a, b in combinations(points, 2)
    ]
    # A ring of one picture has the radius at which it keeps clear of the middle.
    return math.ceil(max(needed, default=height / 2) - 1e-6)
