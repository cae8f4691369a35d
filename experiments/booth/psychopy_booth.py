"""Booth that shows scenes in a PsychoPy window: whole frames, exact pixels, a time for every flip.

Durations are counted in flips; there is no waiting on a clock. Scenes are uploaded, drawn and read back in
the blank that opens a trial; from the first picture on, a frame is one quad and one flip. How much is
read back after that is the design's choice (`Screen.verify`).
"""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.booth.keyboard import EventKeyboard, Keyboard, open_keyboard
from experiments.booth.load import load_psychopy
from experiments.booth.pixels import is_scene
from experiments.booth.stage import Stage, open_stage
from experiments.ports import Listening, Press, Quit, Scene, Shown, Slide
from experiments.screen import Screen
from experiments.showing.loop import Phases, Showing, hashes_of
from experiments.simulated import check_scene_sizes
from stimuli_store.records.canonical import frame_id

_CONTINUE = "space"
_READING_S = 0.3  # how long a simulated person looks at a page


class PsychopyBooth:
    """A booth with a real window, opened by `open_booth`; close it when done.

    Parameters
    ----------
    stage, keyboard
        The window and the source of key presses.
    verify
        When the window is read back; see `experiments.screen.Screen`.
    presser
        The same keyboard, if a simulated participant presses its keys.
    """

    def __init__(
        self,
        stage: Stage,
        keyboard: Keyboard,
        verify: str = "rehearsal",
        presser: EventKeyboard | None = None,
    ) -> None:
        self._stage = stage
        self._keyboard = keyboard
        self._verify = verify
        self._presser = presser
        self._surface = _WindowSurface(stage, keyboard, verify, presser)
        self._since_s: float | None = None  # the flip that ended the trial before

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the window in pixels, which scenes must have."""
        return self._stage.size

    @property
    def period_s(self) -> float:
        """Refresh period, in seconds: measured on a synchronised screen, else the design's."""
        return self._stage.period_s

    def describe(self) -> Mapping[str, Any]:
        """Return a description of the window, its timing and the keyboard, as plain JSON values."""
        return {
            **self._stage.describe(),
            "verify": self._verify,
            "keyboard": dict(self._keyboard.describe()),
            "simulated_keys": self._presser is not None,
        }

    def show(self, phases: Sequence[Sequence[Slide]], listening: Listening) -> Shown:
        """Show one trial; see `experiments.ports.Booth.show`.

        After the last phase the blank of the first phase comes on. The next trial's first phase counts
        from there, so that the time in which it is prepared is a part of that phase.
        """
        check_scene_sizes(phases, self.size)
        since_s, self._since_s = self._since_s, None
        if since_s is None:
            self._keyboard.clear()
        gc.disable()  # a collection in mid-trial would cost frames
        try:
            self._surface.begin(phases)
            shown, self._since_s = Showing(phases, listening, self._surface).run(since_s)
            return replace(shown, hashes=hashes_of(phases, self._surface.wrong))
        finally:
            gc.enable()
            self._surface.end()

    def page(self, text: str, *, quit_key: str) -> tuple[float, float]:
        """Show a page of text until the space bar is pressed; see `experiments.ports.Booth.page`."""
        self._since_s = None
        page = self._stage.page(text)
        self._keyboard.clear()
        if self._presser is not None:
            self._presser.schedule(_CONTINUE, self._stage.now_s() + _READING_S)
        from_s: float | None = None
        while True:
            page.draw()
            t_s = self._stage.flip()
            from_s = t_s if from_s is None else from_s
            pressed = {press.key: press.t_s for press in self._keyboard.poll()}
            if quit_key in pressed:
                raise Quit
            if _CONTINUE in pressed:
                return from_s, pressed[_CONTINUE]

    def close(self) -> None:
        """Close the keyboard and the window."""
        self._keyboard.close()
        self._stage.close()


class _WindowSurface:
    """Surface of `Showing` on a stage: the quad of every scene, and hashes of readings that differed."""

    def __init__(
        self, stage: Stage, keyboard: Keyboard, verify: str, presser: EventKeyboard | None
    ) -> None:
        self.wrong: dict[int, str] = {}  # by id of the scene's pixels
        self._stage = stage
        self._keyboard = keyboard
        self._verify = verify
        self._presser = presser
        self._quads: dict[
            int, tuple[np.ndarray, Any]
        ] = {}  # with its pixels, so that the id stays theirs
        self._blank: tuple[np.ndarray, Any] | None = None

    @property
    def period_s(self) -> float:
        return self._stage.period_s

    def now_s(self) -> float:
        return self._stage.now_s()

    def begin(self, phases: Phases) -> None:
        """Begin a trial, with the blank of the trial before if it is the same."""
        self.wrong = {}
        pixels = phases[0][0].scene.pixels
        if self._blank is not None and np.array_equal(self._blank[0], pixels):
            self._quads[id(pixels)] = (pixels, self._blank[1])
        else:
            self._quads[id(pixels)] = (pixels, self._stage.upload(pixels))
            if self._blank is not None:
                self._stage.release(self._blank[1])
        self._blank = self._quads[id(pixels)]

    def load(self, phases: Phases) -> None:
        """Upload every scene, draw it unseen, and compare the back buffer with it."""
        scenes = {id(s.scene.pixels): s.scene.pixels for slides in phases for s in slides}
        for key, pixels in scenes.items():
            if key not in self._quads:
                self._quads[key] = (pixels, self._stage.upload(pixels))
        for pixels, quad in self._quads.values():
            self._stage.draw(quad)
            self._compare(pixels)
            self._stage.clear()
        self._stage.skip_missed()

    def flip(self, scene: Scene, *, edge: bool = False) -> float:
        """Draw the quad of a scene, read it back if asked, and flip."""
        pixels, quad = self._quads[id(scene.pixels)]
        self._stage.draw(quad)
        if self._verify == "all" or (edge and self._verify == "ends"):
            self._compare(pixels)
        return self._stage.flip()

    def poll(self) -> list[Press]:
        return self._keyboard.poll()

    def press_later(self, key: str, t_s: float) -> None:
        """Schedule a press of the simulated participant; a person presses keys of their own."""
        if self._presser is not None:
            self._presser.schedule(key, t_s)

    def end(self) -> None:
        """Free the trial's quads but the blank's, and forget presses that were to come after it."""
        kept = self._blank[1] if self._blank else None
        for _, quad in self._quads.values():
            if quad is not kept:
                self._stage.release(quad)
        self._quads = {}
        if self._presser is not None:
            self._presser.unschedule()

    def _compare(self, pixels: np.ndarray) -> None:
        read = self._stage.read()
        if not is_scene(read, pixels):
            self.wrong.setdefault(id(pixels), frame_id(read))


def open_booth(
    screen: Screen,
    *,
    allow_unsynced: bool = False,
    simulated: bool = False,
    fullscreen: bool = False,
) -> PsychopyBooth:
    """Open a window, measure its refresh rate, and return a booth that is ready.

    Parameters
    ----------
    screen
        From the design.
    allow_unsynced
        Accept a screen of another refresh rate, or one that flips do not wait for.
    simulated
        Press the keys of `Listening.script` for a simulated participant, who also passes pages.
    fullscreen
        Fill the screen even if the design does not ask for it.

    Raises
    ------
    DisplayError
        If there is no display, or it differs from the design.
    MissingExtra
        If PsychoPy is not installed.

    Examples
    --------
    >>> from stimsynth import Screen
    >>> booth = open_booth(Screen(refresh_hz=60.0))  # doctest: +SKIP
    >>> booth.close()  # doctest: +SKIP
    """
    psychopy = load_psychopy()
    stage = open_stage(psychopy, replace(screen, fullscreen=screen.fullscreen or fullscreen))
    try:
        stage.measure(allow_unsynced=allow_unsynced)
        if simulated:
            events = EventKeyboard(psychopy)
            return PsychopyBooth(stage, events, screen.verify, presser=events)
        return PsychopyBooth(stage, open_keyboard(psychopy), screen.verify)
    except BaseException:
        stage.close()
        raise
