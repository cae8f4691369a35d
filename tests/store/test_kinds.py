"""Sets of every kind with a broken rule are refused when a bank is published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.kinds import KIND_RULES, set_fault
from stimuli_store.bank.publish import publish_bank
from stimuli_store.errors import BankError
from stimuli_store.records.spec import Level, Start
from stimuli_store.records.stimulus import Stimulus
from tests.store.made_up import (
    IDS,
    ONE,
    TWO,
    altered,
    eigendistortions,
    geodesic,
    mad_quad,
    metamers,
    targets,
)

HEADER = BankHeader(name="x", version="1.0.0", license="CC0-1.0")
SETS: Mapping[str, Callable[[], list[Stimulus]]] = {
    "metamer": metamers,
    "mad": mad_quad,
    "eigendistortion": eigendistortions,
    "geodesic": geodesic,
}
Spoil = Mapping[str, Any]


def level(value: float | str, unit: str) -> Level:
    return Level(value=value, unit=unit)


OTHER_START = Start(type="noise", seed=4)
#: Kind, the member that is spoilt, what is changed of it, and the sentence.
BROKEN: Sequence[tuple[str, int, Spoil, str]] = [
    ("metamer", 1, {"level": level(8.0, "window_px")}, "has another level than 'metamer 0'"),
    ("metamer", 1, {"models": {"model": TWO}}, "has another model"),
    ("metamer", 1, {"models": {}}, "names no model"),
    ("metamer", 1, {"targets": (IDS[1],)}, "has another targets"),
    ("metamer", 0, {"spec": None}, "has no spec"),
    ("metamer", 0, {"figures": {"distance": -1.0}}, "distance of 'metamer 0' is -1"),
    ("metamer", 0, {"figures": {"start_distance": float("nan")}}, "is nan, and it is 0 or more"),
    (
        "metamer",
        1,
        {"planned_start": Start(type="uniform_noise", seed=1)},
        "a planned start beside",
    ),
    ("metamer", 1, {"start": None, "planned_start": OTHER_START}, "a planned start beside none"),
    ("mad", 2, {"role": "metric_1_max"}, "has the members metric_1_min, metric_1_max"),
    ("mad", 1, {"targets": (IDS[1],)}, "has another targets"),
    ("mad", 1, {"start": OTHER_START}, "has another start than 'mad 0'"),
    ("mad", 3, {"level": level(0.05, "noise")}, "has another level"),
    ("mad", 3, {"models": {"metric_1": TWO, "metric_2": ONE}}, "has another metric_1"),
    ("mad", 3, {"models": {"metric_1": ONE}}, "names no metric_2"),
    ("mad", 1, {"figures": {"start_metric_1": 0.21}}, "has another start_metric_1"),
    ("mad", 1, {"figures": {"start_metric_2": 0.51}}, "has another start_metric_2"),
    ("mad", 0, {"figures": {"drift": 1e-3}}, "the drift of 'mad 0' is stated as 0.001"),
    ("mad", 0, {"figures": {"drift": float("nan")}}, "the drift of 'mad 0' is stated as nan"),
    ("mad", 0, {"figures": {"metric_2": 0.6}}, "its values say 0.2"),
    ("mad", 3, {"figures": {"metric_2": -0.1}}, "metric_2 of 'mad 3' is -0.1"),
    ("eigendistortion", 1, {"targets": (IDS[1],)}, "has another targets"),
    ("eigendistortion", 1, {"models": {"model": TWO}}, "has another model"),
    ("eigendistortion", 2, {"start": OTHER_START}, "has another start"),
    ("eigendistortion", 0, {"figures": {"norm": 1.1}}, "is of norm 1.1, not 1"),
    ("eigendistortion", 0, {"figures": {"norm": float("nan")}}, "is of norm nan"),
    ("eigendistortion", 0, {"figures": {"residual": -1e-6}}, "residual of"),
    ("eigendistortion", 0, {"figures": {"eigenvalue": 0.5}}, "below that of the least"),
    ("eigendistortion", 4, {"figures": {"eigenvalue": -1.0}}, "eigenvalue of"),
    ("eigendistortion", 0, {"figures": {"error_bound": 3e-6}}, "its residual says 2e-06"),
    ("eigendistortion", 0, {"role": "half"}, "is of the role most or least; not 'half'"),
    ("eigendistortion", 5, {"role": "half+"}, "has no unit distortion for"),
    ("eigendistortion", 5, {"role": "least"}, "has no unit distortion for"),
    ("eigendistortion", 1, {"level": level(2.0, "amplitude")}, "has the role and amplitude of"),
    ("eigendistortion", 1, {"level": level(-2.0, "amplitude")}, "no positive number"),
    ("eigendistortion", 1, {"level": level("strong", "amplitude")}, "no positive number"),
    ("geodesic", 1, {"targets": tuple(reversed(IDS))}, "has another targets"),
    ("geodesic", 1, {"models": {"model": TWO}}, "has another model"),
    ("geodesic", 1, {"start": OTHER_START}, "has another start"),
    ("geodesic", 1, {"level": level(0.25, "position")}, "have the positions"),
    ("geodesic", 1, {"level": level("half", "position")}, "have the positions"),
    ("geodesic", 1, {"level": None}, "have the positions"),
    ("geodesic", 1, {"figures": {"bound_ratio": 1.3}}, "has another bound_ratio"),
    ("geodesic", 1, {"figures": {"step": 2.5}}, "a step is stated as 2 and as 2.5"),
    ("geodesic", 0, {"figures": {"step": -1.0}}, "step of 'geodesic 0' is -1"),
]
#: What is wrong with all members of a set alike.
BROKEN_ALL: Sequence[tuple[str, Spoil, str]] = [
    ("mad", {"models": {"metric_1": ONE, "metric_2": replace(ONE, label="again")}}, "are the same"),
    ("geodesic", {"targets": (IDS[0], IDS[0])}, "a geodesic has two targets"),
    ("geodesic", {"figures": {"bound_ratio": 0.9}}, "the bound ratio of a geodesic is 1 or more"),
]


def refused(folder: Path, stimuli: list[Stimulus], sentence: str) -> None:
    with pytest.raises(BankError) as caught:
        publish_bank(folder, HEADER, [*targets(), *stimuli])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("kind", SETS)
def test_a_set_that_follows_its_rules_is_published(tmp_path: Path, kind: str) -> None:
    bank = publish_bank(tmp_path, HEADER, [*targets(), *SETS[kind]()])
    assert len(bank.sets[f"a set of {kind}"]) == len(SETS[kind]())


@pytest.mark.parametrize(("kind", "member", "spoil", "sentence"), BROKEN)
def test_a_set_with_a_broken_rule_is_refused(
    tmp_path: Path, kind: str, member: int, spoil: Spoil, sentence: str
) -> None:
    stimuli = SETS[kind]()
    stimuli[member] = altered(stimuli[member], **spoil)
    refused(tmp_path, stimuli, sentence)


@pytest.mark.parametrize(("kind", "spoil", "sentence"), BROKEN_ALL)
def test_a_set_that_is_wrong_throughout_is_refused(
    tmp_path: Path, kind: str, spoil: Spoil, sentence: str
) -> None:
    refused(tmp_path, [altered(stimulus, **spoil) for stimulus in SETS[kind]()], sentence)


@pytest.mark.parametrize("kind", SETS)
def test_a_set_without_any_one_of_its_figures_is_refused(kind: str) -> None:
    for member, stimulus in enumerate(SETS[kind]()):
        for name in stimulus.record.certificate.figures:
            stimuli = SETS[kind]()
            kept = dict(stimulus.record.certificate.figures)
            del kept[name]
            certificate = replace(stimulus.record.certificate, figures=kept)
            stimuli[member] = replace(
                stimulus, record=replace(stimulus.record, certificate=certificate)
            )
            assert f"lacks {name}" in (set_fault([s.record for s in stimuli]) or "")


@pytest.mark.parametrize("kind", ["mad", "geodesic"])
def test_a_set_without_one_of_its_members_is_refused(tmp_path: Path, kind: str) -> None:
    refused(tmp_path, SETS[kind]()[:-1], "")


def test_a_picture_without_its_unit_distortion_is_refused(tmp_path: Path) -> None:
    rest = [
        altered(stimulus, member=place) for place, stimulus in enumerate(eigendistortions()[1:4])
    ]
    refused(tmp_path, rest, "has no unit distortion for 'eigendistortion 1'")


def test_every_kind_has_rules() -> None:
    pytest.importorskip("torch")  # the recipes are made with it
    from stimsynth.banks.recipe import RECIPES, recipe_class

    recipe_class("metamer")
    ours = {k for k, r in RECIPES.items() if r.__module__.startswith("stimsynth.")}
    assert {*ours, "reference"} == set(KIND_RULES)
