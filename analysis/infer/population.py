"""Estimates with an interval, and for whom the interval speaks."""

from dataclasses import dataclass

from stimuli_store.tools import html

#: Why nothing is said about other people in a task with a criterion.
OWN_CRITERIA = "everybody has a criterion of their own, so pooled answers give no d' of others"
FEWEST = 3  # people or images below which nothing is said about others


@dataclass(frozen=True, kw_only=True, repr=False)
class PopulationEstimate:
    """A quantity with its 95 % interval, and for whom the interval speaks.

    Attributes
    ----------
    value, low, high
        The quantity and its interval.
    for_whom
        For example "new people and new images"; "these people" are the ones who took part.
    df
        Degrees of freedom of the t distribution behind the interval; NaN for a posterior.
    se
        Standard error, on the scale on which it was computed (octaves for thresholds on the log axis).
    sd_participants, sd_images
        Standard deviations between people and between images on that scale; NaN where not estimated.
    n_participants, n_images
        Numbers of people and of images; 0 if images were not told apart.
    caution
        A sentence about what the interval does not say, or "".

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> from stimsynth import population_dprime
    >>> table = answers.table
    >>> found = population_dprime(table.participant, table.image, table.n_correct, table.n_trials, task="abx")
    >>> found.low < found.value < found.high, found.for_whom
    (True, 'new people and these images')
    """

    value: float
    low: float
    high: float
    for_whom: str
    df: float
    se: float
    sd_participants: float
    sd_images: float
    n_participants: int
    n_images: int
    caution: str = ""

    def __repr__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}], for {self.for_whom}"

    def _repr_html_(self) -> str:
        rows = [
            ("estimate [95 %]", f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"),
            ("for", self.for_whom),
            ("people, images", f"{self.n_participants}, {self.n_images}"),
            ("deviation of people, images", f"{self.sd_participants:.3g}, {self.sd_images:.3g}"),
            ("caution", self.caution or "none"),
        ]
        return html.table((), rows)


def whom(n_participants: int, n_images: int) -> str:
    """Return for whom an interval speaks that takes people and images as samples where there are enough.

    Examples
    --------
    >>> whom(8, 8), whom(8, 2), whom(2, 0)
    ('new people and new images', 'new people and these images', 'these people only')
    """
    new_people = n_participants >= FEWEST
    people = "new people" if new_people else "these people"
    if not n_images:
        return people if new_people else f"{people} only"
    new_images = n_images >= FEWEST
    images = "new images" if new_images else "these images"
    return f"{people} and {images}" + ("" if new_people or new_images else " only")


def caution_of(n_participants: int, n_images: int) -> str:
    """Return sentences that say of what there are too few, or "".

    Examples
    --------
    >>> caution_of(8, 2)
    'nothing is said about other images: there are only 2, and at least 3 are needed'
    """
    sentences = [
        f"nothing is said about other {name}: there {'is' if count == 1 else 'are'} only {count}, "
        f"and at least {FEWEST} are needed"
        for count, name in ((n_participants, "people"), (n_images, "images"))
        if 0 < count < FEWEST
    ]
    return "; ".join(sentences)
