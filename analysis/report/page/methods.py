"""The methods section of the report, with equations and references."""

from collections.abc import Iterator

from analysis.fits.fit import Fit
from analysis.infer.likelihood import LAPSE_A, LAPSE_B
from analysis.observers.links import link_of
from analysis.report import formatting
from analysis.report.results import Results
from stimuli_store.tools import html


def methods_section(results: Results) -> str:
    """Return the report's methods section as HTML, with equations and references."""
    fitted = [c for c in results.conditions if c.fit is not None]
    parts = [
        *_curve_paragraphs(results, [c.fit for c in fitted if c.fit is not None]),
        *_links(results),
    ]
    if any(c.population or any(c.population_dprimes) for c in results.conditions):
        parts.append(html.paragraph(_POPULATION))
    if any(task.criterion for task in results.tasks):
        parts.append(html.paragraph(_CRITERION))
    if any(c.scaling for c in results.conditions):
        parts.append(html.paragraph("Critical scaling [4]: d′(s) = α₀ · max(0, 1 − s₀²/s²)", "eq"))
    if results.rankings:
        parts.append(html.paragraph(_MODELS))
    if any(c.true_threshold is not None for c in results.conditions):
        parts.append(html.paragraph(_TRUTH))
    return html.section("Methods", *parts, "<h3>References</h3><ol>", _references(), "</ol>")


_CRITERION = (
    "A task with a criterion has no guess rate: d′ comes from hits (a difference is reported where one is) "
    "and false alarms (where there is none), its interval from exact tests of every d′, each at the "
    "criterion that fits best with it. "
    "Where a level has no trial without a difference, these are the trials without one of the other levels. "
    "The bias is the distance of the criterion from the one with the fewest errors."
)
_POPULATION = (
    "The threshold (or d′) of a population is that of the answers of all people and images together, every "
    "person with the same weight: a person drawn at random, with an image drawn at random, is right with "
    "probability P there. Its interval comes from leaving out each person, each image and each cell of both, "
    "with the variance V_people + V_images − V_cells [6] and a t distribution of Satterthwaite's degrees of "
    "freedom; that of d′ is Wilson's for as many independent answers as these people and images are worth. "
    "With fewer than three people or images nothing is said about others."
)
_MODELS = (
    "Models: what a model says of two stimuli is a distance Δ, or, where the task asks which is the "
    "higher and there is a reference, how much farther from it the higher one is. Δ → d′ = g·|Δ|^p "
    "with the sign of Δ → proportion correct by the task's rule → lapses. "
    "g, p and the lapse rate are fitted for each model in the same way; models that differ by a "
    "gain or a power get the same score. A model is scored on images and participants that were not "
    "in the fit, as far as there are others, with probabilities averaged over the posterior of the "
    "parameters. "
    "Intervals come from resampling participants, images, and both, with the variance "
    "2(V_participants + V_images) − V_both [5]. Two models are told apart if p ≤ .05 after Holm's "
    "correction over all pairs. In a task with a criterion hits are predicted at the "
    "participant's own rate of false alarms."
)
_TRUTH = (
    "True threshold of simulated observers: the level at which their own mean "
    "probability of a right answer over the pairs shown reaches P. The probability is "
    "exact at every level and interpolated between levels by a monotone cubic of the log "
    "level; no psychometric function is fitted."
)


def _links(results: Results) -> Iterator[str]:
    """Yield the relation between d' and proportion correct under each rule of each task."""
    for task in results.tasks:
        own = [c for c in results.conditions if c.task is not None and c.task.name == task.name]
        # Also of preferences, which have no d' of their own: models are compared by it.
        rules = dict.fromkeys(rule for c in own for rule in (c.rule, *c.dprimes))
        links = {rule: link_of(task, rule) for rule in rules}
        guess = next(iter(links.values())).guess
        yield html.paragraph(
            f"d′ and proportion correct in the task {task.name} (guess rate {guess:.3g}) [3], by the "
            "decision rule assumed of observers:"
        )
        for rule, link in links.items():
            yield html.paragraph(f"{rule}: {link.formula}", "eq")


def _curve_paragraphs(results: Results, fits: list[Fit]) -> list[str]:
    if not fits:
        if all(c.preferences for c in results.conditions):
            return [html.paragraph("Nothing was fitted by level, since no answer is right.")]
        return [
            html.paragraph(
                "No psychometric function was fitted: levels are words, missing, or one only, or the task "
                "has a criterion. Intervals of proportions are Wilson's [2], converted to d′."
            )
        ]
    fit = fits[0]
    axis = "log₂ level" if fit.function.axis == "log" else "level"
    guesses = " or ".join(sorted({f"{f.function.guess:.3g}" for f in fits}))
    return [
        html.paragraph(
            f"Psychometric function on {axis}: sigmoids of several shapes are fitted (here "
            f"{formatting.sigmoid(fit.function.sigmoid)} fits best). The task fixes the guess rate γ = "
            f"{guesses}. "
            f"The lapse rate λ has the prior Beta({LAPSE_A:g}, {LAPSE_B:g}), the width a broad log-normal "
            "prior, the threshold a flat prior. Estimates are posterior modes."
        ),
        html.paragraph("P(level) = γ + (1 − γ − λ) · S(level)", "eq"),
        html.paragraph(
            f"The threshold is the level at P = {results.p:g}. The 95 % interval of a fitted curve holds the "
            "levels at which the highest log-likelihood profile of the sigmoids lies within 1.92 of its "
            "maximum (half the 95 % point of χ², one degree of freedom). Where they scatter beyond chance, "
            "1.92 is multiplied by the deviance over its degrees of freedom (Finney), and "
            "χ² is replaced by F; this begins where 40 % of good fits have a larger deviance and is "
            "complete where 10 % have. The interval of a curve speaks for the people and images "
            "of this study. Goodness of fit is the share of data sets simulated from the curve whose own fit "
            "has as large a deviance. Intervals of proportions are Wilson's. [1, 2]"
        ),
    ]


def _references() -> str:
    cited = (
        "Schütt, Harmeling, Macke & Wichmann (2016). Painfree and accurate Bayesian estimation of "
        "psychometric functions for (potentially) overdispersed data. Vision Research 122, "
        "105–123.",
        "Wilson (1927). Probable inference, the law of succession, and statistical inference. "
        "Journal of the American Statistical Association 22, 209–212.",
        "Macmillan & Creelman (2005). Detection Theory: A User's Guide, 2nd edition, chapters 7 "
        "and 9.",
        "Freeman & Simoncelli (2011). Metamers of the ventral stream. Nature Neuroscience 14, "
        "1195–1201.",
        "Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023). Statistical inference on "
        "representational geometries. eLife 12, e82566.",
        "Owen (2007). The pigeonhole bootstrap. Annals of Applied Statistics 1, 386–411.",
    )
    return "".join(f"<li>{html.text(entry)}</li>" for entry in cited)
