"""Progress bars: time left on a terminal, silence elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm


@contextmanager
def synthesis_bar(total: int) -> Iterator[Callable[[int, Any], None] | None]:
    """Yield an `on_step` for the loop that draws a bar, or None where nobody would see one."""
    if not sys.stderr.isatty():
        yield None
        return
    with tqdm(
        total=total, desc="steps", unit="step", delay=2.0, mininterval=0.2, leave=False
    ) as bar:

        def on_step(_: int, state: Any) -> None:
            bar.update()
            if bar.n % 10 == 0:
                bar.set_postfix(
                    loss=f"{state.objective.mean().item():.4e}",
                    gradient_norm=f"{state.gradient_norm.mean().item():.4e}",
                    refresh=False,
                )

        yield on_step


@contextmanager
def product_bar(total: int) -> Iterator[Callable[[int, float], None] | None]:
    """Yield an `on_step` for a search of eigenvectors that draws a bar, or None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    with tqdm(
        total=total, desc="products", unit="product", delay=2.0, mininterval=0.2, leave=False
    ) as bar:

        def on_step(spent: int, left: float) -> None:
            bar.update(spent - bar.n)
            bar.set_postfix(left=f"{left:.2e}", refresh=False)

        yield on_step
