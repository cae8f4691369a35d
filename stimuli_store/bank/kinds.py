"""Rules for the sets of each kind of stimulus: which members and figures they have, and what must agree."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from stimuli_store.records.stimulus import StimulusRecord

Members = Sequence[StimulusRecord]
#: Drift and other figures that follow from others must agree with them to this relative tolerance.
AGREES = 1e-6
#: Members of a MAD set, named after the metric that is pushed and the way; the other metric is held.
MAD_ROLES = ("metric_1_min", "metric_1_max", "metric_2_min", "metric_2_max")
ENDS = ("most", "least")
#: Kinds whose stimuli differ from their targets in at least one pixel.
OTHER_THAN_TARGET = frozenset({"metamer", "mad"})


def set_fault(members: Members) -> str | None:
    """Return the first rule of its kind that a set breaks, as a sentence, or None.

    Examples
    --------
    >>> set_fault([])
    'it has no members'
    """
    if not members:
        return "it has no members"
    rule = KIND_RULES.get(members[0].kind, _specified)  # other kinds have no rules here
    return next(rule(members), None)


def _reference(members: Members) -> Iterator[str]:
    for record in members:
        if record.targets != (record.sha256,):
            yield f"the reference {record.name!r} has another target than itself"
        if record.spec is not None:
            yield f"the reference {record.name!r} has a spec"


def _metamer(members: Members) -> Iterator[str]:
    yield from _specified(members, "model")
    yield from _of_targets(members)
    yield from _same(members, "targets", lambda r: r.targets)
    yield from _same(members, "level", lambda r: r.level)
    yield from _same(members, "model", lambda r: r.models["model"])
    for record in members:
        yield from _figures(record, "distance", "relative_distance", "start_distance")
        yield from _not_negative(record, "distance", "relative_distance", "start_distance")


def _mad(members: Members) -> Iterator[str]:
    yield from _specified(members, "metric_1", "metric_2")
    yield from _of_targets(members)
    for record in members:
        yield from _figures(
            record, "metric_1", "metric_2", "start_metric_1", "start_metric_2", "drift"
        )
    roles = sorted(record.role for record in members)
    if roles != sorted(MAD_ROLES):
        yield f"a MAD set has the members {', '.join(MAD_ROLES)}; not {', '.join(roles)}"
    for what, of in _MAD_SHARED.items():
        yield from _same(members, what, of)
    if members[0].models["metric_1"].identity == members[0].models["metric_2"].identity:
        yield "its two metrics are the same"
    for record in members:
        yield from _not_negative(record, "metric_1", "metric_2")
        yield from _drift(record)


_MAD_SHARED: Mapping[str, Callable[[StimulusRecord], object]] = {
    "targets": lambda r: r.targets,
    "metric_1": lambda r: r.models["metric_1"],
    "metric_2": lambda r: r.models["metric_2"],
    "level": lambda r: r.level,
    "start": lambda r: r.start,
    "start_metric_1": lambda r: r.certificate.figures["start_metric_1"],
    "start_metric_2": lambda r: r.certificate.figures["start_metric_2"],
}


def held_figure(record: StimulusRecord) -> str | None:
    """Return the name of the figure that equals its value at the start: a MAD image's held metric."""
    if record.kind != "mad":
        return None
    return "metric_2" if record.role.startswith("metric_1") else "metric_1"


def _drift(record: StimulusRecord) -> Iterator[str]:
    figures = record.certificate.figures
    held = str(held_figure(record))
    stated, start = figures["drift"], figures[f"start_{held}"]
    found = figures[held] / start - 1 if start else math.inf
    if not abs(stated - found) <= AGREES:
        yield f"the drift of {record.name!r} is stated as {stated:g}, and its values say {found:g}"


def _eigendistortion(members: Members) -> Iterator[str]:
    yield from _specified(members, "model")
    yield from _same(members, "targets", lambda r: r.targets)
    yield from _same(members, "model", lambda r: r.models["model"])
    yield from _same(members, "start", lambda r: r.start)
    units = {record.role: record for record in members if record.level is None}
    for record in members:
        yield from _distortion(record) if record.level is None else _distorted(record, units)
    yield from _different(members, "role and amplitude", lambda r: (r.role, r.level))
    values = {role: unit.certificate.figures["eigenvalue"] for role, unit in units.items()}
    if len(values) == 2 and values["most"] < values["least"]:
        yield f"the eigenvalue of its most visible distortion is below that of the least: {values}"


def _distortion(record: StimulusRecord) -> Iterator[str]:
    names = ("eigenvalue", "largest_eigenvalue", "residual", "error_bound")
    yield from _figures(record, "norm", *names)
    yield from _not_negative(record, *names)
    if record.role not in ENDS:
        yield f"the distortion {record.name!r} is of the role {' or '.join(ENDS)}; not {record.role!r}"
    figures = record.certificate.figures
    if not abs(figures["norm"] - 1) <= 1e-4:
        yield f"the distortion {record.name!r} is of norm {figures['norm']:g}, not 1"
    bound, wanted = figures["error_bound"], figures["residual"] * figures["largest_eigenvalue"]
    if figures["largest_eigenvalue"] and not math.isclose(wanted, bound, rel_tol=AGREES):
        yield f"the error bound of {record.name!r} is {bound:g}, and its residual says {wanted:g}"


def _distorted(record: StimulusRecord, units: Mapping[str, StimulusRecord]) -> Iterator[str]:
    yield from _figures(record, "amplitude", "amplitude_error", "response")
    yield from _not_negative(record, "response")
    if record.role[-1:] not in ("+", "-") or record.role[:-1] not in units:
        yield f"the set has no unit distortion for {record.name!r}, of role {record.role!r}"
    if record.level is None or isinstance(record.level.value, str) or record.level.value <= 0:
        yield f"the amplitude of {record.name!r} is no positive number"


def _geodesic(members: Members) -> Iterator[str]:
    yield from _specified(members, "model")
    yield from _same(members, "targets", lambda r: r.targets)
    yield from _same(members, "model", lambda r: r.models["model"])
    yield from _same(members, "start", lambda r: r.start)
    positions = [record.level.value if record.level else None for record in members]
    n_steps = len(members) + 1
    wanted = [step / n_steps for step in range(1, n_steps)]
    if any(isinstance(p, str) or p is None for p in positions) or not all(
        math.isclose(p, w, rel_tol=AGREES)  # type: ignore[arg-type]
        for p, w in zip(positions, wanted, strict=True)
    ):
        yield f"the frames of a geodesic have the positions {wanted} in order; not {positions}"
    for record in members:
        if len(set(record.targets)) != 2:
            yield "a geodesic has two targets, its ends"
        yield from _figures(record, "step", "next_step", "bound_ratio")
        yield from _not_negative(record, "step", "next_step", "bound_ratio")
    yield from _same(members, "bound_ratio", lambda r: r.certificate.figures["bound_ratio"])
    for one, two in pairwise(record.certificate.figures for record in members):
        if not math.isclose(one["next_step"], two["step"], rel_tol=AGREES):
            yield f"a step is stated as {one['next_step']:g} and as {two['step']:g}"
    if not members[0].certificate.figures["bound_ratio"] >= 1 - AGREES:
        yield "the bound ratio of a geodesic is 1 or more: no path is shorter than the straight one"


def _optimized(members: Members) -> Iterator[str]:
    yield from _specified(members)
    for record in members:
        yield from _figures(record, "objective", "start_objective")


def _noise(members: Members) -> Iterator[str]:
    yield from _specified(members)
    for record in members:
        yield from _figures(record, "rms")
        yield from _not_negative(record, "rms")


def _external(members: Members) -> Iterator[str]:
    yield from _specified(members)
    for record in members:
        if record.spec is not None and "sha256" not in record.spec.recipe:
            yield f"the record of {record.name!r} does not name its file's hash"


KIND_RULES: Mapping[str, Callable[[Members], Iterator[str]]] = {
    "reference": _reference,
    "metamer": _metamer,
    "mad": _mad,
    "eigendistortion": _eigendistortion,
    "geodesic": _geodesic,
    "optimized": _optimized,
    "noise": _noise,
    "external": _external,
}


def _of_targets(members: Members) -> Iterator[str]:
    for record in members:
        if record.sha256 in record.targets:
            yield f"{record.name!r} is its own target"


def _specified(members: Members, *models: str) -> Iterator[str]:
    for record in members:
        if record.spec is None:
            yield f"{record.name!r} has no spec"
        for part in models:
            if part not in record.models:
                yield f"{record.name!r} names no {part}"


def _same(members: Members, what: str, of: Callable[[StimulusRecord], object]) -> Iterator[str]:
    first = of(members[0])
    for record in members[1:]:
        if of(record) != first:
            yield f"{record.name!r} has another {what} than {members[0].name!r}"


def _different(
    members: Members, what: str, of: Callable[[StimulusRecord], object]
) -> Iterator[str]:
    seen: dict[object, str] = {}
    for record in members:
        other = seen.setdefault(of(record), record.name)
        if other != record.name:
            yield f"{record.name!r} has the {what} of {other!r}"


def _figures(record: StimulusRecord, *names: str) -> Iterator[str]:
    missing = [name for name in names if name not in record.certificate.figures]
    if missing:
        yield f"the certificate of {record.name!r} lacks {', '.join(missing)}"


def _not_negative(record: StimulusRecord, *names: str) -> Iterator[str]:
    for name in names:
        value = record.certificate.figures[name]
        if not value >= 0:
            yield f"{name} of {record.name!r} is {value:g}, and it is 0 or more"
