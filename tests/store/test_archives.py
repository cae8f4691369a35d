"""Banks that were published open for ever, and are what they were."""

from pathlib import Path

import pytest

from stimuli_store.bank.reading import open_bank

ARCHIVES = Path(__file__).parents[1] / "archives"
VERSION_IDS = {
    "all-1.0.0.h5": "d1722eabb4eeeb49bf5efa7e36f09c7ec54d8eff40be7582ff05032841adb38a",
}


@pytest.mark.parametrize("name", VERSION_IDS)
def test_an_archived_bank_opens_and_has_its_version_id(name: str) -> None:
    bank = open_bank(ARCHIVES / name)
    assert bank.version_id == VERSION_IDS[name]
    assert [r.kind for r in bank.records] == ["reference", "reference", "metamer", "metamer"]
    assert bank.losses("metamer 0").shape == (30,)
    assert len(bank.predictions) == 3
    assert bank.log[0] == {"seconds": 0.0, "stimuli": 0}
