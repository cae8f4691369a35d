"""Keyboards: key presses with times on the clock of the flips, from the best source of this machine.

There are two sources, and the journal names the one in use:

- ``psychtoolbox``: a thread stamps the press itself; the error is the keyboard's own, a few ms.
- ``event``: PsychoPy's window events, stamped when a frame is polled, up to one frame after the
  press.
"""

# PsychoPy's `Keyboard` in its own ``event`` mode is never used: its key names are lists.

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from experiments.booth.load import PsychoPy
from experiments.ports import Press

LAGS = {
    "psychtoolbox": "stamped by a listening thread when the key goes down",
    "event": "stamped at the poll in every frame, up to one frame late",
}


class Keyboard(Protocol):
    """Interface of a source of key presses."""

    def describe(self) -> Mapping[str, str]:
        """Return the back end's name and the precision of its times."""

    def poll(self) -> list[Press]:
        """Return the presses since the last poll, the earliest first."""

    def clear(self) -> None:
        """Discard all presses until now."""

    def close(self) -> None:
        """Stop listening."""


class EventKeyboard:
    """Keyboard that polls PsychoPy's window events, with scheduled presses for simulated people."""

    def __init__(self, psychopy: PsychoPy) -> None:
        self._event = psychopy.event
        self._now: Callable[[], float] = psychopy.core.getTime
        self._scheduled: list[Press] = []
        self.clear()

    def describe(self) -> Mapping[str, str]:
        """Return the back end's name and the precision of its times."""
        return {"backend": "event", "lag": LAGS["event"]}

    def schedule(self, key: str, t_s: float) -> None:
        """Schedule a press of `key` for the first poll at or after time `t_s`."""
        self._scheduled.append(Press(key=key, t_s=t_s))

    def unschedule(self) -> None:
        """Discard the presses that are scheduled and not due."""
        self._scheduled = []

    def poll(self) -> list[Press]:
        """Return the presses since the last poll."""
        now = float(self._now())
        due = [press for press in self._scheduled if press.t_s <= now]
        self._scheduled = [press for press in self._scheduled if press.t_s > now]
        for press in due:
            self._event._onPygletKey(press.key, 0, emulated=True)
        return [Press(key=name, t_s=float(t)) for name, t in self._event.getKeys(timeStamped=True)]

    def clear(self) -> None:
        """Discard all presses until now, scheduled ones too."""
        self._scheduled = []
        self._event.clearEvents("keyboard")

    def close(self) -> None:
        """Discard all presses."""
        self.clear()


class PsychtoolboxKeyboard:
    """Keyboard that reads the psychtoolbox queue through PsychoPy's `Keyboard`."""

    def __init__(self, psychopy: PsychoPy, device: Any) -> None:
        self._now: Callable[[], float] = psychopy.core.getTime
        self._device = device
        self._since_s = 0.0
        self._seen: set[Press] = set()
        self.clear()

    def describe(self) -> Mapping[str, str]:
        """Return the back end's name and the precision of its times."""
        return {"backend": "psychtoolbox", "lag": LAGS["psychtoolbox"]}

    def poll(self) -> list[Press]:
        """Return the presses since the last poll, of keys that are still down and of released ones."""
        # A key that was pressed and released between two polls is missing from either query alone.
        down = self._device.getKeys(waitRelease=False)
        up = self._device.getKeys(waitRelease=True)
        found = {Press(key=str(key.name), t_s=float(key.tDown)) for key in [*down, *up]}
        new = {press for press in found - self._seen if press.t_s >= self._since_s}
        self._seen |= new
        return sorted(new, key=lambda press: press.t_s)

    def clear(self) -> None:
        """Discard all presses until now; the later release of a key that is down is no press."""
        self._device.clearEvents()
        self._since_s = float(self._now())
        self._seen.clear()

    def close(self) -> None:
        """Discard all presses; the device itself is shared by the whole process."""
        self.clear()


def open_keyboard(psychopy: PsychoPy) -> Keyboard:
    """Return the psychtoolbox keyboard if psychtoolbox works here, else window events."""
    from psychopy.hardware import keyboard

    if not keyboard.havePTB:
        return EventKeyboard(psychopy)
    try:
        device = keyboard.Keyboard(clock=psychopy.core.monotonicClock, backend="ptb")
    except OSError:  # no permission to listen; PsychoPy says so with an OSError
        return EventKeyboard(psychopy)
    if device.getBackend() != "ptb":
        return EventKeyboard(psychopy)
    return PsychtoolboxKeyboard(psychopy, device)
