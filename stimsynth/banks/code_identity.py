"""Identity of code: hashes of sources without comments and docstrings, which cannot change a pixel."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from itertools import chain, zip_longest
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
    "stimsynth.banks.faults",
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
    >>> can_change_a_pixel("stimsynth.engine.lbfgs"), can_change_a_pixel("stimsynth.plots.panels")
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

    It is read by a pattern, which is much faster than Python's tokenizer, and the same for all its versions.
    Other statements that are only a text are left out like docstrings. A file in which a text stands inside
    another in the same quotes, as Python 3.12 allows in an f-string, is returned as it is.

    Examples
    --------
    >>> bare_source('def f(x):  # doubles' + chr(10) + '    "Double."' + chr(10) + '    return 2 * x')
    'def f(x):\\n    return 2 * x'
    """
    kept: list[str] = []
    texts: list[str] = []
    depth = end = 0  # brackets that are open, and where the last piece ended
    for piece in _PIECE.finditer(source):
        if _ends_inside(piece):
            return source
        code = source[end : piece.start()]
        depth += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
        if piece["comment"]:
            kept.append(code)
        elif depth == 0 and _is_statement(piece):
            kept.append(code.rstrip("rRuU"))
        else:
            kept += [code, "\0"]  # its lines and spaces count; no source has this character
            texts.append(piece[0])
        end = piece.end()
    lines = "".join([*kept, source[end:]]).split("\n")
    bare = "\n".join(line.rstrip() for line in lines if line.strip())
    return "".join(chain.from_iterable(zip_longest(bare.split("\0"), texts, fillvalue="")))


_PIECE = re.compile(
    r"""(?P<comment>\#[^\n]*)
    | \"{3}(?:[^"\\]|\\.|"(?!""))*\"{3} | '{3}(?:[^'\\]|\\.|'(?!''))*'{3}
    | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*'""",
    re.VERBOSE | re.DOTALL,
)
_BLANK_BEFORE = re.compile(r"(?:^|[^\\]\n)[ \t\f]*[rRuU]?$")
_BLANK_AFTER = re.compile(r"[ \t\f]*(?:\#|\n|$)")


def _ends_inside(piece: re.Match[str]) -> bool:
    """Return whether a piece is part of an f-string, cut by a text in a bracket of it."""
    prefix = piece.string[max(piece.start() - 2, 0) : piece.start()].lower()
    if piece["comment"] or not prefix.endswith(("f", "fr")):
        return False
    single = piece[0].replace("{{", "").replace("}}", "")
    return all(text.count("{") != text.count("}") for text in (piece[0], single))


def _is_statement(piece: re.Match[str]) -> bool:
    """Return whether a text outside brackets shares its lines with no code, and so changes nothing."""
    source, start = piece.string, piece.start()
    line = source.rfind("\n", 0, start)
    before = source[max(line - 1, 0) : start]
    return bool(_BLANK_BEFORE.search(before) and _BLANK_AFTER.match(source, piece.end()))


def _modules(package: str) -> Iterable[tuple[str, Path]]:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    root = Path(spec.origin).parent
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join((package, *parts)), path
