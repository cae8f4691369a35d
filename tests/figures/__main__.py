"""Draw all stored figures anew; look at them (``git diff`` shows which have changed) before they are kept."""

from stimuli_store.tools.command_line import NamesTheNearest
from tests.figures.catalogue import FIGURES, drawn
from tests.figures.compare import BASELINES, baseline_of, difference, picture_of, store, stored


def main() -> None:
    """Write the pictures of all figures, or those of some; one that still agrees is not written."""
    parser = NamesTheNearest(prog="python -m tests.figures", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *FIGURES], metavar="NAME")
    parser.add_argument(
        "--all", action="store_true", help="also those that agree with the stored ones"
    )
    asked = parser.parse_args()
    for name in asked.names or FIGURES:
        figure = drawn(name)
        path = baseline_of(name)
        if (
            path.exists()
            and not asked.all
            and difference(picture_of(figure), stored(name))[0] < 0.7
        ):
            continue
        print(f"{store(name, figure):8} bytes  {path.name}")
    print(f"{sum(path.stat().st_size for path in BASELINES.glob('*.png')):8} bytes in all")


if __name__ == "__main__":
    main()
