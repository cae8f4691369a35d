"""The command ``stimsynth run``: run a session of a design, on a screen or simulated."""

import argparse
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli_store.tools.terminal import LinesThatFit

if TYPE_CHECKING:
    from experiments.course.course import Course
    from experiments.design import Design
    from experiments.ports import Booth, Observer
    from experiments.session_plan import SessionPlan
    from stimuli_store.bank.reading import Bank
    from stimuli_store.journal import Session

_SIMULATED, _PSYCHOPY = "simulated", "psychopy"
_MEAN_CORRECT, _LAPSE = 0.8, 0.02  # of a simulated observer, unless the command line says otherwise


_EXAMPLE = """\
a design:
  [bank]
  path = "textures-1.0.0.h5"          # relative to the folder of the design
  # exactly this bank; `stimsynth bank info` prints it
  pin = "textures@1.0.0#0123456789abcdef"

  [task]
  # or 2ifc, pair, mad-pair, split-screen, oddity, 4iax, ...
  name = "abx"
  # the rule assumed of observers; the task's first by default
  rule = "independent"
  # ms = { A = 250 }, mask_ms = 100, ramp_ms = 50: other durations

  [design]
  # or member-member, mad-pair, reference-distortion, catch
  comparisons = ["reference-member"]
  repeats = 8                         # per pair: cells of the task x blocks
  seed = 1
  # only these: levels = [8, 16], targets = ["grass"], sets = [...],
  #   amplitudes = [0.5, 1]
  # blocks of one level: blocks = 2, order = "blocked",
  #   blocked_by = "level", latin = "number"
  # repeats of a target, and of a right answer: min_distance = 3, max_run = 4
  # easy trials, faulty trials, breaks: catch = 0.1, again = "repeat",
  #   break_every = 64

  [screen]
  refresh_hz = 60.0                   # another measured rate is refused
  size = [800, 600]                   # or fullscreen = true

  [keys]
  A = "left"                          # by answer
  B = "right"
  quit = "escape"
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `run` to the parser."""
    parser = subparsers.add_parser(
        "run",
        help="run a session of a design with a participant, or with a simulated one",
        description="Run a session, or the rest of it. Every finished trial is on the disk before "
        "the next begins; the same command continues a session that was interrupted.",
        epilog=_EXAMPLE,
        formatter_class=LinesThatFit,
    )
    parser.add_argument("design", type=Path, metavar="DESIGN.toml")
    parser.add_argument("--participant", required=True, help="for instance S01")
    parser.add_argument("--session", type=int, default=1, help="number of the session (default 1)")
    parser.add_argument(
        "--run", dest="number", type=int, default=1, help="number of the run (default 1)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of the journals (default: data/ beside the design)",
    )
    parser.add_argument(
        "--accept-changes",
        action="store_true",
        help="continue on another screen, refresh rate or keyboard; the journal records it",
    )
    parser.add_argument(
        "--max-trials", type=_positive, metavar="N", help="stop after N trials; continue later"
    )
    screen = parser.add_argument_group("screen")
    screen.add_argument(
        "--booth",
        choices=(_PSYCHOPY, _SIMULATED),
        help="psychopy: a window (default); simulated: none (default with --simulate)",
    )
    screen.add_argument("--fullscreen", action="store_true", help="fill the screen")
    screen.add_argument(
        "--allow-unsynced",
        action="store_true",
        help="accept a refresh rate that differs from the design, or flips that do not wait for it",
    )
    screen.add_argument(
        "--uncalibrated",
        action="store_true",
        help="show a bank of linear light although the screen is not calibrated",
    )
    screen.add_argument(
        "--virtual-display",
        action="store_true",
        help="open the window on an Xvfb server (implies --allow-unsynced: it has no refresh)",
    )
    observer = parser.add_argument_group("simulated observer")
    observer.add_argument(
        "--simulate",
        metavar="MODEL",
        help="simulate the answers from the bank's distances of this model",
    )
    observer.add_argument(
        "--gain", type=float, help="d' per unit of distance (default: calibrated)"
    )
    observer.add_argument(
        "--mean-correct",
        type=float,
        help="mean proportion correct that the gain is calibrated to (default 0.8)",
    )
    observer.add_argument("--lapse", type=float, help="lapse rate (default 0.02)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command, and return its exit code (0, or 128 + N if signal N ended the session)."""
    from experiments.design import check_participant, check_run, check_session, read_design
    from experiments.session import run_session
    from experiments.session_plan import plan_session
    from stimuli_store.bank.reading import open_bank

    check_participant(args.participant)
    check_session(args.session)
    check_run(args.number)
    kind = args.booth or (_SIMULATED if args.simulate else _PSYCHOPY)
    _check_words(args, kind)
    design = read_design(args.design)
    bank = open_bank(args.design.parent / design.bank.path, design.bank.pin)
    data_dir = args.data or args.design.parent / "data"
    course = _course(args, design, bank)
    observer = _observer(args, design, bank, course)
    shared = {
        "run": args.number,
        "uncalibrated": args.uncalibrated,
        "accept_changes": args.accept_changes,
    }
    who = (args.participant, args.session)
    truth = dict(observer.describe()) if observer else None
    plan = plan_session(design, bank, *who, data_dir, observer=truth, **shared)
    if plan.found is not None and plan.completed:
        _say(args, plan.found, plan, "was completed before; no trial is left")
        return 0
    with ExitStack() as stack:
        booth = _booth(args, kind, design, stack)
        session = run_session(
            design,
            bank,
            booth,
            *who,
            data_dir=data_dir,
            observer=observer,
            max_trials=args.max_trials,
            progress=True,
            **shared,
        )
    _say(args, session, plan, _how_it_ended(session.ended))
    return _exit_code(session.ended)


def _check_words(args: argparse.Namespace, kind: str) -> None:
    from stimuli_store.errors import InputError

    described = (args.gain, args.mean_correct, args.lapse)
    if not args.simulate and any(value is not None for value in described):
        raise InputError(
            "--gain, --mean-correct and --lapse describe a simulated observer; name its model with "
            "--simulate MODEL"
        )
    if kind == _SIMULATED and not args.simulate:
        raise InputError(
            "a simulated booth needs a simulated observer; name its model with --simulate MODEL"
        )
    if args.gain is not None and args.mean_correct is not None:
        raise InputError(
            "--gain and --mean-correct both say how well the simulated observer sees; give one of them"
        )
    if args.lapse is not None and not 0 <= args.lapse <= 1:
        raise InputError(f"--lapse is a rate from 0 to 1; not {args.lapse:g}")


def _course(args: argparse.Namespace, design: "Design", bank: "Bank") -> "Course":
    """Return the trials of the session; what the bank cannot give is a fault of the design's file."""
    from experiments.course.constant import course_of
    from stimuli_store.errors import InputError

    try:
        return course_of(design, bank, args.participant, args.session, args.number)
    except InputError as error:
        raise InputError(f"{args.design}: {error}") from error


def _observer(
    args: argparse.Namespace, design: "Design", bank: "Bank", course: "Course"
) -> "Observer | None":
    if not args.simulate:
        return None
    from analysis.observers.evidence import evidence_of
    from analysis.observers.simulated.calibrating import calibrated_observer
    from analysis.observers.simulated.model_observer import ModelObserver

    evidence = evidence_of(bank, args.simulate)
    lapse = _LAPSE if args.lapse is None else args.lapse
    if args.gain is not None:
        return ModelObserver(
            model=args.simulate,
            evidence=evidence,
            gain=args.gain,
            lapse=lapse,
            task=design.task,
            rule=design.rule,
        )
    return calibrated_observer(
        args.simulate,
        evidence,
        course.trials,
        design.task,
        rule=design.rule,
        mean_p_correct=_MEAN_CORRECT if args.mean_correct is None else args.mean_correct,
        lapse=lapse,
    )


def _booth(args: argparse.Namespace, kind: str, design: "Design", stack: ExitStack) -> "Booth":
    from experiments.simulated import SimulatedBooth

    if kind == _SIMULATED:
        return SimulatedBooth(design.screen.size, design.screen.refresh_hz)
    from experiments.booth.psychopy_booth import open_booth
    from experiments.booth.virtual import virtual_display

    if args.virtual_display:
        virtual_display()
    booth = open_booth(
        design.screen,
        allow_unsynced=args.allow_unsynced or args.virtual_display,
        simulated=args.simulate is not None,
        fullscreen=args.fullscreen,
    )
    stack.callback(booth.close)
    return booth


def _how_it_ended(ended: str | None) -> str:
    words = {
        "completed": "is completed",
        "paused": "is paused; the same command continues it",
        "escape": "was ended with the quit key; the same command continues it",
    }
    if str(ended).startswith("abort: "):
        return f"was ended: {str(ended).removeprefix('abort: ')}; the same command continues it"
    return words.get(str(ended), f"was ended by {ended}; the same command continues it")


def _say(args: argparse.Namespace, session: "Session", plan: "SessionPlan", how: str) -> None:
    done = len({record.trial.index for record in session.records})
    sys.stdout.write(
        f"session {args.session} of {args.participant} {how}: {done} of "
        f"{len(plan.trials)} trials, in {plan.journal}\n"
    )


def _exit_code(ended: str | None) -> int:
    number = getattr(signal, str(ended), None) if str(ended).startswith("SIG") else None
    return 128 + int(number) if number is not None else 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {number}")
    return number
