"""Progress bars: what they say, and where they are drawn."""

import io
import os
import sys
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from stimsynth import Metamer, MetamerCTF, PortillaSimoncelli, images
from stimsynth.engine.history import History
from stimsynth.methods.base.progress import postfix, product_bar, synthesis_bar
from stimuli_store.tools import progress


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
    monkeypatch.setattr("stimuli_store.tools.progress.tqdm", _drawn_at_once)
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
    monkeypatch.setattr("stimuli_store.tools.progress.tqdm", partial(_drawn_at_once, ncols=80))
    met = MetamerCTF(grass(), PortillaSimoncelli((64, 64), n_scales=2))
    met.synthesize(12, change_scale_criterion=None, ctf_iters_to_check=5)
    drawn = [line[:80] for line in stream.getvalue().split("\r")]
    for scale in ("pixel_statistics", "residual_lowpass"):
        assert any(line.startswith(f"{scale}: ") and "loss=" in line for line in drawn)


def _drawn_at_once(*, ncols: int | None = None, **kwargs: object) -> object:
    from tqdm import tqdm

    kwargs["ncols"] = ncols
    return tqdm(**{**kwargs, "delay": 0, "mininterval": 0, "leave": True, "file": sys.stderr})  # type: ignore[call-overload]


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
