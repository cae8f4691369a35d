"""A session in a process of its own, slow enough to be killed: BANK DATA_DIR SECONDS_PER_TRIAL [N_TRIALS].

After N_TRIALS a trial takes half a second: the session does not end before it is stopped, however late.
"""

import sys
import time
from pathlib import Path

from experiments.design import seed_of
from experiments.session import run_session
from experiments.simulated import SimulatedBooth, SimulatedPerson
from stimuli_store.bank.reading import open_bank
from tests.experiments.helpers import Coin, design_for


class SlowBooth(SimulatedBooth):
    seconds, left = 0.0, 10**9

    def show(self, trial, frames):
        self.left -= 1
        time.sleep(self.seconds if self.left >= 0 else 0.5)
        return super().show(trial, frames)


def main() -> None:
    bank = open_bank(sys.argv[1])
    design = design_for(bank)
    person = SimulatedPerson(Coin(), seed_of(design, "S01", 1))
    booth = SlowBooth(person, refresh_hz=60.0)
    booth.seconds = float(sys.argv[3])
    if len(sys.argv) > 4:
        booth.left = int(sys.argv[4])
    run_session(
        design, bank, booth, "S01", 1, data_dir=Path(sys.argv[2]), observer=Coin().describe()
    )


if __name__ == "__main__":
    main()
