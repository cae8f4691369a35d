"""Stage: a window with flips and their times, pictures, pixels read back, and pages of text."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from experiments.booth.load import PsychoPy
from experiments.booth.monitor import Refresh, measure_refresh, pace, refusal
from experiments.booth.pixels import (
    Place,
    as_given,
    background_level,
    check_fits,
    cross,
    padded,
    place_of,
    read_back,
)
from experiments.design import Screen
from stimuli_store.errors import DisplayError


class ShownFrame(NamedTuple):
    """A frame on the graphics card, its rectangle in the window, and its number of dimensions."""

    stimulus: Any
    place: Place
    ndim: int


class Stage:
    """An open window with a grey background, made by `open_stage`; `measure` must be called next.

    Attributes
    ----------
    period_s
        Refresh period, in seconds: measured on a synchronised screen, else the design's.
    """

    def __init__(self, psychopy: PsychoPy, window: Any, screen: Screen) -> None:
        self.period_s = 1.0 / screen.refresh_hz
        self._psychopy = psychopy
        self._window = window
        self._screen = screen
        self._size = (int(window.size[0]), int(window.size[1]))
        self._level = background_level(screen.background)
        self._refresh: Refresh | None = None
        self._paced = False
        self._beat_s = 0.0
        self._cross = self.upload(cross(self._level))

    def measure(self, *, allow_unsynced: bool) -> None:
        """Measure the refresh rate; raise DisplayError if it differs from the design's.

        Raises
        ------
        DisplayError
            If the rate differs by more than 0.5 Hz, or flips do not wait for the screen. With
            `allow_unsynced` the clock times the flips instead.
        """
        self._check_background()
        self._refresh = measure_refresh(self.flip)
        reason = refusal(self._refresh, self._screen.refresh_hz)
        if reason is not None and not allow_unsynced:
            raise DisplayError(reason)
        self._paced = reason is not None
        if not self._paced:
            self.period_s = 1.0 / self._refresh.hz

    def describe(self) -> Mapping[str, Any]:
        """Return a description of the window and its timing, as plain JSON values."""
        refresh = self._refresh
        return {
            "adapter": "psychopy",
            "psychopy": self._psychopy.version,
            "refresh_hz": self._screen.refresh_hz,
            "measured_hz": refresh.hz if refresh else None,
            "jitter_ms": refresh.jitter_ms if refresh else None,
            "synchronised": refresh is not None and not self._paced,
            "window": list(self._size),
            "fullscreen": bool(self._window.fullscr),
            "background_level": self._level,
            "gamma": "as the system has it",
            "frames_read_back": "all, or first and last where one takes over a quarter period",
            "renderer": str(self._psychopy.gl.gl_info.get_renderer()),
        }

    def now_s(self) -> float:
        """Return the time on the clock of the flips, in seconds."""
        return float(self._psychopy.core.getTime())

    def flip(self) -> float:
        """Flip the window, and return the time of the flip in seconds."""
        if self._paced:
            self._beat_s = pace(self.now_s, self._beat_s, self.period_s)
        return float(self._window.flip())

    def upload(self, frame: np.ndarray) -> ShownFrame:
        """Return a picture in the middle of the window, uploaded from a frame (uint8, (H, W) or (H, W,
        3)).
        """
        from PIL import Image

        whole = padded(frame, self._size, self._level)
        stimulus = self._psychopy.visual.ImageStim(
            self._window,
            image=Image.fromarray(whole).convert("RGB"),
            units="pix",
            size=(whole.shape[1], whole.shape[0]),
            pos=(0, 0),
            interpolate=False,
            autoLog=False,
        )
        return ShownFrame(stimulus, place_of(frame.shape, self._size), frame.ndim)

    def rehearse(self, pictures: Mapping[str, ShownFrame]) -> None:
        """Draw pictures into the back buffer without showing them, so that the first real draw is fast."""
        for picture in pictures.values():
            picture.stimulus.draw()
        self._window.clearBuffer()

    def draw(self, picture: ShownFrame | None) -> None:
        """Draw a picture, or the fixation cross for None."""
        (picture or self._cross).stimulus.draw()

    def read(self, picture: ShownFrame) -> np.ndarray:
        """Return the pixels of the back buffer at a picture's place, in the shape of its frame."""
        return as_given(read_back(self._psychopy.gl, picture.place), picture.ndim)

    def reads_fast(self, picture: ShownFrame) -> bool:
        """Return whether reading a picture back takes less than a quarter of a refresh period."""
        began = self.now_s()
        self.read(picture)
        return self.now_s() - began < self.period_s / 4

    def check(self, shapes: Collection[tuple[int, ...]]) -> None:
        """Raise DisplayError if a frame of one of the shapes does not fit into the window."""
        for shape in sorted(shapes):
            check_fits(shape, self._size)

    def release(self, pictures: Mapping[str, ShownFrame]) -> None:
        """Free the graphics memory of pictures."""
        for stimulus in {id(p.stimulus): p.stimulus for p in pictures.values()}.values():
            stimulus.clearTextures()

    def page(self, text: str) -> Any:
        """Return a page of text, which must be drawn in every frame."""
        ink = -1.0 if self._level > 127 else 1.0
        return self._psychopy.visual.TextStim(
            self._window,
            text=text,
            units="pix",
            height=max(14, self._size[1] // 28),
            wrapWidth=0.9 * self._size[0],
            color=(ink, ink, ink),
            colorSpace="rgb",
            font="Arial",
            autoLog=False,
        )

    def close(self) -> None:
        """Close the window."""
        self._window.close()

    def _check_background(self) -> None:
        self.flip()
        corner = read_back(self._psychopy.gl, Place(0, 0, 4, 4))
        if not (corner == self._level).all():
            raise DisplayError(
                f"the window's background has the level {corner[0, 0].tolist()} instead of "
                f"{self._level}; this graphics driver would not show pictures exactly"
            )


def open_stage(psychopy: PsychoPy, screen: Screen) -> Stage:
    """Open a window for `screen` and return it as a stage; the gamma table stays as the system has it.

    Raises
    ------
    DisplayError
        If there is no such screen, the driver cannot open the window, or the system scales windows, so
        that pixels of the window are not pixels of the screen.
    """
    _check_screen(screen.screen)
    grey = background_level(screen.background) / 127.5 - 1.0
    try:
        window = psychopy.visual.Window(
            size=screen.size,
            fullscr=screen.fullscreen,
            screen=screen.screen,
            units="pix",
            color=(grey, grey, grey),
            colorSpace="rgb",
            winType="pyglet",
            allowGUI=False,
            checkTiming=False,
            waitBlanking=True,
            gamma=None,
            gammaErrorPolicy="ignore",
            autoLog=False,
        )
    except psychopy.gl.GLException as error:
        raise DisplayError(
            f"the graphics driver cannot open a window of {screen.size[0]} x {screen.size[1]} pixels "
            f"({error}); make the size in the design's [screen] smaller"
        ) from error
    if tuple(window.frameBufferSize) != tuple(window.size):
        window.close()
        raise DisplayError(
            "the system scales windows on this screen, so a pixel of a picture is not a pixel of "
            "the screen; set the screen to its native resolution without scaling"
        )
    return Stage(psychopy, window, screen)


def _check_screen(number: int) -> None:
    from pyglet import canvas

    count = len(canvas.get_display().get_screens())
    if number >= count:
        raise DisplayError(
            f"the design asks for screen {number}, but this machine has {count}, counted from 0; "
            "set screen in the design's [screen]"
        )
