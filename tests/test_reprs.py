"""What a prompt and a notebook show of every result: a few words; facts or a picture. No addresses."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import stimsynth as s
from stimuli_store.tools.svg import curve_drawing, interval_drawing
from tests.helpers import tiny_bank

LEVELS, CORRECT, TRIALS = [8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A bank, a session run with it, its answers, and syntheses."""
    folder = tmp_path_factory.mktemp("shown")
    bank = tiny_bank(folder)
    file = s.DesignFile(
        bank=s.BankChoice(path=bank.path.name, pin=bank.pin),
        design=s.Sampling(comparisons=("reference-member",), repeats=8, seed=1),
    )
    design = s.design_from(file)
    booth = s.SimulatedBooth(design.screen.size, design.screen.refresh_hz)
    course = s.course_of(design, bank, "S01", 1)
    observer = s.calibrated_observer(
        "right", s.evidence_of(bank, "right"), course.trials, design.task, mean_p_correct=0.75
    )
    sessions = [
        s.run_session(design, bank, booth, who, 1, data_dir=folder, observer=observer)
        for who in ("S01", "S02", "S03")
    ]
    image = s.images.load("camera", size=32)
    five = image.repeat(5, 1, 1, 1)
    model = s.remove_grad(s.Gaussian(7))
    answers = s.answers_of(bank, sessions)
    fit = s.fit_psychometric(LEVELS, CORRECT, TRIALS)
    return SimpleNamespace(**locals())


def after_steps(kind: Any, made: SimpleNamespace) -> Any:
    synthesis = kind(made.image, made.model)
    synthesis.synthesize(max_iter=2)
    return synthesis


def other(image: Any, changed: Any) -> Any:
    return 1 - s.metrics.ssim(image, changed)


COUNTED = ("participant", "image", "level", "n_correct", "n_trials")
PICTURE, DRAWING, FACTS = "<img", "<svg", "<td"
#: How each is made, and what a notebook shows besides facts.
SHOWN: dict[str, tuple[Callable[[SimpleNamespace], Any], str]] = {
    "bank": (lambda m: m.bank, PICTURE),
    "header of a bank": (lambda m: m.bank.header, FACTS),
    "record": (lambda m: m.bank.records[2], FACTS),
    "reference": (lambda m: m.bank.records[0], FACTS),
    "frame": (lambda m: m.bank.frame(m.bank.records[2].sha256), PICTURE),
    "stimulus": (
        lambda m: s.Stimulus(pixels=np.zeros((8, 8, 3), np.float32), record=m.bank.records[2]),
        PICTURE,
    ),
    "design": (lambda m: m.design, FACTS),
    "tables of a design": (lambda m: m.file, FACTS),
    "task": (lambda m: m.design.task, FACTS),
    "course": (lambda m: m.course, FACTS),
    "trial": (lambda m: m.course.trials[0], FACTS),
    "answered trial": (lambda m: m.sessions[0].records[0], FACTS),
    "planned session": (lambda m: s.plan_session(m.design, m.bank, "S09", 1, m.folder), FACTS),
    "session": (lambda m: m.sessions[0], FACTS),
    "sessions": (lambda m: s.read_sessions(m.folder), FACTS),
    "sets of a bank": (lambda m: m.bank.sets, FACTS),
    "fit of all answers": (lambda m: s.fit(m.answers), DRAWING),
    "header of a session": (lambda m: m.sessions[0].header, FACTS),
    "observer": (lambda m: m.observer, FACTS),
    "answers": (lambda m: m.answers, FACTS),
    "metamer": (lambda m: after_steps(s.Metamer, m), PICTURE),
    "simple metamer": (lambda m: after_steps(s.SimpleMetamer, m), PICTURE),
    "eigendistortion": (lambda m: after_steps(s.Eigendistortion, m), PICTURE),
    "eigendistortion, not begun": (lambda m: s.Eigendistortion(m.image, m.model), FACTS),
    "eigendistortions of images": (
        lambda m: after_steps(s.Eigendistortion, SimpleNamespace(image=m.five, model=m.model)),
        PICTURE,
    ),
    "level of MAD images": (
        lambda m: s.mad_set(m.image, s.metrics.mse, other, max_iter=2)[0], PICTURE
    ),
    "levels of MAD images": (
        lambda m: s.mad_set(m.image, s.metrics.mse, other, [0.05, 0.1, 0.2], max_iter=2), PICTURE
    ),
    "MAD images": (
        lambda m: s.mad_set(m.image, s.metrics.mse, other, max_iter=2)[0].members["metric_1_min"],
        PICTURE,
    ),
    "profile": (lambda m: s.profile(m.model, m.image, repeats=1), FACTS),
    "fit": (lambda m: m.fit, DRAWING),
    "falling fit": (lambda m: s.fit_psychometric(LEVELS, CORRECT[::-1], TRIALS), DRAWING),
    "fit without a threshold": (lambda m: s.fit_psychometric(LEVELS, TRIALS, TRIALS), DRAWING),
    "curve": (lambda m: m.fit.function, FACTS),
    "goodness": (lambda m: s.goodness_of_fit(m.fit, n_draws=20), FACTS),
    "estimate": (lambda m: m.fit.threshold_at(0.8), FACTS),
    "fits of groups": (lambda m: s.fit(m.answers, by="participant"), DRAWING),
    "critical scaling": (lambda m: s.fit_critical_scaling(LEVELS, CORRECT, TRIALS), DRAWING),
    "critical scaling, chance": (
        lambda m: s.fit_critical_scaling(LEVELS, [25] * 5, TRIALS), DRAWING
    ),
    "d'": (lambda m: s.dprime_from_counts(30, 40), FACTS),
    "d' of groups": (lambda m: s.dprimes(m.answers, by="participant"), DRAWING),
    "population": (
        lambda m: s.population_threshold(*(m.answers.table[column] for column in COUNTED)),
        FACTS,
    ),
    "ranking": (lambda m: s.rank(m.answers, n_draws=10), DRAWING),
    "score": (lambda m: s.rank(m.answers, n_draws=10).rows[0], FACTS),
}  # fmt: skip
#: Others, with a short line and nothing for a notebook.
LINES: dict[str, Callable[[SimpleNamespace], Any]] = {
    "booth": lambda m: s.SimulatedBooth((800, 600), 60.0),
    "person": lambda m: s.SimulatedPerson(m.observer, 1),
    "screen": lambda m: m.design.screen,
    "sampling": lambda m: m.design.design,
    "differences": lambda m: s.diff_banks(m.bank, m.bank),
    "evidence": lambda m: m.observer.evidence,
    "link": lambda m: s.link_of(m.design.task),
    "module of plenoptic": lambda m: s.tools,
}


class Balance(HTMLParser):
    """Finds tags that are opened and not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """Do nothing: it closes itself."""


def check_line(line: str) -> None:
    assert len(line) <= 300
    assert line.count("\n") < 3
    assert not re.search(r" at 0x|<function|<built-in", line)
    assert "array(" not in line
    assert "tensor(" not in line


@pytest.mark.parametrize("name", SHOWN)
def test_a_result_is_a_short_line_and_facts_or_a_picture(name: str, made: Any) -> None:
    make, wanted = SHOWN[name]
    result = make(made)
    check_line(repr(result))
    page = result._repr_html_()
    assert wanted in page
    assert page.count("<img") <= 8
    assert " at 0x" not in page
    assert Balance(page).open == []
    assert len(re.sub(r'src="[^"]*"', "", page)) < 20_000


@pytest.mark.parametrize("name", LINES)
def test_the_rest_is_a_short_line(name: str, made: Any) -> None:
    check_line(repr(LINES[name](made)))


def test_an_open_journal_says_where_it_is(tmp_path: Any) -> None:
    with s.Journal(tmp_path / "new.jsonl") as journal:
        assert repr(journal) == f"Journal({str(tmp_path / 'new.jsonl')!r}, 0 events)"


def test_a_session_says_how_it_went(made: Any) -> None:
    session = made.sessions[0]
    right = sum(record.correct for record in session.records) / len(session.records)
    assert repr(session).startswith(
        f"Session(participant: S01; session: 1; task: abx; trials: {len(session.records)} of "
        f"{len(session.records)}; correct: {right:.0%}; ended: completed; simulated: right; bank: tiny@"
    )


def test_a_frame_is_shown_pixel_by_pixel(made: Any) -> None:
    from tests.synth.test_in_notebook import picture

    frame = made.bank.frame(made.bank.records[2].sha256)
    np.testing.assert_array_equal(picture(frame._repr_html_())[::4, ::4], frame.pixels)


def facts_of(page: str) -> dict[str, str]:
    """Return the cells of a table of two columns: name and value."""
    cells = [re.sub(r"<[^>]*>", "", c) for c in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", page)]
    return dict(zip(cells[::2], cells[1::2], strict=True))


@pytest.mark.parametrize("rising", [True, False])
def test_the_card_of_a_fit_has_its_numbers(rising: bool) -> None:
    """Threshold and interval in their order, guess before lapse, and the counts, which are known."""
    right = CORRECT if rising else CORRECT[::-1]
    fit = s.fit_psychometric(LEVELS, right, TRIALS, sigmoid="normal", guess=0.4, lapse=0.03)
    facts = facts_of(fit._repr_html_())
    (threshold,) = [value for name, value in facts.items() if name.startswith("threshold")]
    value, low, high = (float(x) for x in re.findall(r"\d+(?:\.\d+)?", threshold)[:3])
    assert low < value < high
    predicted = fit.predict([fit.threshold_at(fit.p).value])
    assert float(predicted[0]) == pytest.approx(fit.p, abs=1e-6)
    assert (value, low, high) == pytest.approx((fit.threshold, fit.low, fit.high), rel=0.006)
    assert facts["guess, lapse"] == "0.4, 0.03"
    assert facts["sigmoid"] == ("normal" if rising else "normal, falling")
    assert facts["trials"] == f"{sum(TRIALS)} at {len(LEVELS)} levels"


def test_drawings_put_values_where_they_belong() -> None:
    """Positions rise to the right, proportions upwards; ends that are not finite are at the edge."""
    drawn = curve_drawing([(0, 0.5), (1, 0.75), (2, 1.0)], [(0, 0.5), (2, 1.0)], "made")
    x, y = zip(
        *(map(float, c) for c in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn)), strict=True
    )
    assert x[1] - x[0] == pytest.approx(x[2] - x[1])
    assert y[0] - y[1] == pytest.approx(y[1] - y[2], abs=0.2)
    assert y[0] > y[2]
    rows = [("<a>", 2.0, 1.0, 3.0), ("b", np.inf, 2.0, np.inf), ("c", np.nan, -np.inf, 1.0)]
    drawn = interval_drawing(rows, "made")
    ends = [
        tuple(map(float, e)) for e in re.findall(r'x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"', drawn)
    ]
    assert ends[0] == (min(map(min, ends)), max(map(max, ends)))
    assert ends[1][1] == ends[0][1]
    assert ends[2] == (ends[0][0], ends[0][0])
    assert drawn.count("<circle") == 1
    assert "&lt;a&gt;" in drawn
    assert re.findall(r">([\d.]+)</text>", drawn) == ["1", "3"]  # the scale
    assert ">image × condition means</text>" in interval_drawing(
        [("image × condition means", 1.0, 0.0, 2.0)], "made"
    )
