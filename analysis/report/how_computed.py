"""The report's section on how it was computed, with equations and references."""

from analysis.infer.likelihood import LAPSE_A, LAPSE_B
from analysis.report import formatting
from analysis.report.results import Results
from stimuli_store.tools import html


def methods_section(results: Results) -> str:
    """Return the methods with their equations and references."""
    head = results.headline
    axis = "log₂ level" if head.fit.function.axis == "log" else "level"
    parts = [
        html.paragraph(
            f"Psychometric function on {axis}: normal, Weibull and reversed Gumbel sigmoids are fitted (here "
            f"{formatting.sigmoid(head.fit.function.sigmoid)} fits best); guess rate γ fixed by the task, "
            f"lapse rate λ with the prior Beta({LAPSE_A:g}, {LAPSE_B:g}), a broad log-normal prior on "
            "the width, a flat one on the threshold; posterior mode."
        ),
        html.paragraph("P(level) = γ + (1 − γ − λ) · S(level)", "eq"),
        html.paragraph(
            f"The threshold is the level at P = {results.p:g}; its interval is where the highest of "
            "their profiles lies within 1.92 of its top (95 % point of χ², one degree of freedom). "
            "Where the deviance is larger than in four good fits of five, that fall is multiplied by "
            "the deviance over its degrees of freedom (Finney's heterogeneity factor). Intervals of "
            "proportions are Wilson's. [1, 2]"
        ),
        html.paragraph("d′ and proportion correct, by task and rule [3]:"),
        html.paragraph("ABX, independent: P = Φ(d/√2)Φ(d/2) + Φ(−d/√2)Φ(−d/2)", "eq"),
        html.paragraph("ABX, differencing: P = Φ(d/√2)Φ(d/√6) + Φ(−d/√2)Φ(−d/√6)", "eq"),
        html.paragraph("2AFC: P = Φ(d/√2)", "eq"),
        html.paragraph("Critical scaling [4]: d′(s) = α₀ · max(0, 1 − s₀²/s²)", "eq"),
        html.paragraph(
            "Models: distance Δ → d′ = g·Δ^p → the trial's task and rule → lapses. g, p and the "
            "lapse rate are fitted for each model in the same way, scored on images and "
            "participants that were not fitted, with probabilities averaged over what remains "
            "uncertain of the parameters. Intervals of differences resample participants "
            "and images together and take 2(V_participants + V_images) − V_both as the variance "
            "[5]."
        ),
    ]
    if results.true_threshold is not None:
        parts.append(
            html.paragraph(
                "True threshold of simulated observers: the level at which their own mean "
                "probability of a right answer over the pairs shown passes P, exact at every "
                "level, with a monotone cubic on log level between; no fitted family enters."
            )
        )
    return html.section("Methods", *parts, "<h3>References</h3><ol>", _references(), "</ol>")


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
