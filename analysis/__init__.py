"""Analysis of answers: thresholds, sensitivity, and a ranking of models by agreement with people.

`curves` and `observers` need only numpy and scipy, so the booth may import `observers`; pandas is loaded by
`data` and above, matplotlib by `plots`.
"""

from typing import TYPE_CHECKING

from stimuli_store.tools.lazy import lazy_names

if TYPE_CHECKING:
    from analysis.curves.axes import Axis
    from analysis.curves.cell_models import DPrimeModel, ScalingModel, ThresholdModel
    from analysis.curves.psychometric import PsychometricFunction
    from analysis.data.answers import Answers
    from analysis.data.journals import find_journals, read_sessions
    from analysis.data.reading import read_trials
    from analysis.data.tables import answers_of
    from analysis.fits.bootstrap import nonparametric_bootstrap, parametric_bootstrap
    from analysis.fits.conditions.contrast_record import Contrast, Contrasts
    from analysis.fits.conditions.contrasts import contrasts
    from analysis.fits.conditions.nested import compare_groups
    from analysis.fits.conditions.nested_record import NestedModels
    from analysis.fits.distortion_ratio import (
        DistortionRatio,
        fit_distortion_ratio,
        predicted_ratio,
    )
    from analysis.fits.dprimes import DPrimes, dprimes
    from analysis.fits.fit import Fit
    from analysis.fits.fit_status import FitStatus
    from analysis.fits.fitting import fit_many, fit_psychometric
    from analysis.fits.goodness import Goodness, goodness_of_fit, residuals_by_order
    from analysis.fits.groups import Fits, fit
    from analysis.fits.hierarchy import fit_hierarchy
    from analysis.fits.hierarchy_result import Hierarchy, HierarchyStatus
    from analysis.fits.mad.record import MADVerdict
    from analysis.fits.mad.verdict import mad_verdict
    from analysis.fits.modes import fit_modes
    from analysis.fits.population import population_dprime, population_threshold
    from analysis.fits.posteriors import grid_posterior, grid_posteriors
    from analysis.fits.response_table import response_table
    from analysis.fits.scaling.fitting import fit_critical_scaling
    from analysis.fits.scaling.record import ScalingFit, ScalingStatus
    from analysis.infer.estimates import Estimate
    from analysis.infer.jackknife import crossed_jackknife
    from analysis.infer.population import PopulationEstimate
    from analysis.infer.priors import (
        BetaPrior,
        FlatPrior,
        HalfCauchyPrior,
        NormalPrior,
        SplitNormalPrior,
    )
    from analysis.observers.bias import BiasFit, fit_bias
    from analysis.observers.counted.dprime_result import DPrime, DPrimeStatus
    from analysis.observers.counted.from_counts import dprime_from_counts, dprimes_from_counts
    from analysis.observers.counted.from_hits import dprime_from_hits, dprimes_from_hits
    from analysis.observers.counted.proportions import wilson
    from analysis.observers.evidence import Evidence, evidence_of
    from analysis.observers.links import Link, link_of
    from analysis.observers.rule_comparison import RuleScore, compare_rules
    from analysis.observers.rules import decide
    from analysis.observers.sdt import (
        dprime,
        dprime_error,
        guess_rate,
        p_correct,
        trials_for,
    )
    from analysis.observers.simulated.calibrating import calibrated_observer
    from analysis.observers.simulated.drawn_answers import draw_answers
    from analysis.observers.simulated.model_observer import ModelObserver
    from analysis.planning.efficiency import task_efficiency
    from analysis.planning.power import Power, power, power_table
    from analysis.planning.precision import Precision, precision
    from analysis.planning.recovery import Calibration, Recovery, calibration, recovery
    from analysis.planning.study import StudyDesign, simulated_answers
    from analysis.planning.truths import ModelTruth, ScalingTruth, ThresholdTruth
    from analysis.ranking.diagnose import diagnose
    from analysis.ranking.diagnostics import Diagnostic
    from analysis.ranking.rank import rank, rank_by_rule, rank_models
    from analysis.ranking.records import ModelScore, Ranking
    from analysis.report.results import Results, analyse
    from analysis.report.write import write_report
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__)
