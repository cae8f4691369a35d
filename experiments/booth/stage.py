"""Stage: a window with flips and their times, scenes as quads, pixels read back, and pages of text."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.booth.load import PsychoPy
from experiments.booth.monitor import Refresh, measure_refresh, pace, refusal
from experiments.booth.pixels import cut_of, middle_of, read_back
from experiments.drawing.marks import ink_of
from experiments.screen import Screen
from stimuli_store.errors import DisplayError


class Stage:
    """An open window with a grey background, made by `open_stage`; `measure` must be called next.

    Attributes
    ----------
    period_s
        Refresh period, in seconds: measured on a synchronised screen, else the design's.
    size
        Width and height of the window, in pixels.
    """

    def __init__(self, psychopy: PsychoPy, window: Any, screen: Screen) -> None:
        self.period_s = 1.0 / screen.refresh_hz
        self.size = (int(window.size[0]), int(window.size[1]))
        self._psychopy = psychopy
        self._window = window
        self._screen = screen
        self._refresh: Refresh | None = None
        self._paced = False
        self._beat_s = 0.0

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
            "screen": self._screen.screen,
            "window": list(self.size),
            "position": list(map(int, self._window.winHandle.get_location())),
            "fullscreen": bool(self._window.fullscr),
            "background_level": self._screen.level,
            "gamma": "as the system has it",
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

    def skip_missed(self) -> None:
        """Let the next flip wait for the next beat, whatever was missed, where the clock times the flips."""
        if self._paced:
            missed = (self.now_s() - self._beat_s) // self.period_s
            self._beat_s += max(0.0, missed) * self.period_s

    def upload(self, pixels: np.ndarray) -> Any:
        """Return the quad of a scene (uint8, (H, W) or (H, W, 3)) on the graphics card.

        It holds what is not background; None for a scene that is all background.
        """
        from PIL import Image

        box = cut_of(pixels, self._screen.level)
        if box is None:
            return None
        cut = np.ascontiguousarray(pixels[box.slices])
        return self._psychopy.visual.ImageStim(
            self._window,
            image=Image.fromarray(cut).convert("RGB"),
            units="pix",
            size=(box.width, box.height),
            pos=middle_of(box, self.size),
            interpolate=False,
            autoLog=False,
        )

    def draw(self, quad: Any) -> None:
        """Draw the quad of a scene into the back buffer, which must be clear."""
        if quad is not None:
            quad.draw()

    def read(self) -> np.ndarray:
        """Return the pixels of the back buffer: the whole window, uint8, (H, W, 3), top row first."""
        return read_back(self._psychopy.gl, self.size)

    def clear(self) -> None:
        """Clear the back buffer to the background, after drawing for a reading alone."""
        self._window.clearBuffer()

    def release(self, quad: Any) -> None:
        """Free the graphics memory of a quad."""
        if quad is not None:
            quad.clearTextures()

    def page(self, text: str) -> Any:
        """Return a page of text, which must be drawn in every frame."""
        ink = ink_of(self._screen.level) / 127.5 - 1.0
        return self._psychopy.visual.TextStim(
            self._window,
            text=text,
            units="pix",
            height=max(14, self.size[1] // 28),
            wrapWidth=0.9 * self.size[0],
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
        corner = self.read()[-4:, :4]
        if not (corner == self._screen.level).all():
            raise DisplayError(
                f"the window's background has the level {corner[-1, 0].tolist()} instead of "
                f"{self._screen.level}; this graphics driver would not show pictures exactly"
            )


def open_stage(psychopy: PsychoPy, screen: Screen) -> Stage:
    """Open a window for `screen` and return it as a stage; the gamma table stays as the system has it.

    Raises
    ------
    DisplayError
        If there is no such screen, the window does not lie within it, the driver cannot open the window,
        or the system scales windows, so that pixels of the window are not pixels of the screen.
    """
    real = _screen_of(screen)
    grey = screen.level / 127.5 - 1.0
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
    try:
        _check_window(window, real)
    except DisplayError:
        window.close()
        raise
    return Stage(psychopy, window, screen)


def _screen_of(screen: Screen) -> Any:
    """Return the system's screen that a design asks for; raise DisplayError if the window exceeds it."""
    from pyglet import canvas

    screens = canvas.get_display().get_screens()
    if screen.screen >= len(screens):
        raise DisplayError(
            f"the design asks for screen {screen.screen}, but this machine has {len(screens)}, counted "
            "from 0; set screen in the design's [screen]"
        )
    real = screens[screen.screen]
    width, height = screen.size
    if not screen.fullscreen and (width > real.width or height > real.height):
        raise DisplayError(
            f"a window of {width} x {height} pixels is larger than screen {screen.screen}, which has "
            f"{real.width} x {real.height}; make the size in the design's [screen] smaller"
        )
    return real


def _check_window(window: Any, real: Any) -> None:
    """Raise DisplayError if a window is scaled, or some of it lies beyond its screen."""
    if tuple(window.frameBufferSize) != tuple(window.size):
        raise DisplayError(
            "the system scales windows on this screen, so a pixel of a picture is not a pixel of "
            "the screen; set the screen to its native resolution without scaling"
        )
    width, height = (int(side) for side in window.winHandle.get_size())
    if (width, height) != tuple(window.size):
        raise DisplayError(
            f"the system made the window {width} x {height} pixels large instead of "
            f"{window.size[0]} x {window.size[1]}; set fullscreen = true in the design's [screen]"
        )
    left, top = (int(edge) for edge in window.winHandle.get_location())
    inside_x = real.x <= left <= real.x + real.width - width
    inside_y = real.y <= top <= real.y + real.height - height
    if not (inside_x and inside_y):
        raise DisplayError(
            f"the window's corner lies at ({left - real.x}, {top - real.y}), so that a part of its "
            f"{width} x {height} pixels is beyond the screen of {real.width} x {real.height}; make the size "
            "in the design's [screen] smaller, or set fullscreen = true"
        )
