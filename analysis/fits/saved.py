"""Fits as JSON, read without fitting again; `docs/formats/fit-1.md` has the format."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from analysis.curves.axes import AXES, Axis, axis_of
from analysis.curves.psychometric import PsychometricFunction
from analysis.data.counts import Counts
from analysis.fits.engine.settings import FitSettings, checked
from analysis.fits.fit import Fit, Posterior
from analysis.fits.fit_status import FitStatus
from analysis.infer.priors import prior_from_json, prior_to_json
from stimuli_store.disk.json_file import as_text, read_json, write_json
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_path, a_text, takes

FIT_FORMAT = "stimsynth-fit"
VERSION = 1
_NUMBERS = ("threshold", "low", "high", "log_likelihood", "deviance", "dispersion")


@takes(path=a_path)
def save_fit(fit: Fit, path: str | Path) -> Path:
    """Write a fit to a JSON file, complete or not at all, and return its path.

    Raises
    ------
    InputError
        If a prior has no written form, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from analysis.fits.fitting import fit_psychometric
    >>> fit = fit_psychometric([8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load_fit(save_fit(fit, Path(folder) / "fit.json"))
    >>> again.function == fit.function, again.low == fit.low
    (True, True)
    """
    return write_json(fit_to_json(fit), Path(path), "the fit")


@takes(path=a_path)
def load_fit(path: str | Path, *, axis: Axis | None = None) -> Fit:
    """Return the fit of a file of `save_fit`; nothing is fitted again.

    Parameters
    ----------
    path
        The file.
    axis
        The axis of the same name, for a fit on another axis than log or linear.

    Raises
    ------
    InputError
        If the file cannot be read, is no saved fit, of a later version, or needs an axis that was not given.
    """
    value = read_json(Path(path), "a fit", form=FIT_FORMAT, version=VERSION)
    try:
        return fit_from_json(value, axis)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is a damaged saved fit: {error} is missing or wrong") from None


def fit_to_json(fit: Fit) -> dict[str, Any]:
    """Return a fit as plain JSON values; infinite numbers become the texts "inf" and "-inf"."""
    curve, settings, posterior = fit.function, fit.settings, fit.posterior
    return {
        "format": FIT_FORMAT,
        "version": VERSION,
        "level": {"name": fit.level_name, "unit": fit.unit},
        "counts": {name: values.tolist() for name, values in vars(fit.counts).items()},
        "settings": {
            **{f.name: getattr(settings, f.name) for f in fields(FitSettings)},
            "axis": axis_of(settings.axis).name,
            "priors": {name: prior_to_json(prior) for name, prior in settings.priors.items()},
        },
        "function": {
            **{f.name: getattr(curve, f.name) for f in fields(PsychometricFunction)},
            "axis": axis_of(curve.axis).name,
        },
        **{name: as_text(getattr(fit, name)) for name in _NUMBERS},
        "status": fit.status.name,
        "posterior": {
            "names": list(posterior.names),
            "mode": posterior.mode.tolist(),
            "covariance": posterior.covariance.tolist(),
            "log_density": posterior.log_density,
        },
    }


def fit_from_json(value: dict[str, Any], axis: Axis | None = None) -> Fit:
    """Return the fit of plain JSON values; errors are those of `load_fit`."""
    given, posterior = value["settings"], value["posterior"]
    scale = _axis_named(given["axis"], axis)
    priors = {name: prior_from_json(prior) for name, prior in given["priors"].items()}
    return Fit(
        function=PsychometricFunction(**{**value["function"], "axis": scale}),
        **{name: float(value[name]) for name in _NUMBERS},
        status=FitStatus[value["status"]],
        posterior=Posterior(
            names=tuple(posterior["names"]),
            mode=np.array(posterior["mode"]),
            covariance=np.array(posterior["covariance"]),
            log_density=posterior["log_density"],
        ),
        counts=Counts(**{name: np.array(values) for name, values in value["counts"].items()}),
        settings=checked(FitSettings(**{**given, "axis": scale, "priors": priors})),
        level_name=a_text(value["level"]["name"], "level.name"),
        unit=a_text(value["level"]["unit"], "level.unit"),
    )


def _axis_named(name: str, given: Axis | None) -> str | Axis:
    if name in AXES:
        return name
    if given is None or given.name != name:
        raise InputError(
            f"this fit was made on the axis {name!r}; give the Axis of this name as axis=…"
        )
    return given
