"""A slow session in a process of its own, to be killed: BANK DATA_DIR SECONDS_PER_TRIAL TASK [N_TRIALS].

After N_TRIALS a trial takes half a second: the session does not end before it is stopped, however late.
"""

import sys
import time
from pathlib import Path

from experiments.session import run_session
from experiments.simulated import SimulatedBooth
from stimuli_store.bank.reading import open_bank
from tests.experiments.helpers import Coin, session_design


class SlowBooth(SimulatedBooth):
    seconds, left = 0.0, 10**9

    def show(self, phases, listening):
        self.left -= 1
        time.sleep(self.seconds if self.left >= 0 else 0.5)
        return super().show(phases, listening)


def main() -> None:
    bank = open_bank(sys.argv[1])
    design = session_design(bank, sys.argv[4])
    booth = SlowBooth(design.screen.size, design.screen.refresh_hz)
    booth.seconds = float(sys.argv[3])
    if len(sys.argv) > 5:
        booth.left = int(sys.argv[5])
    run_session(design, bank, booth, "S01", 1, data_dir=Path(sys.argv[2]), observer=Coin())


if __name__ == "__main__":
    main()
