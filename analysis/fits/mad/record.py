"""Result of a maximum-differentiation competition: probabilities by level and overall, and its sentence."""

from dataclasses import dataclass

from stimuli_store.tools.shown import FieldTable


@dataclass(frozen=True, kw_only=True)
class HeldPairs(FieldTable):
    """Answers to the pairs that one model holds at one level, and the d' of these people for these pairs.

    `low` and `high` are the ends of the central 95 % of the posterior of d', `dprime` is its median.
    """

    model: str
    level: float | str | None
    n_correct: int
    n_trials: int
    dprime: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, repr=False)
class MADVerdict(FieldTable):
    """Probability that the first of two models is the better one, by level and overall.

    Attributes
    ----------
    models
        The two models, A and B.
    p_better
        Probability that people tell the pairs held by A apart less easily than those held by B: that the
        mean of d' over the levels is the smaller one.
    for_whom
        Whom `p_better` and `by_level` speak for: new people and new images, as far as labels of three or
        more are known; otherwise these people and these images only.
    p_these
        The same probability for these people and images: the posterior of counts.
    by_level
        `p_better` for each level at which both hold pairs.
    levels
        These levels, in the order of `by_level`.
    pairs
        Answers and d' by model and level.
    below_chance
        Models at whose pairs people are reliably below chance, by an exact binomial test at 1 %.
    caution
        A sentence about what the probability does not say, or "".

    Examples
    --------
    >>> from analysis import mad_verdict
    >>> mad_verdict(["ssim", "mse"], [56, 91], [100, 100]).models
    ('mse', 'ssim')
    """

    models: tuple[str, str]
    p_better: float
    for_whom: str
    p_these: float
    by_level: tuple[float, ...]
    levels: tuple[float | str | None, ...]
    pairs: tuple[HeldPairs, ...]
    below_chance: tuple[str, ...] = ()
    caution: str = ""

    def __repr__(self) -> str:
        return f"MADVerdict({self.sentence})"

    @property
    def sentence(self) -> str:
        """The verdict in words; no model is called better below a probability of 0.95."""
        return self._verdict + self._doubt

    @property
    def _doubt(self) -> str:
        if not self.below_chance:
            return ""
        named = " and ".join(self.below_chance)
        return f"; but answers to pairs held by {named} are reliably below chance: are the keys swapped?"

    @property
    def _verdict(self) -> str:
        first, second = self.models
        p = self.p_better
        if p < 0.5:
            first, second, p = second, first, 1 - p
        if p < 0.95:
            return (
                f"{self.models[0]} and {self.models[1]} are not told apart: P({first} better) = {p:.2f}, "
                f"for {self.for_whom}"
            )
        return (
            f"{first} is better than {second}: P {'> 0.999' if p > 0.999 else f'= {p:.3f}'}, for "
            f"{self.for_whom}; people tell pairs that {second} holds apart more easily"
        )
