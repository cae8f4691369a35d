"""Identity of code: hashes of sources without comments and docstrings, which cannot change a pixel."""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

#: Modules that a build may load and that cannot change a pixel: they draw, tell, read plans, or only refuse.
CANNOT_CHANGE_A_PIXEL = (
    "stimsynth.__init__",
    "stimsynth.__main__",
    "stimsynth.cli",
    "stimsynth.commands",
    "stimsynth.plots",
    "stimsynth.models.displays",
    "stimsynth.profiling",
    "stimsynth.validate.__init__",
    "stimsynth.validate.functions",
    "stimsynth.validate.torch_errors",
    "stimsynth.methods.base.progress",
    "stimsynth.methods.base.quality",
    "stimsynth.methods.base.saving",
    "stimsynth.methods.base.snapshots",
    "stimsynth.banks.build",
    "stimsynth.banks.carry",
    "stimsynth.banks.code_identity",
    "stimsynth.banks.dry_run",
    "stimsynth.banks.model_identity",
    "stimsynth.banks.plan",
    "stimsynth.banks.predict",
    "stimsynth.banks.recorded",
    "stimsynth.banks.remake",
    "stimsynth.banks.work",
)
#: What of the store takes part in making pixels.
OF_THE_STORE = ("stimuli_store.frames", "stimuli_store.records.canonical")


def can_change_a_pixel(module: str) -> bool:
    """Return whether the code of one of our modules can change the pixels of a stimulus.

    Examples
    --------
    >>> can_change_a_pixel("stimsynth.engine.lbfgs"), can_change_a_pixel("stimsynth.plots.canvas")
    (True, False)
    """
    if not module.startswith("stimsynth."):
        return module in OF_THE_STORE
    return not any(
        module == name or module.startswith(f"{name}.") for name in CANNOT_CHANGE_A_PIXEL
    )


@lru_cache(maxsize=1)
def code_of_this_package() -> Mapping[str, str]:
    """Return package, version and the SHA-256 of all code of ours that can change a pixel."""
    from stimuli_store.tools.environment import package_version

    sources = {name: path for name, path in _modules("stimsynth") if can_change_a_pixel(name)} | {
        name: path for name, path in _modules("stimuli_store") if can_change_a_pixel(name)
    }
    digest = hashlib.sha256()
    for name, path in sorted(sources.items()):
        digest.update(f"{name} {source_sha256(path)}\n".encode())
    return {
        "package": "stimsynth",
        "version": package_version("stimsynth") or "unknown",
        "source_sha256": digest.hexdigest(),
    }


def source_sha256(path: Path) -> str:
    """Return the SHA-256 of a Python file without comments, docstrings and blank lines."""
    return hashlib.sha256(bare_source(path.read_text(encoding="utf-8")).encode()).hexdigest()


def bare_source(source: str) -> str:
    """Return Python source without comments, docstrings, blank lines and spaces at the ends of lines.

    Examples
    --------
    >>> bare_source('def f(x):  # doubles' + chr(10) + '    "Double."' + chr(10) + '    return 2 * x')
    'def f(x):\\n    return 2 * x'
    """
    lines, literal = source.split("\n"), set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, column = token.start[0] - 1, token.start[1]
        if token.type == tokenize.COMMENT:
            lines[row] = lines[row][:column]
        elif "\n" in token.string.rstrip(
            "\n"
        ):  # of a text over several lines: spaces and blank lines count
            literal |= set(range(row, token.end[0] - 1))
    for node in _docstrings(ast.parse(source), lines):
        rows = range(node.lineno - 1, node.end_lineno or node.lineno)
        literal -= set(rows)
        for row in rows:
            lines[row] = ""
    kept = (line if row in literal else line.rstrip() for row, line in enumerate(lines))
    return "\n".join(line for row, line in enumerate(kept) if line or row in literal)


def _docstrings(tree: ast.Module, lines: Sequence[str]) -> Iterable[ast.Expr]:
    """Yield the docstrings that share no line with other code."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and node.body:
            match node.body[0]:
                case ast.Expr(value=ast.Constant(value=str())) as first:
                    before = lines[first.lineno - 1].encode()[: first.col_offset]
                    after = lines[(first.end_lineno or 0) - 1].encode()[first.end_col_offset :]
                    if not before.strip() and not after.strip():
                        yield first


def _modules(package: str) -> Iterable[tuple[str, Path]]:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    root = Path(spec.origin).parent
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join((package, *parts)), path
