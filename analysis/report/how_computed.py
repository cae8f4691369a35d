"""The methods section of the report, with equations and references."""

from analysis.infer.likelihood import LAPSE_A, LAPSE_B
from analysis.observers.links import link_of
from analysis.report import formatting
from analysis.report.results import Results
from stimuli_store.tools import html


def methods_section(results: Results) -> str:
    """Return the report's methods section as HTML, with equations and references."""
    links = {c.rule: link_of(c.task, c.rule) for c in (results.headline, *results.others)}
    parts = [
        *_curve_paragraphs(results),
        html.paragraph(
            f"d′ and proportion correct in the task {html.code(results.task.name)} (guess rate "
            f"{next(iter(links.values())).guess:.3g}) [3], by the decision rule assumed of observers:"
        ),
        *(html.paragraph(f"{rule}: {link.formula}", "eq") for rule, link in links.items()),
        html.paragraph(_CRITERION) if results.task.criterion else "",
        html.paragraph("Critical scaling [4]: d′(s) = α₀ · max(0, 1 − s₀²/s²)", "eq"),
        html.paragraph(
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
        ),
    ]
    if results.true_threshold is not None:
        parts.append(
            html.paragraph(
                "True threshold of simulated observers: the level at which their own mean "
                "probability of a right answer over the pairs shown reaches P. The probability is "
                "exact at every level and interpolated between levels by a monotone cubic of the log "
                "level; no psychometric function is fitted."
            )
        )
    return html.section("Methods", *parts, "<h3>References</h3><ol>", _references(), "</ol>")


_CRITERION = (
    "A task with a criterion has no guess rate: d′ comes from hits (a difference is reported where one is) "
    "and false alarms (where there is none), its interval from the likelihood profile over all criteria. The "
    "bias is the distance of the criterion from the one with the fewest errors."
)


def _curve_paragraphs(results: Results) -> list[str]:
    fit = results.headline.fit
    if fit is None:
        return [
            html.paragraph(
                "No psychometric function was fitted: levels are words, missing, or one only, or the task "
                "has a criterion. Intervals of proportions are Wilson's [2], converted to d′."
            )
        ]
    axis = "log₂ level" if fit.function.axis == "log" else "level"
    return [
        html.paragraph(
            f"Psychometric function on {axis}: normal, Weibull and reversed Gumbel sigmoids are fitted (here "
            f"{formatting.sigmoid(fit.function.sigmoid)} fits best). The task fixes the guess rate γ = "
            f"{fit.function.guess:.3g}. "
            f"The lapse rate λ has the prior Beta({LAPSE_A:g}, {LAPSE_B:g}), the width a broad log-normal "
            "prior, the threshold a flat prior. Estimates are posterior modes."
        ),
        html.paragraph("P(level) = γ + (1 − γ − λ) · S(level)", "eq"),
        html.paragraph(
            f"The threshold is the level at P = {results.p:g}. Its 95 % interval holds the levels at which "
            "the highest log-likelihood profile of the three sigmoids lies within 1.92 of its maximum (half "
            "the 95 % point of χ², one degree of freedom). Where answers scatter beyond chance, 1.92 is "
            "multiplied by the deviance over its degrees of freedom (Finney's heterogeneity factor), and χ² "
            "is replaced by F; this begins where 40 % of good fits have a larger deviance and is complete "
            "where 10 % have. Intervals of proportions are Wilson's. [1, 2]"
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
    )
    return "".join(f"<li>{html.text(entry)}</li>" for entry in cited)
