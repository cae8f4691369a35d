"""The ABX task: published timings, frame plans, cells."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.tasks.abx import CELLS, AbxTask, intervals, phases, plan_phase
from stimuli_store.errors import InputError


def test_published_timings_at_60_hz():
    # Freeman & Simoncelli 2011: 200, 500, 200, 1000, 200 ms, up to 2000 ms to answer.
    plan = phases(AbxTask(), 60.0)
    assert [(p.name, p.image, p.requested_ms, p.n_frames) for p in plan] == [
        ("iti", None, 500.0, 30),
        ("A", "A", 200.0, 12),
        ("gap_ab", None, 500.0, 30),
        ("B", "B", 200.0, 12),
        ("gap_bx", None, 1000.0, 60),
        ("X", "X", 200.0, 12),
        ("respond", None, 2000.0, 120),
    ]


@given(ms=st.floats(20.0, 5000.0), hz=st.floats(50.0, 360.0))
def test_planned_duration_is_within_half_a_frame(ms, hz):
    phase = plan_phase("A", "A", ms, hz)
    assert phase.requested_ms == ms
    assert abs(phase.n_frames / hz - ms / 1000) <= 0.5 / hz + 1e-9


def test_a_phase_of_exactly_one_frame_is_one_frame():
    assert plan_phase("A", "A", 1000.0 / 60.0, 60.0).n_frames == 1


@pytest.mark.parametrize("ms", [0.0, -200.0, 16.0, float("nan"), float("inf")])
def test_less_than_a_frame_is_refused(ms):
    with pytest.raises(InputError, match=r"'gap_ab' should last .* ms, but one frame at 60 Hz"):
        phases(AbxTask(gap_ab_ms=ms), 60.0)


def test_cells_cross_order_with_answer():
    seen = Counter()
    for cell in CELLS:
        shown, answer = intervals(("p", "q"), cell)
        assert {shown["A"], shown["B"]} == {"p", "q"}
        assert shown["X"] == shown[answer]
        seen[shown["A"], shown["X"], answer] += 1
    assert seen == Counter(
        {("p", "p", "A"): 1, ("p", "q", "B"): 1, ("q", "p", "B"): 1, ("q", "q", "A"): 1}
    )


def test_unknown_rule_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'differencing'"):
        AbxTask(rule="diferencing")
