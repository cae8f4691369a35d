"""The course of one trial on a surface: the scene of every frame, the end at the answer, the presses.

The same loop runs on a window and on a surface that only counts, so a simulated session has the frames of
a real one.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from experiments.ports import Listening, Press, Quit, Scene, Shown, Slide
from stimuli_store.errors import InputError

Phases = Sequence[Sequence[Slide]]

# A vertical blank that is nearer than this part of a period cannot be met any more.
_TOO_NEAR = 0.05


class Surface(Protocol):
    """Interface of a window for the loop: flips, key presses, and a place to load scenes into."""

    @property
    def period_s(self) -> float:
        """Refresh period, in seconds."""

    def now_s(self) -> float:
        """Return the time on the clock of the flips, in seconds."""

    def load(self, phases: Phases) -> None:
        """Make every scene ready to be drawn at once."""

    def flip(self, scene: Scene, *, edge: bool = False) -> float:
        """Show a scene at the next refresh, and return its time; `edge`: an end of a picture's phase."""

    def poll(self) -> Sequence[Press]:
        """Return the key presses since the last poll."""

    def press_later(self, key: str, t_s: float) -> None:
        """Press a key at a time, for a simulated participant."""


def pictures_of(slides: Sequence[Slide]) -> dict[str, str]:
    """Return the hash of the frame of each interval that a phase shows."""
    return {name: sha for slide in slides for name, sha in slide.scene.hashes.items()}


def hashes_of(phases: Phases, wrong: Mapping[int, str]) -> dict[str, str]:
    """Return the hash of every interval: its frame's, or a reading's if one differed from the scene.

    Parameters
    ----------
    phases
        The slides of every phase.
    wrong
        Hash of what was read where it was not the scene, by `id` of the scene's pixels. A wrong scene
        counts for the intervals of its phase, and for all intervals if the phase shows none.
    """
    found = {name: sha for slides in phases for name, sha in pictures_of(slides).items()}
    for slides in phases:
        bad = [read for s in slides if (read := wrong.get(id(s.scene.pixels))) is not None]
        if bad:
            found.update(dict.fromkeys(pictures_of(slides) or found, bad[0]))
    return found


class Showing:
    """One trial while it is shown: its flips, its key presses, and whether it is answered.

    Parameters
    ----------
    phases, listening
        As for `experiments.ports.Booth.show`.
    surface
        Where the scenes are shown.
    """

    def __init__(self, phases: Phases, listening: Listening, surface: Surface) -> None:
        self._phases = phases
        self._listening = listening
        self._surface = surface
        self._flips: list[list[float]] = []
        self._presses: list[Press] = []
        self._from_s: float | None = None  # onset of the first phase that listens
        self._answered = False

    def run(self, since_s: float | None) -> tuple[Shown, float]:
        """Show the trial; return what happened, and the flip to the blank that follows.

        Parameters
        ----------
        since_s
            Since when the first phase's blank is on the screen, if it is there already: the flip that
            ended the trial before. The first phase counts from it, so that what is done between two
            trials is a part of a phase.

        Raises
        ------
        Quit
            If the quit key is pressed.
        """
        blank = self._phases[0][0].scene
        self._first(blank, since_s)
        for number in range(1, len(self._phases)):
            self._flips.append([])
            for scene, edge in self._frames(self._phases[number]):
                self._frame(number, self._surface.flip(scene, edge=edge))
                if self._answered and number + 1 == len(self._phases):
                    break
        answered = self._answered
        end_s = self._surface.flip(blank)
        self._listen()
        shown = Shown(
            flips_s=tuple(map(tuple, self._flips)),
            end_s=None if answered else end_s,
            presses=tuple(self._presses),
            hashes={},
        )
        return shown, end_s

    def _first(self, blank: Scene, since_s: float | None) -> None:
        """Show the first phase, and load the scenes in it; it lasts its frames if there is time for that."""
        planned = self._phases[0][0].n_frames
        self._flips.append([])
        onset_s = self._surface.flip(blank) if since_s is None else since_s
        self._frame(0, onset_s)
        self._surface.load(self._phases)
        period_s = self._surface.period_s
        gone = (self._surface.now_s() - onset_s) / period_s
        frame = math.floor(gone + _TOO_NEAR) + 1  # the next that can be shown
        caught_up = False
        while not self._answered if planned is None else frame < planned:
            t_s = self._surface.flip(blank)
            self._frame(0, t_s)
            if not caught_up:
                frame = max(1, round((t_s - onset_s) / period_s))
                caught_up = True
            frame += 1

    def _frames(self, slides: Sequence[Slide]) -> Iterator[tuple[Scene, bool]]:
        """Yield the scene of every frame of a phase, and whether it is the first or last of a picture."""
        pictures = bool(pictures_of(slides))
        last = len(slides) - 1
        for number, slide in enumerate(slides):
            if slide.n_frames is None:
                self._check_endless()
            frame = 0
            while not self._answered if slide.n_frames is None else frame < slide.n_frames:
                first = number == 0 and frame == 0
                ends = number == last and frame + 1 == slide.n_frames
                yield slide.scene, pictures and (first or ends)
                frame += 1

    def _check_endless(self) -> None:
        script = self._listening.script
        if script is not None and script[0] not in self._listening.keys:
            raise InputError(
                f"a phase lasts until the answer, but the simulated participant presses {script[0]!r}, "
                f"which is none of {', '.join(sorted(self._listening.keys))}"
            )

    def _frame(self, number: int, t_s: float) -> None:
        """Note the flip of a frame, and the presses until then."""
        self._flips[-1].append(t_s)
        if number == self._listening.phase and self._from_s is None:
            self._from_s = t_s
            if self._listening.script is not None:
                key, after_s = self._listening.script
                self._surface.press_later(key, t_s + after_s)
        self._listen()

    def _listen(self) -> None:
        for press in self._surface.poll():
            self._presses.append(press)
            if press.key == self._listening.quit:
                raise Quit
            if self._from_s is not None and press.t_s >= self._from_s:
                self._answered |= press.key in self._listening.keys
