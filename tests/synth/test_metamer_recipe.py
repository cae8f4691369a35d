"""Metamers in a bank beyond the plain ones: coarse to fine, balanced, and tried again with other seeds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stimsynth.banks.build import build
from stimsynth.banks.remake import remake
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.errors import InputError, StimsynthError


def plan(**settings: Any) -> dict[str, Any]:
    model = {"use": "PortillaSimoncelli", "params": {"image_shape": [32, 32], "n_scales": 1}}
    return {
        "bank": {"name": "m", "version": "1.0.0", "license": "CC0-1.0"},
        "targets": {"images": ["grass"], "size": 32},
        "models": {"texture": model},
        "sets": [
            {"kind": "metamer", "model": "texture", "max_iter": 6, "grid": "rounded", **settings}
        ],
    }


@pytest.mark.parametrize("balanced", ["", "sensitivity", "target"])
@pytest.mark.parametrize("coarse_to_fine", ["", "together", "separate"])
def test_textures_get_nearer_to_their_target(
    tmp_path: Path, coarse_to_fine: str, balanced: str
) -> None:
    bank = build(plan(coarse_to_fine=coarse_to_fine, balanced=balanced), tmp_path)
    ((record,),) = bank.sets.values()
    assert record.spec is not None
    assert record.spec.recipe["coarse_to_fine"] == coarse_to_fine
    assert record.spec.recipe["balanced"] == balanced
    assert record.certificate.figures["distance"] > 0
    assert len(bank.losses(record.sha256)) == 7


def test_a_way_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    for key in ("coarse_to_fine", "balanced"):
        with pytest.raises(InputError, match=f"metamer.{key} must be one of"):
            build(plan(**{key: "gently"}), tmp_path)


def test_penalties_are_added_recorded_and_remade(tmp_path: Path) -> None:
    def made(weight: float) -> Bank:
        table = plan(penalties={"roughness": weight})
        table["models"]["texture"] = {"use": "UniformPooling", "params": {"window_px": 16}}
        return build(table, tmp_path / str(weight))

    def roughness(bank: Bank) -> float:
        ((record,),) = bank.sets.values()
        assert record.spec is not None
        pixels = bank.pixels(record.sha256)
        return float(np.mean(np.diff(pixels) ** 2) + np.mean(np.diff(pixels, axis=0) ** 2))

    rough, smooth = made(0), made(0.5)
    assert roughness(smooth) < 0.7 * roughness(rough)
    (record,) = (r for r in smooth.records if r.spec)
    assert record.spec is not None
    assert record.spec.recipe["penalties"] == {"roughness": 0.5}
    (again,) = remake(open_bank(smooth.path))
    assert again.same_pixels


@pytest.mark.parametrize("balanced", ["", "sensitivity"])
def test_penalties_go_with_other_ways(tmp_path: Path, balanced: str) -> None:
    ways = {"coarse_to_fine": "together", "balanced": balanced, "penalties": {"roughness": 1}}
    bank = build(plan(**ways), tmp_path)
    assert all(one.same_pixels for one in remake(bank))


def test_missed_gates_are_flagged_tried_again_or_end_the_build(tmp_path: Path) -> None:
    gates = {"relative_distance": 1e-9}
    with pytest.raises(StimsynthError, match="misses a gate: relative_distance"):
        build(plan(gates=gates, on_miss="fail"), tmp_path / "fail")
    for on_miss in ("flag", "retry"):
        bank = build(plan(gates=gates, on_miss=on_miss, retries=1), tmp_path / on_miss)
        ((record,),) = bank.sets.values()
        assert "relative_distance is" in record.flags[0]
        assert record.start is not None
        assert record.start.seed == 0
