"""Metamers in a bank beyond the plain ones: coarse to fine, balanced, and tried again with other seeds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stimsynth.banks.build import build
from stimsynth.banks.remake import remake
from stimsynth.images.noise import gaussian_noise
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.errors import InputError, StimsynthError
from stimuli_store.records.spec import Start


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


def test_a_stimulus_from_a_further_seed_states_both_seeds(tmp_path: Path) -> None:
    """Noise is made at once, and which of its seeds pass the gate is known from plain formulas."""
    noise = {"kind": "noise", "level": {"rms": [0.05]}, "name": "n", "seeds": [0, 1, 2, 3]}
    table = plan() | {"models": {}, "sets": [noise]}
    first = build(table, tmp_path / "first")
    target = first.pixels("grass")

    def made(seed: int) -> np.ndarray:
        grey = gaussian_noise((1, 1, 32, 32), seed)[0, 0].numpy()
        return (target + 0.05 * grey).astype(np.float32)

    def rms(seed: int) -> float:
        levels = [np.rint(np.clip(x, 0, 1) * 255) / 255 for x in (made(seed), target)]
        return float(np.sqrt(np.mean((levels[0] - levels[1]) ** 2)))

    bound = float(np.median([rms(seed) for seed in range(4)]))
    noise |= {"gates": {"rms": bound}, "on_miss": "retry", "retries": 9}
    build(table, tmp_path / "second").close()
    bank = open_bank(tmp_path / "second" / "m-1.0.0.h5")
    retried = 0
    for planned, record in enumerate(r for r in bank.records if r.spec):
        assert record.name == f"grass/n/rms=0.05/seed={planned}"
        assert record.start is not None
        used = record.start.seed
        np.testing.assert_allclose(bank.pixels(record.sha256), made(used), atol=1e-6)
        if rms(planned) <= bound:
            assert (used, record.planned_start, record.flags) == (planned, None, ())
            continue
        retried += 1
        attempts = [4 + planned + 4 * attempt for attempt in range(9)]
        assert used == next(seed for seed in attempts if rms(seed) <= bound)
        assert record.planned_start == Start(type="white_noise", seed=planned)
        assert record.flags == (
            f"made from seed {used} in place of seed {planned}, which missed a gate: "
            f"rms is {rms(planned):.3g}, over the gate of {bound:g}",
        )
    assert retried == 2
    assert all(one.same_pixels and not one.faults for one in remake(bank))


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
