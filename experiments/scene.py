"""Scenes: the picture of the whole window in every phase of a trial, composed once as uint8.

They are made here and nowhere else. The booth draws them, and what it reads back must equal them; a
preview saves them as files.
"""

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from experiments.drawing.blank import blank_scene
from experiments.drawing.layout import Spot, check_layout, spots_of
from experiments.drawing.marks import cross, put_mark
from experiments.ports import Scene, Slide
from experiments.screen import Screen
from stimuli_store.errors import DisplayError
from stimuli_store.records.canonical import frame_id
from stimuli_store.records.trials import Trial
from stimuli_store.tasks.types import Phase, Task


def slides_of(
    task: Task,
    trial: Trial,
    frames: Mapping[str, np.ndarray],
    screen: Screen,
    size: tuple[int, int],
    *,
    ppd: float | None = None,
    answer_hint: str = "",
) -> tuple[tuple[Slide, ...], ...]:
    """Return the slides of every phase of a trial: one scene each, or several where contrast ramps.

    Parameters
    ----------
    task, trial
        The trial and its task.
    frames
        Interval to the frame of its stimulus: uint8, (H, W) or (H, W, 3), whole even if the task shows a
        part of it.
    screen
        Background, places, fixation mark and patch.
    size
        Width and height of the window in pixels.
    ppd
        The bank's pixels per degree, used if the screen has none.
    answer_hint
        Text on the answer screen, such as the names of the keys.

    Raises
    ------
    DisplayError
        If pictures do not fit at their places; see `check_scenes`, which says so before a session.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import course_of, read_design
    >>> design = read_design("design.toml")
    >>> trial = course_of(design, bank, "S01", session=1).trials[0]
    >>> frames = {name: bank.frame(stimulus).pixels for name, stimulus in trial.intervals.items()}
    >>> slides = slides_of(design.task, trial, frames, design.screen, design.screen.size)
    >>> len(slides)
    7
    """
    shapes = {name: frame.shape for name, frame in frames.items()}
    spots = spots_of(task, shapes, screen, size, ppd)
    for seen in spots.values():
        check_layout(seen, shapes, size, screen.patch_px)
    painter = _Painter(trial, frames, screen, size, answer_hint)
    steps = ramp_frames(task, screen.refresh_hz)
    return tuple(
        _slides(phase, spots.get(phase.shows, ()), painter, steps) for phase in trial.phases
    )


def check_scenes(
    task: Task,
    shapes: Collection[Mapping[str, tuple[int, ...]]],
    screen: Screen,
    size: tuple[int, int],
    ppd: float | None = None,
) -> None:
    """Check that the scenes of all trials can be made.

    Parameters
    ----------
    task
        The task.
    shapes
        One mapping for each kind of trial: interval to the shape of its frame.
    screen, size, ppd
        As for `slides_of`.

    Raises
    ------
    DisplayError
        If a picture does not fit at its place, two pictures overlap, a place is unknown or outside the
        window, a place is given in degrees without pixels per degree, or a ramp is longer than its phase.

    Examples
    --------
    >>> from stimsynth import Screen
    >>> from stimuli_store.tasks import task_named
    >>> shapes = [{"left": (64, 64), "right": (64, 64)}]
    >>> check_scenes(task_named("pair"), shapes, Screen(), (800, 600))
    """
    different = {tuple(sorted((name, tuple(s)) for name, s in one.items())) for one in shapes}
    for known in map(dict, sorted(different)):
        for seen in spots_of(task, known, screen, size, ppd).values():
            check_layout(seen, known, size, screen.patch_px)
    _check_ramps(task, screen)


def ramp_frames(task: Task, hz: float) -> int:
    """Return the number of frames over which the contrast of a task's pictures rises.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from stimuli_store.tasks import task_named
    >>> ramp_frames(replace(task_named("abx"), ramp_ms=50.0), 60.0)
    3
    """
    return math.floor(task.ramp_ms * hz / 1000.0 + 0.5)


def _check_ramps(task: Task, screen: Screen) -> None:
    steps, period_ms = ramp_frames(task, screen.refresh_hz), 1000.0 / screen.refresh_hz
    if abs(steps * period_ms - task.ramp_ms) > screen.tolerance_ms or (task.ramp_ms and not steps):
        raise DisplayError(
            f"ramp_ms is {task.ramp_ms:g}, but whole frames make it {steps * period_ms:.1f} ms; give a "
            f"multiple of {period_ms:.3f} ms, or a larger tolerance_ms in the design's [screen]"
        )
    for phase in task.phases if steps else ():
        ms = min(phase.ms) if isinstance(phase.ms, tuple) else phase.ms
        if phase.shows and ms is not None and round(ms / period_ms) <= 2 * steps:
            raise DisplayError(
                f"the phase {phase.name!r} of {ms:g} ms is too short for two ramps of "
                f"{task.ramp_ms:g} ms and a frame at full contrast; make ramp_ms smaller"
            )


def _slides(
    phase: Phase, spots: Sequence[Spot], painter: "_Painter", steps: int
) -> tuple[Slide, ...]:
    """Return the slides of one phase."""
    if not phase.shows:
        return (Slide(scene=painter.blank(answer=phase.listens), n_frames=phase.n_frames),)
    if phase.mask:
        return (Slide(scene=painter.mask(spots), n_frames=phase.n_frames),)
    full = painter.picture(spots)
    rise = [
        Slide(scene=painter.picture(spots, (step + 1) / (steps + 1)), n_frames=1)
        for step in range(steps)
    ]
    if phase.n_frames is None:  # lasts until the answer, which no fall can precede
        return (*rise, Slide(scene=full, n_frames=None))
    return (*rise, Slide(scene=full, n_frames=phase.n_frames - 2 * steps), *reversed(rise))


class _Painter:
    """Paints the scenes of one trial; equal scenes share their pixels."""

    def __init__(
        self,
        trial: Trial,
        frames: Mapping[str, np.ndarray],
        screen: Screen,
        size: tuple[int, int],
        hint: str,
    ) -> None:
        self._trial = trial
        self._frames = frames
        self._screen = screen
        self._size = size
        self._hint = hint
        self._made: dict[object, np.ndarray] = {}
        self._hashes: dict[str, str] = {}

    def blank(self, *, answer: bool) -> Scene:
        """Return a scene without pictures: with the fixation mark, or with the mark that asks to answer."""
        screen = self._screen
        mark = "ring" if answer else "none" if screen.fixation == "none" else "cross"
        text = self._hint if answer else ""
        return Scene(pixels=blank_scene(self._size, screen.level, mark, text, screen.patch_px))

    def picture(self, spots: Sequence[Spot], contrast: float = 1.0) -> Scene:
        """Return a scene with pictures at a contrast about the background."""
        seen = tuple((self._trial.intervals[s.interval], s.box, s.part) for s in spots)
        key = (seen, contrast)
        if key not in self._made:
            cut = [self._frames[s.interval][s.part.slices] for s in spots]
            level = self._screen.level
            if contrast < 1.0:
                cut = [
                    np.rint(level + contrast * (part.astype(float) - level)).astype(np.uint8)
                    for part in cut
                ]
            self._made[key] = self._with_pictures(spots, cut, patch=255)
        hashes = {s.interval: self._hash(s.interval) for s in spots} if contrast == 1.0 else {}
        return Scene(pixels=self._made[key], hashes=hashes)

    def mask(self, spots: Sequence[Spot]) -> Scene:
        """Return a scene with the pixels of every picture in random order at its place."""
        order = list(self._trial.intervals)
        cut = []
        for spot in spots:
            part = self._frames[spot.interval][spot.part.slices]
            rng = np.random.default_rng([self._trial.index, order.index(spot.interval)])
            flat = part.reshape(spot.part.width * spot.part.height, *part.shape[2:])
            cut.append(rng.permutation(flat, axis=0).reshape(part.shape))
        return Scene(pixels=self._with_pictures(spots, cut, patch=0))

    def _with_pictures(
        self, spots: Sequence[Spot], cut: Sequence[np.ndarray], *, patch: int
    ) -> np.ndarray:
        canvas = self._canvas(cut)
        if self._screen.fixation == "under":
            put_mark(canvas, cross(), self._screen.level)
        for spot, part in zip(spots, cut, strict=True):
            grey_in_colour = canvas.ndim > part.ndim
            canvas[spot.box.slices] = part[..., None] if grey_in_colour else part
        if self._screen.fixation == "over":
            put_mark(canvas, cross(), self._screen.level)
        return self._finished(canvas, patch=patch)

    def _canvas(self, cut: Sequence[np.ndarray]) -> np.ndarray:
        colour = any(part.ndim == 3 for part in cut)
        shape = (self._size[1], self._size[0], *((3,) if colour else ()))
        return np.full(shape, self._screen.level, dtype=np.uint8)

    def _finished(self, canvas: np.ndarray, *, patch: int) -> np.ndarray:
        side = self._screen.patch_px
        if side:
            canvas[-side:, :side] = patch
        canvas.setflags(write=False)  # scenes share it
        return canvas

    def _hash(self, interval: str) -> str:
        stimulus = self._trial.intervals[interval]
        if stimulus not in self._hashes:
            self._hashes[stimulus] = frame_id(self._frames[interval])
        return self._hashes[stimulus]
