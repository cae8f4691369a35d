"""Models of a reader's own: loaded from a file or package, identified by sources, weights and output."""

import ast
import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from stimsynth.banks.code_identity import source_sha256
from stimsynth.numerics.generators import generator_for
from stimuli_store.disk.paths import is_file
from stimuli_store.errors import InputError, unknown_name

Factory = Callable[..., nn.Module]
PROBE_RTOL = 1e-4


def load_factory(use: str, folder: Path) -> Factory:
    """Return the factory that ``"file.py:name"`` or ``"package.module:name"`` names.

    Parameters
    ----------
    use
        A file beside the plan, or a module that is installed; then a colon and the name in it.
    folder
        Folder of the plan.

    Raises
    ------
    InputError
        If there is no such file, module or name, or its code fails.
    """
    place, _, name = use.partition(":")
    module = _from_file(folder / place, folder) if place.endswith(".py") else _installed(place)
    if not hasattr(module, name):
        known = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise unknown_name(f"factory in {place}", name, known)
    factory = getattr(module, name)
    if not callable(factory):
        raise InputError(f"{use} must be a function or class that makes a model; not {factory!r}")
    return factory


def sources_of(factory: Factory, folder: Path) -> dict[str, str]:
    """Return the hashes of all loaded source files that a factory may depend on, by name.

    These are the files from the plan's folder, and the module of the factory with all of its package.

    Raises
    ------
    InputError
        If the factory's code is in no file, such as code typed at a prompt, or a file of it has the name of a
        package of ours.
    """
    made = getattr(factory, "func", factory)  # of a partial
    module = getattr(made, "__module__", None) or type(made).__module__
    home = getattr(sys.modules.get(module), "__file__", None)
    if home is None:
        name = getattr(made, "__qualname__", made)
        raise InputError(
            f"the code of {name} is in no file, so changes of it cannot be detected; write it to a file"
        )
    root = getattr(sys.modules.get(module.partition(".")[0]), "__file__", None) or home
    whole = Path(root).name == "__init__.py"
    package = _loaded_from(Path(root).parent) if whole else []
    top = Path(root).resolve().parent.parent if whole else Path(home).resolve().parent
    places = dict.fromkeys([Path(home).resolve(), *package], top)
    # What lies beside the plan is named from there, however it was imported.
    beside = [*_loaded_from(folder), *(path for path in places if _inside(path, folder))]
    _refuse_our_names(beside, folder)
    places |= dict.fromkeys(beside, folder.resolve())
    return {
        path.relative_to(start).as_posix(): source_sha256(path) for path, start in places.items()
    }


def weights_sha256(model: nn.Module) -> str:
    """Return the identity of a model's parameters and buffers: names, types, shapes and values."""
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        array = value.detach().cpu().contiguous()
        digest.update(f"{key} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a state dictionary into a model; a file that holds more than tensors is refused.

    Raises
    ------
    InputError
        If there is no such file, it holds code, or its tensors do not fit.
    """
    if not is_file(path):
        raise InputError(f"there is no file of weights {path}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state)
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        pickled = isinstance(error, UnpicklingError)
        why = (
            "it holds more than tensors" if pickled else " ".join(lines[:2]) or type(error).__name__
        )
        raise InputError(
            f"the weights {path.name} do not fit {type(model).__name__}, or are no state dictionary of "
            f"tensors (save them with torch.save(model.state_dict(), …)): {why}"
        ) from error


def model_probe(model: nn.Module, shape: tuple[int, int, int]) -> tuple[float, ...]:
    """Return nine numbers of a model's output on three fixed images of shape (c, h, w).

    For each image: mean and root mean square of the output, and its product with fixed random signs.
    """
    images = [torch.zeros(shape), torch.ones(shape), noise_image(shape)]
    found: list[float] = []
    with torch.no_grad():
        for image in images:
            output = model(image[None]).flatten().double().abs()
            signs = torch.randint(0, 2, output.shape, generator=generator_for("probe signs", 0))
            mean, square = output.mean(), output.square().mean().sqrt()
            found += [float(mean), float(square), float((output * (2 * signs - 1)).mean())]
    return tuple(found)


def noise_image(shape: tuple[int, ...]) -> Tensor:
    """Return the noise image of `model_probe`."""
    return torch.rand(shape, generator=generator_for("probe image", 0))


def same_probe(one: tuple[float, ...], two: tuple[float, ...], rtol: float = PROBE_RTOL) -> bool:
    """Return whether two model probes are equal, up to `rtol` times their largest number."""
    if len(one) != len(two):
        return False
    scale = max((abs(x) for x in (*one, *two)), default=0.0)
    return all(abs(a - b) <= rtol * scale for a, b in zip(one, two, strict=True))


def _installed(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"there is no module {name!r} to take a model from: {error}") from error


def _from_file(path: Path, folder: Path) -> ModuleType:
    if not is_file(path):
        raise InputError(f"there is no file {path} to take a model from")
    name = f"_plan_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Files may have been edited since they were imported.
    with _without(_modules_in(folder)), importing_from(folder):
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            _refuse_our_names([path, *_loaded_from(folder)], folder)
            raise InputError(
                f"{path.name} cannot be run: {type(error).__name__}: {error}"
            ) from error
    return module


@contextmanager
def importing_from(folder: Path) -> Iterator[None]:
    """Let a block import the modules in a plan's folder, without writing compiled files there."""
    before, writing = sys.path[:], sys.dont_write_bytecode
    sys.path.insert(0, str(folder.resolve()))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    # A helper.py of another plan that was imported before must not be used for this plan.
    names = {path.stem for path in folder.glob("*.py")}
    others = {
        name: module
        for name, module in (sys.modules.items() if names else ())
        if name.partition(".")[0] in names
        and _is_from(module, None)
        and not _is_from(module, folder)
    }
    try:
        with _without(others):
            yield
    finally:
        sys.path[:], sys.dont_write_bytecode = before, writing


@contextmanager
def _without(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Remove `modules` from `sys.modules` in a block, so that imports load them again."""
    for name in modules:
        del sys.modules[name]
    try:
        yield
    finally:
        for name, module in modules.items():
            sys.modules.setdefault(name, module)


def _loaded_from(folder: Path) -> list[Path]:
    modules = _modules_in(folder).values()
    found = {_placed(Path(str(module.__file__)), folder) for module in modules}
    return sorted(path for path in found if path.suffix == ".py")


def _modules_in(folder: Path) -> dict[str, ModuleType]:
    """Return the loaded modules that are the user's own code in `folder`, by name."""
    within = os.path.join(folder.resolve(), "")  # noqa: PTH118

    # Thousands of modules lie in a few hundred folders, and to resolve a path asks the disk for each part.
    @cache
    def resolved(directory: str) -> str:
        parent, name = os.path.split(directory)
        if name in ("", ".", "..") or os.path.islink(directory):  # noqa: PTH114
            return os.path.realpath(directory)
        return os.path.join(resolved(parent), name)  # noqa: PTH118

    @cache
    def leads_there(directory: str) -> bool:
        return any(f"{d}{os.sep}".startswith(within) for d in (directory, resolved(directory)))

    def may_be(file: object) -> bool:
        if not isinstance(file, str):
            return False
        return leads_there(_folder_of(file)) or _is_link(file)

    return {
        name: module
        for name, module in list(sys.modules.items())
        if may_be(getattr(module, "__file__", None)) and _is_from(module, folder)
    }


# A loaded module's file is asked for once: there are thousands, and links do not come later.
@cache
def _is_link(file: str) -> bool:
    return os.path.islink(file)  # noqa: PTH114


@cache
def _folder_of(file: str) -> str:
    return os.path.dirname(file)  # noqa: PTH120


def _is_from(module: Any, folder: Path | None) -> bool:
    """Return whether a module is the user's own code in `folder` (anywhere if None)."""
    file = getattr(module, "__file__", None)
    ours = getattr(module, "__name__", "").partition(".")[0] in _OURS
    # A relative name, as torch gives to modules that it makes itself, is no file.
    real = isinstance(file, str) and Path(file).is_absolute()
    return real and not ours and _inside(Path(str(file)), folder)


#: Never taken for a reader's own, even where the plan lies in a folder that holds them.
_OURS = {"stimsynth", "stimuli_store", "analysis", "experiments", "tests", "__main__"}


def _refuse_our_names(paths: Iterable[Path], folder: Path) -> None:
    """Refuse files in a plan's folder that import another one there which has the name of a package of ours.

    They would get our package or theirs, whichever was imported first.
    """
    if folder.resolve() == Path(__file__).resolve().parents[2]:  # the packages there are ours
        return
    ends = (".py", "/__init__.py")
    taken = {n: f"{n}{end}" for n in _OURS for end in ends if (folder / f"{n}{end}").is_file()}
    for path in paths if taken else ():
        for name in sorted(_imported(path) & taken.keys()):
            file = getattr(sys.modules.get(name), "__file__", None)
            if file and _inside(Path(file), folder):
                del sys.modules[name]  # so that ours can still be imported in this process
            raise InputError(
                f"{path.name} imports {name}, a package of this toolkit and also {taken[name]} beside "
                "the plan; give that file another name"
            )


def _imported(path: Path) -> set[str]:
    """Return the first names of all modules that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


def _inside(path: Path, folder: Path | None) -> bool:
    """Return whether a file lies in `folder` (anywhere if None), but not in installed packages."""
    start = () if folder is None else folder.resolve().parts
    parts = _placed(path, folder).parts
    below = parts[len(start) :]
    library = any(a == "lib" and b.startswith("python") for a, b in pairwise(below))
    installed = library or "site-packages" in below or "dist-packages" in below
    return parts[: len(start)] == start and not installed


def _placed(path: Path, folder: Path | None) -> Path:
    """Return the absolute path of a file; a link in `folder` to a file elsewhere is a file of the folder."""
    real = path.resolve()
    inside = folder is None or real.is_relative_to(folder.resolve())
    return real if inside else path.absolute()


def params_as_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with tuples as lists, as they come back from a file."""
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in params.items()
    }
