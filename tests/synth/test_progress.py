"""Progress bars: what they say, and where they are drawn."""

import io
import os
import re
import subprocess
import sys
from contextlib import suppress
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch

from stimsynth import Metamer, MetamerCTF, PortillaSimoncelli, images
from stimsynth.engine.history import History
from stimsynth.methods.base.progress import postfix, product_bar, synthesis_bar
from stimuli_store.tools import progress
from stimuli_store.tools.progress import ProgressBar as progress_made


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Notebook(io.StringIO):
    """What stands for stderr in a notebook: no terminal, and shown."""


Notebook.__module__ = "ipykernel.iostream"


@pytest.mark.parametrize("bar", [synthesis_bar, product_bar])
@pytest.mark.parametrize(
    ("stream", "shown"), [(io.StringIO, False), (Terminal, True), (Notebook, True)]
)
def test_bars_are_drawn_where_somebody_sees_them(
    monkeypatch: pytest.MonkeyPatch, bar: object, stream: type, shown: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stream())
    with bar(10) as on_step:  # type: ignore[operator]
        assert (on_step is not None) == shown


def grass() -> torch.Tensor:
    return images.load("grass", size=64)


def test_a_bar_tells_loss_gradient_and_change() -> None:
    met = Metamer(grass(), torch.nn.AvgPool2d(4))
    met.synthesize(3, torch.optim.Adam)
    assert met.run is not None
    said = postfix(History(met.run.history), met.run.state, None)
    assert said == {
        "loss": f"{met.losses[-1].item():.4e}",
        "gradient_norm": f"{met.gradient_norm[-1].item():.4e}",
        "pixel_change_norm": f"{met.pixel_change_norm[-1].item():.4e}",
        "learning_rate": 0.01,
    }


def test_a_bar_from_coarse_to_fine_tells_the_scale_too() -> None:
    met = MetamerCTF(grass(), PortillaSimoncelli((64, 64), n_scales=2))
    met.synthesize(7, torch.optim.Adam, change_scale_criterion=None, ctf_iters_to_check=5)
    assert met.run is not None
    said = postfix(History(met.run.history), met.run.state, met._bar_fields)
    assert said["current_scale"] == "residual_lowpass"
    assert said["current_scale_loss"] == f"{met.scales_loss[-1].item():.4e}"
    assert said["learning_rate"] == 0.01


def test_a_step_is_drawn_with_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "ProgressBar", _drawn_at_once)
    names = "objective", "gradient_norm", "pixel_change_norm"
    history = History({name: torch.tensor([[0.25]]) for name in names})
    with synthesis_bar(20) as on_step:
        assert on_step is not None
        for _ in range(10):
            on_step(history, SimpleNamespace(optimizer=None))
    assert "loss=2.5000e-01" in stream.getvalue()
    assert "10/20" in stream.getvalue()


def test_the_scale_in_work_is_seen_on_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "ProgressBar", partial(_drawn_at_once, width=80))
    met = MetamerCTF(grass(), PortillaSimoncelli((64, 64), n_scales=2))
    met.synthesize(12, change_scale_criterion=None, ctf_iters_to_check=5)
    drawn = [line[:80] for line in stream.getvalue().split("\r")]
    for scale in ("pixel_statistics", "residual_lowpass"):
        assert any(line.startswith(f"{scale}: ") and "loss=" in line for line in drawn)


def _drawn_at_once(*, width: int | None = None, **kwargs: object) -> object:
    kwargs |= {"ncols": width, "delay": 0, "mininterval": 0, "leave": True, "file": sys.stderr}
    return progress_made(**kwargs)  # type: ignore[arg-type]


def test_a_terminal_without_a_width_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terminals of containers and of recorders often have no size."""
    for columns, told in ((0, (80, 24)), (120, (None, None))):
        size = os.terminal_size((columns, 0))
        stream = SimpleNamespace(fileno=lambda: 2)
        monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream))
        monkeypatch.setattr(os, "get_terminal_size", lambda _, size=size: size)
        assert progress._size() == told
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=io.StringIO()))
    assert progress._size() == (None, None)


#: Widths of a terminal, and the fields that there is room for.
FIELDS = {"loss": "1.2345e-04", "gradient_norm": "1.2345e-04", "pixel_change_norm": "1.2345e-04"}
ROOM = {60: 0, 80: 1, 110: 2, 200: 3}


@pytest.mark.parametrize("columns", ROOM)
def test_a_line_fits_the_terminal_and_no_field_is_cut(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "ProgressBar", partial(_drawn_at_once, width=columns))
    with progress.progress_bar(1000, "step") as bar:
        for _ in range(7):
            bar.set_fields(FIELDS)
            bar.update(100)
    lines = stream.getvalue().split("\r")[2:-1]
    for line in lines:
        assert len(line.rstrip()) <= columns
        assert line.rstrip().endswith("]")
        assert "<" in line  # the time left
        assert line.count("=") == ROOM[columns]
        assert "##" in line


def places_of(text: str, title: str) -> list[float]:
    """Return how far the bar of a title was at each drawing, in its units."""
    return [float(n) for n in re.findall(rf"{title}:[^\r\n]*\| ([\d.]+)/", text)]


def test_the_outer_bar_moves_with_those_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps: one with an inner bar that ends early, one with two inner bars."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "ProgressBar", partial(_drawn_at_once, width=80))
    seen = []
    with progress.progress_bar(10, "image", done=2) as outer:
        for inside in ([5], [10, 10]):
            with outer.step(4):
                for steps in inside:
                    with progress.progress_bar(10, "step") as inner:
                        for _ in range(steps):
                            inner.update()
                            seen.append(outer.n)
            seen.append(outer.n)
    assert seen == sorted(seen)
    assert seen[5] == 6
    assert seen[-1] == 10
    assert max(after - before for before, after in pairwise(seen)) <= 2.2
    drawn = places_of(stream.getvalue(), "images")
    assert drawn == sorted(drawn)
    assert len(set(drawn)) > 15


def test_bars_inside_a_notebook_move_the_outer_one_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Notebook()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "ProgressBar", partial(_drawn_at_once, width=80))
    with (
        progress.progress_bar(4, "image") as outer,
        outer.step(4),
        progress.progress_bar(10, "step") as inner,
    ):
        inner.set_fields(FIELDS)
        inner.update(5)
        assert 1 < outer.n < 3
    assert "steps" not in stream.getvalue()
    assert "images" in stream.getvalue()


def test_a_synthesis_inside_a_bar_runs_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Notebook())
    metamer = Metamer(torch.rand(1, 1, 8, 8).double(), torch.nn.Identity())
    with progress.progress_bar(4, "image") as outer, outer.step(4):
        metamer.synthesize(max_iter=3)
        assert outer.n > 0
    assert len(metamer.losses) > 1


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no such terminals")
def test_a_terminal_without_a_size_gets_both_bars_and_a_pipe_none() -> None:
    """Both on lines of their own, and no line over 80 columns."""
    code = """
import time
from stimuli_store.tools.progress import progress_bar
with progress_bar(2, "image", delay_s=0) as outer:
    for _ in range(2):
        with outer.step(1), progress_bar(5, "step", delay_s=0) as inner:
            for _ in range(5):
                time.sleep(0.25)
                inner.update()
"""
    ours, theirs = os.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stderr=theirs) as child:
        os.close(theirs)
        seen = b""
        with suppress(OSError):  # Linux's word for the end
            while more := os.read(ours, 4096):
                seen += more
    os.close(ours)
    assert child.returncode == 0
    text = seen.decode()
    assert len(set(places_of(text, "images"))) > 4
    assert len(set(places_of(text, "steps"))) > 4
    lines = re.split(r"[\r\n]|\x1b\[A", text)
    assert max(map(len, lines)) <= 80
    piped = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert piped.stderr == piped.stdout == b""
