"""A screen on a simulated clock: every swap of buffers advances it to the next vertical blank.

Frames that come late and keys that are pressed at exact times can be put in. Nothing waits, so a
trial of four seconds takes as long as drawing its frames does.
"""

from collections.abc import Callable

import pytest


class VirtualDisplay:
    """The clock and the screen. Frames are counted from `start`, by the swaps that follow it."""

    def __init__(self, hz: float) -> None:
        self.hz = hz
        self.blank = 0  # number of vertical blanks so far
        self.now_s = 0.0
        self.swaps = 0
        self.late: dict[int, int] = {}  # swap -> vertical blanks missed
        self.presses: list[tuple[float, str]] = []
        self.before_swap: Callable[[int], None] | None = (
            None  # while the frame is in the back buffer
        )
        self.on_swap: Callable[[int], None] | None = None
        self.press: Callable[[str], None] = lambda key: None

    def time(self) -> float:
        return self.now_s

    def start(self, *, late: dict[int, int] | None = None) -> float:
        """Count swaps from 0 again; return the time at which swap 0 will be seen."""
        self.swaps = 0
        self.late = late or {}
        return (self.blank + 1) / self.hz

    def wait(self, seconds: float) -> None:
        """Let time pass without a swap."""
        self.now_s += seconds
        self.blank = int(self.now_s * self.hz + 1e-6)

    def swap(self) -> None:
        """Advance to the next vertical blank, pressing what is due on the way."""
        self.blank += 1 + self.late.get(self.swaps, 0)
        then = self.blank / self.hz
        for t, key in sorted(self.presses):
            if t <= then:
                self.now_s = max(self.now_s, t)
                self.press(key)
        self.presses = [(t, key) for t, key in self.presses if t > then]
        self.now_s = then
        if self.on_swap is not None:
            self.on_swap(self.swaps)
        self.swaps += 1


def install(monkeypatch: pytest.MonkeyPatch, hz: float = 60.0) -> VirtualDisplay:
    """Put PsychoPy on a virtual display for the length of a test."""
    from experiments.booth.load import load_psychopy

    load_psychopy()
    import psychopy.clock
    from psychopy import event
    from psychopy.visual.backends.pygletbackend import PygletBackend

    display = VirtualDisplay(hz)
    display.press = lambda key: event._onPygletKey(key, 0, emulated=True)
    real = PygletBackend.swapBuffers

    def swap(self, flipThisFrame=True):
        if display.before_swap is not None:
            display.before_swap(display.swaps)
        real(self, flipThisFrame)
        display.swap()

    monkeypatch.setattr(psychopy.clock, "getTime", display.time)
    monkeypatch.setattr(psychopy.clock.monotonicClock, "_timeAtLastReset", 0.0)
    monkeypatch.setattr(PygletBackend, "swapBuffers", swap)
    return display
