"""Records to JSON and back, and what is said about keys that do not fit."""

import pytest

from stimuli_store.bank.format import parse_pin
from stimuli_store.errors import InputError
from stimuli_store.records.convert import from_json, to_json
from stimuli_store.records.spec import Level, ModelRef, Start, StimulusSpec
from stimuli_store.records.trials import KeyPress, Perturbation, PhaseTiming, Trial, TrialRecord
from stimuli_store.tasks.types import Phase, Show

TRIAL = Trial(
    index=3,
    task="abx",
    rule="independent",
    stimuli={"p": "a" * 64, "q": "b" * 64},
    intervals={"A": "a" * 64, "B": "b" * 64, "X": "a" * 64},
    answer="A",
    phases=(Phase(name="A", shows=(Show(interval="A"),), requested_ms=200.0, n_frames=12),),
    factors={
        "comparison": "reference-member",
        "set": "leaf/window_px=8",
        "target": "leaf",
        "level": 8.0,
        "unit": "window_px",
        "held": None,
    },
    made={
        "b" * 64: Perturbation(
            target="a" * 64, distortion="e" * 64, amplitude=-0.5, dither="uniform", seed=3
        )
    },
    block=1,
)
RECORD = TrialRecord(
    trial=TRIAL,
    response="B",
    correct=False,
    rt_s=0.4321,
    timing=(PhaseTiming(name="A", onset_s=1.5, n_frames=13, planned_frames=12, dropped=(4,)),),
    presses=(KeyPress(key="left", t_s=1.9321, phase="A"),),
    frame_sha256={"A": "c" * 64},
    flags=("dropped_frames",),
)
SPEC = StimulusSpec(
    kind="metamer",
    role="metamer",
    targets=("a" * 64,),
    models={"model": ModelRef(label="target", name="Gaussian", params={"kernel_size": 7})},
    level=Level(value=1.0, unit="std"),
    start=Start(type="uniform_noise", seed=0),
    recipe={"max_iter": 10},
    code={"package": "stimsynth", "version": "1"},
)


@pytest.mark.parametrize("record", [TRIAL, RECORD, SPEC], ids=lambda r: type(r).__name__)
def test_a_record_comes_back_equal(record: object) -> None:
    assert from_json(type(record), to_json(record)) == record


def test_keys_of_specs_depend_on_every_field_and_on_nothing_else() -> None:
    assert from_json(StimulusSpec, to_json(SPEC)).key == SPEC.key
    changed = to_json(SPEC)
    changed["start"]["seed"] = 1
    assert from_json(StimulusSpec, changed).key != SPEC.key


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"valeu": 3}, "did you mean 'value'"),
        ({"value": True}, "Level.value must have type float"),
        ({"unit": 4}, "Level.unit must have type str"),
    ],
)
def test_a_key_that_does_not_fit_is_named(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        from_json(Level, {"value": 1.0, "unit": "px", **change})


def test_a_missing_key_is_named_and_foreign_keys_are_passed_over() -> None:
    with pytest.raises(InputError, match="needs the key 'unit'"):
        from_json(Level, {"value": 1.0})
    assert from_json(Level, {"value": 1, "unit": "px", "x_lab": 7}) == Level(value=1.0, unit="px")


@pytest.mark.parametrize(
    "bad", ["demo", "demo@1.0.0", "demo@1.0#0123456789abcdef", "../x@1.0.0#" + "0" * 16]
)
def test_a_pin_that_names_nothing_exactly_is_refused(bad: str) -> None:
    with pytest.raises(InputError):
        parse_pin(bad)
