"""Records of a ranking: scores, comparisons, ceilings, and the ranking itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.curves.choice_model import ModelFit
from analysis.ranking.diagnostics import Diagnostic, listed
from stimuli_store.tools import html
from stimuli_store.tools.shown import FieldTable
from stimuli_store.tools.svg import interval_drawing

if TYPE_CHECKING:
    import pandas as pd

#: Level of significance, after Holm's correction, at which two models are told apart.
ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class CeilingShare:
    """A share of a noise ceiling with the ends of its 95 % interval; 1 is all of it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelScore(FieldTable):
    """Scores of one model, or of a baseline, in a ranking.

    Attributes
    ----------
    label
        The model; ``"chance"`` is the observer who always guesses.
    bits, low, high
        Bits per trial above chance on held-out answers, with the ends of a 95 % interval.
    bits_in_sample
        The same on all answers by a fit to all answers; None for a baseline.
    difference, difference_low, difference_high
        Bits minus the best model's bits, with a 95 % interval (0 for the best model).
    of_lower, of_upper
        Bits as a share of the lower and of the upper noise ceiling; None without a ceiling.
    fit
        Parameters fitted to all answers; None for a baseline.
    note
        How a baseline was predicted; empty for a model.

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> from stimsynth import rank
    >>> score = rank(answers, n_draws=20).rows[0]
    >>> score.label, score.bits > 0
    ('right', True)
    """

    label: str
    bits: float
    low: float
    high: float
    bits_in_sample: float | None
    difference: float
    difference_low: float
    difference_high: float
    of_lower: CeilingShare | None = None
    of_upper: CeilingShare | None = None
    fit: ModelFit | None = None
    note: str = ""

    def __repr__(self) -> str:
        ends = f"{self.bits:.3g} [{self.low:.3g}, {self.high:.3g}]"
        return f"ModelScore({self.label}: {ends} bits per trial above chance)"


@dataclass(frozen=True, kw_only=True)
class ModelPair:
    """Comparison of two models by their bits per trial.

    Attributes
    ----------
    first, second
        The models, the one with more bits first.
    difference, low, high
        Difference of their bits per trial, with a 95 % interval.
    p, p_holm
        Two-sided p-value of no difference, and the same after Holm's correction over all pairs of models.
    same
        Whether they predict the same, to a millionth of a bit, as models do that differ by a gain or a power.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    same: bool

    @property
    def told_apart(self) -> bool:
        """True if the answers tell the two models apart."""
        return not self.same and self.p_holm <= ALPHA


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """Noise ceiling in bits per trial above chance, each bound with a 95 % interval.

    `lower` predicts a participant from the others' answers to the same pair, `upper` from everybody's, the
    participant's own included: what any model could reach lies between them.
    """

    lower: float
    lower_low: float
    lower_high: float
    upper: float
    upper_low: float
    upper_high: float


@dataclass(frozen=True, kw_only=True)
class GroupScore:
    """Bits per trial above chance of every model in the answers to one image, or of one participant."""

    name: str
    n_trials: float
    bits: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Models in order of held-out bits per trial, compared pair by pair, beside baselines and ceilings.

    Attributes
    ----------
    rows
        Scores of the models, best first.
    baselines
        Scores of predictions that need no model, most bits first.
    pairs
        Comparisons of all pairs of models.
    ceiling
        The noise ceiling; None if there is none, for the reason in `notes`.
    notes
        Sentences on what could not be computed, and why.
    held_out
        Whether anything was held out; if not, bits are in sample.
    scheme, spread
        Sentences: what was held out, and what the intervals cover.
    n_trials, n_participants, n_images
        Sizes of the study.
    by_image, by_participant
        Scores by image and by participant.
    diagnostics
        Checks of the answers (`analysis.ranking.diagnostics`).

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> from stimsynth import rank
    >>> ranking = rank(answers, n_draws=20)
    >>> "right" in ranking.sentence
    True
    """

    rows: tuple[ModelScore, ...]
    baselines: tuple[ModelScore, ...]
    pairs: tuple[ModelPair, ...]
    ceiling: Ceiling | None
    notes: tuple[str, ...]
    held_out: bool
    scheme: str
    spread: str
    n_trials: int
    n_participants: int
    n_images: int
    by_image: tuple[GroupScore, ...]
    by_participant: tuple[GroupScore, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def best(self) -> tuple[str, ...]:
        """Labels of the models that are not told apart from the one with the most bits, that one first."""
        top = self.rows[0].label
        worse = {pair.second for pair in self.pairs if pair.first == top and pair.told_apart}
        return tuple(row.label for row in self.rows if row.label not in worse)

    @property
    def above_chance(self) -> bool:
        """True if the interval of the bits of the best model lies above 0."""
        return self.rows[0].low > 0

    @property
    def measure(self) -> str:
        """Name of what the models are ranked by."""
        how = "held-out bits" if self.held_out else "bits in sample"
        return f"{how} per trial above chance"

    @property
    def sentence(self) -> str:
        """The result in a sentence without a full stop: the verdict, and the baselines that no model beats.

        Examples of its form: "right"; "right and mse, not told apart"; "right and mse, not told apart, nor
        from chance; no model has more bits than the baseline 'level only'".
        """
        return "; ".join(filter(None, (self.verdict, self.caveat)))

    @property
    def caveat(self) -> str:
        """Words that name the baselines with as many bits as the best model; "" if it has more than all."""
        as_good = [repr(row.label) for row in self.baselines if row.difference >= 0]
        word = "baseline" if len(as_good) == 1 else "baselines"
        return f"no model has more bits than the {word} {listed(as_good)}" if as_good else ""

    @property
    def verdict(self) -> str:
        """The best models by name, and whether they are told apart from each other and from chance."""
        named = listed(self.best)
        if len(self.rows) == 1:
            return named if self.above_chance else f"{named}, not told apart from chance"
        if len(self.best) == 1:
            return named if self.above_chance else f"{named}, but not told apart from chance"
        return f"{named}, not told apart" + ("" if self.above_chance else ", nor from chance")

    @property
    def headline(self) -> str:
        """The verdict with the bits of the best models, what these bits are, and the caveat."""
        bits = {row.label: f"{row.bits:.3f}" for row in self.rows}
        first, last = bits[self.best[0]], bits[self.best[-1]]
        bits_of_best = first if first == last else f"{first} to {last}"
        said = f"{self.verdict}: {bits_of_best} {self.measure}"
        return "; ".join(filter(None, (said, self.caveat)))

    @property
    def sizes(self) -> str:
        """Numbers of answers, participants and images, in words."""
        named = (
            ("answer", self.n_trials),
            ("participant", self.n_participants),
            ("image", self.n_images),
        )
        return ", ".join(f"{n} {word}{'s' if n != 1 else ''}" for word, n in named)

    @property
    def table(self) -> "pd.DataFrame":
        """Scores as a table with a row for each model and baseline."""
        from analysis.ranking.tables import score_table

        return score_table(self)

    def save(self, path: str | Path) -> Path:
        """Write the ranking to a JSON file and return its path (`analysis.ranking.saving`)."""
        from analysis.ranking.saving import save_ranking

        return save_ranking(self, path)

    @staticmethod
    def load(path: str | Path) -> "Ranking":
        """Return the ranking in a file that `save` wrote."""
        from analysis.ranking.saving import load_ranking

        return load_ranking(path)

    def __repr__(self) -> str:
        return f"<Ranking: {self.sentence}; {self.sizes}>"

    def _repr_html_(self) -> str:
        lead = html.paragraph(f"Best model: {self.sentence}. {self.scheme.capitalize()}.")
        table = self.table.to_html(index=False, float_format="{:.4g}".format, na_rep="–")
        drawn = [(row.label, row.bits, row.low, row.high) for row in (*self.rows, *self.baselines)]
        return lead + table + interval_drawing(drawn, "bits per trial above chance, by model")
