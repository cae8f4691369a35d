"""Stimuli that a new version of a bank takes from an older one, whatever code made them."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from stimsynth.banks.jobs import placed
from stimsynth.banks.model_identity import same_probe
from stimsynth.banks.work import BatchSpec, Work
from stimuli_store.bank.publish import bank_path
from stimuli_store.bank.reading import open_bank
from stimuli_store.records.spec import StimulusSpec
from stimuli_store.records.stimulus import Stimulus


@dataclass(frozen=True, kw_only=True)
class OlderVersion:
    """Stimuli of the version that a plan names as its parent, and its name, version and version id.

    `stimuli` has those that were synthesized or taken from files, by the key of the spec that was planned,
    without its code.
    """

    parent: Mapping[str, str] | None = None
    stimuli: Mapping[str, Stimulus]

    def carried(self, batch: BatchSpec, work: Work) -> tuple[tuple[Stimulus, ...], float] | None:
        """Return the batch's stimuli in the older version and 0 seconds; None if not all are there."""
        found = []
        for planned in batch.members:
            stimulus = self.stimuli.get(_key(planned))
            if stimulus is None or stimulus.record.certificate.gates != dict(batch.recipe.gates):
                return None
            models = stimulus.record.models
            if not all(same_probe(m.probe, models[p].probe) for p, m in planned.models.items()):
                return None
            found.append(placed(stimulus, planned, work))
        return tuple(found), 0.0

    def changes(self, made: Sequence[Stimulus]) -> tuple[str, ...]:
        """Return a sentence on the number of stimuli from the older version; empty without a parent."""
        if self.parent is None:
            return ()
        ids = {stimulus.record.sha256 for stimulus in self.stimuli.values()}
        same = sum(stimulus.record.sha256 in ids for stimulus in made)
        return (
            f"built from a plan: {same} of {len(made)} stimuli are those of {self.parent['version']}",
        )


def older_version(work: Work, directory: Path) -> OlderVersion:
    """Return the version that a plan names as its parent; one without stimuli if it names none.

    Raises
    ------
    BankError
        If that version is not in the folder, or damaged.
    """
    plan = work.plan.bank
    if plan.parent is None:
        return OlderVersion(stimuli={})
    with closing(open_bank(bank_path(directory, plan.name, plan.parent))) as bank:
        stimuli = {}
        for record in bank.records:
            if record.spec is not None:
                start = record.planned_start or record.spec.start
                stimuli[_key(replace(record.spec, start=start))] = Stimulus(
                    pixels=bank.pixels(record.sha256),
                    record=record,
                    losses=bank.losses(record.sha256),
                )
        parent = {"name": plan.name, "version": plan.parent, "sha256": bank.version_id}
        return OlderVersion(parent=parent, stimuli=stimuli)


def _key(spec: StimulusSpec) -> str:
    return replace(spec, code={}).key
