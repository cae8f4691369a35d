"""Pixels per degree of a bank: kept, handed on to new versions, and refused where they make no sense."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from stimsynth.cli import main
from stimuli_store.bank import rows
from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.lineage import add_stimuli, retire_stimuli
from stimuli_store.bank.publish import publish_bank
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.errors import InputError
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.stimulus import Stimulus
from tests.store.made_up import mad_quad, metamers, targets


def scaled(folder: Path, ppd: float | None, stimuli: list[Stimulus]) -> Bank:
    header = BankHeader(name="scaled", version="1.0.0", license="CC0-1.0", ppd=ppd)
    return publish_bank(folder, header, stimuli, Predictions())


def test_a_bank_keeps_its_scale_in_new_versions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bank = scaled(tmp_path, 57.5, [*targets(), *metamers()])
    assert open_bank(bank.path).header == bank.header
    assert bank.header.ppd == 57.5
    newer = retire_stimuli(bank, "1.1.0", names=["metamer 1"], reason="a visible edge")
    assert newer.header.ppd == 57.5
    assert main(["bank", "info", str(newer.path)]) == 0
    assert "srgb transfer, 0 to 1, 57.5 pixels per degree\n" in capsys.readouterr().out


@pytest.mark.parametrize(("there", "fits"), [(40.0, True), (None, True), (41.0, False)])
def test_images_of_another_scale_are_not_added(
    tmp_path: Path, there: float | None, fits: bool
) -> None:
    bank = scaled(tmp_path / "here", 40.0, [*targets(), *metamers()])
    donor = scaled(tmp_path / "there", there, [*targets(), *mad_quad()])
    if fits:
        assert add_stimuli(bank, donor, "1.1.0").header.ppd == 40.0
        return
    with pytest.raises(InputError, match=r"at 41 pixels per degree, and those of .* at 40, so one"):
        add_stimuli(bank, donor, "1.1.0")


@pytest.mark.parametrize("ppd", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_must_be_a_positive_number(ppd: float) -> None:
    header = BankHeader(name="x", version="1.0.0", license="CC0-1.0")
    with pytest.raises(InputError, match="ppd must be a positive number of pixels per degree"):
        replace(header, ppd=ppd)


@pytest.mark.parametrize("ppd", [0, -2.5, "40", [40]])
def test_a_manifest_with_another_scale_is_not_read(ppd: object) -> None:
    colour = {"space": "gray", "transfer": "srgb"}
    line = {"type": "header", "format": "stimbank/1", "name": "x", "version": "1.0.0"}
    line |= {"license": "CC0-1.0", "colour": colour}
    rows.decode(json.dumps({**line, "ppd": 40}).encode(), first=True)
    with pytest.raises(ValueError, match="ppd"):
        rows.decode(json.dumps({**line, "ppd": ppd}).encode(), first=True)
