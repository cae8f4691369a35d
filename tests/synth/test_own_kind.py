"""A further kind of stimulus, written here and registered here, goes from a plan into a bank."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from stimsynth.banks.build import build
from stimsynth.banks.recipe import (
    RECIPES,
    Catalogue,
    Context,
    Made,
    label_of,
    levels_of,
    number_of,
    recipe_of,
    register_recipe,
    settings_of,
    to_array,
)
from stimuli_store.bank.reading import open_bank
from stimuli_store.errors import InputError, StimsynthError
from stimuli_store.frames import Frame, dequantize
from stimuli_store.records.spec import SetSpec, StimulusSpec


@dataclass(frozen=True, kw_only=True)
class ContrastRecipe:
    """``kind = "contrast"``: targets with their contrast reduced about a mean."""

    kind: ClassVar[str] = "contrast"
    axes: ClassVar[frozenset[str]] = frozenset({"level"})
    whole: ClassVar[bool] = False
    figures: ClassVar[tuple[str, ...]] = ("contrast",)

    level: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    mean: float = 0.5
    batch: int = 2
    gates: Mapping[str, float] = field(default_factory=dict)
    on_miss: str = "flag"
    retries: int = 0
    name: str = "contrast"

    def specs(self, catalogue: Catalogue) -> tuple[SetSpec, ...]:
        """Return a set for every target, with a member for every contrast."""
        return tuple(
            SetSpec(
                label=label_of(target.name, self.name),
                members=tuple(
                    StimulusSpec(
                        kind=self.kind,
                        role=self.kind,
                        targets=(target.sha256,),
                        models={},
                        level=level,
                        recipe=settings_of(self),
                        code=catalogue.code,
                    )
                    for level in levels_of(self.level, self.kind)
                ),
            )
            for target in catalogue.targets
        )

    def make(self, batch: Sequence[StimulusSpec], context: Context) -> Iterator[Made]:
        """Yield targets with less contrast."""
        for spec in batch:
            image = context.images(spec.targets)[0]
            reduced = self.mean + number_of(spec.level) * (image - self.mean)
            yield Made(spec=spec, pixels=to_array(reduced), status="made, not synthesized")

    def certify(
        self, made: Made, frames: Mapping[str, Frame], context: Context
    ) -> Mapping[str, float]:
        """Return the ratio of the standard deviations of the frame and its target's."""
        one, goal = (
            dequantize(frames[key].pixels, np.float64).std()
            for key in (made.spec.key, made.spec.targets[0])
        )
        return {"contrast": float(one / goal)}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECIPES, "contrast", ContrastRecipe)  # and out again after the test
    assert register_recipe(ContrastRecipe) is ContrastRecipe


def plan(**settings: Any) -> dict[str, Any]:
    return {
        "bank": {"name": "own", "version": "1.0.0", "license": "CC0-1.0"},
        "targets": {"images": ["camera", "grass"], "size": 32},
        "sets": [{"kind": "contrast", "level": {"contrast": [0.25, 0.5]}, **settings}],
        "predict": {"models": ["mse"]},
    }


@pytest.mark.usefixtures("registered")
def test_a_kind_of_ones_own_goes_from_a_plan_into_a_bank(tmp_path: Path) -> None:
    build(plan(mean=0.4), tmp_path).close()
    bank = open_bank(tmp_path / "own-1.0.0.h5")
    assert list(bank.sets) == ["camera/contrast", "grass/contrast"]
    for record in (r for members in bank.sets.values() for r in members):
        assert record.level is not None
        assert record.spec is not None
        assert record.spec.recipe == {"mean": 0.4}
        assert recipe_of(record.spec) == ContrastRecipe(mean=0.4)
        one, goal = (bank.frame(i).pixels.astype(float) for i in (record.sha256, record.target))
        contrast = record.certificate.figures["contrast"]
        assert contrast == pytest.approx(one.std() / goal.std(), rel=1e-9)
        assert contrast == pytest.approx(float(record.level.value), rel=0.02)
        reduced = 0.4 * (1 - float(record.level.value)) + float(record.level.value) * goal / 255
        assert np.abs(one - 255 * reduced).max() <= 0.501
    assert len(bank.predictions) == 2 * (3 + 1)
    assert len(list((tmp_path / "jobs").glob("*.h5"))) == 2


@pytest.mark.usefixtures("registered")
def test_its_keys_are_read_strictly_and_its_gates_hold(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'mean'"):
        build(plan(maen=0.4), tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(StimsynthError, match=r"contrast is 0\.25, over the gate of 0\.1"):
        build(plan(gates={"contrast": 0.1}, on_miss="fail"), tmp_path)


def test_a_plan_with_a_kind_that_is_not_registered_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown kind of stimuli 'contrast'"):
        build(plan(), tmp_path)
