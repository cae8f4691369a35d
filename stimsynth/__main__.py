"""Entry point of ``python -m stimsynth``."""

import sys

from stimsynth.cli import main

sys.exit(main())
