"""Figure of a bank: every stimulus under its set, targets first, levels in order."""

from pathlib import Path

import numpy as np
import pytest

from stimsynth.plots import display_bank
from stimuli_store.errors import InputError, WrongType
from tests.helpers import tiny_bank

pytest.importorskip("matplotlib")


def test_a_bank_is_drawn_set_by_set_and_level_by_level(tmp_path: Path) -> None:
    bank = tiny_bank(tmp_path, levels=(4.0, 16.0))
    figure = display_bank(bank, side_px=64)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    members = [record for label in bank.sets for record in bank.sets[label]]
    assert len(shown) == len(members) + len(bank.sets)  # each set with its target
    frames = [
        bank.frame(sha).pixels for sha in {r.sha256 for r in [*members, *bank.references.values()]}
    ]
    for frame in frames:
        assert any(frame.shape == x.shape and (frame == x).all() for x in shown)
    labels = {axes.get_title().split("\n")[0] for axes in figure.axes}
    assert set(bank.sets) <= labels
    sizes = {round(axes.get_window_extent().width) for axes in figure.axes}
    assert max(sizes) <= 64
    assert all(size % frames[0].shape[1] == 0 for size in sizes)
    small = display_bank(bank, side_px=8)
    means = np.asarray(small.axes[0].images[0].get_array())
    assert max(means.shape) <= 8
    assert means.mean() == pytest.approx(shown[0].mean())
    with pytest.raises(InputError, match="list of names"):
        display_bank(bank, "photo")
    with pytest.raises(InputError):
        display_bank(bank, ["no such set"])
    with pytest.raises(WrongType, match="shows a bank; not a ndarray"):
        display_bank(np.zeros(3))  # type: ignore[arg-type]
