"""`replearn evaluate RUN DATA`: what a representation is good for, beside raw input and untrained encoder."""

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import tyro

from replearn.cli.commands import kept_command
from replearn.cli.options import Flag, parse
from replearn.cli.samples import DataOptions, parts_and_whole, tell_seen, was_fitted_on

log = logging.getLogger("replearn")


@dataclass(kw_only=True)
class JudgeOptions(DataOptions):
    """By which labels to judge.

    Attributes:
        test: test part, if not the fixed one of built-in data or a fifth of DATA, drawn at random.
        fractions: shares of the training labels that probes are given.
        per_class: numbers of training labels per class that probes are given.
        draws: how often each is drawn.
    """

    test: Annotated[str | None, tyro.conf.arg(metavar="DATA")] = None
    fractions: Annotated[tuple[float, ...], tyro.conf.arg(metavar="SHARE...")] = (0.01, 0.1, 1.0)
    per_class: Annotated[tuple[int, ...], tyro.conf.arg(metavar="INT...")] = ()
    draws: int = 5


@dataclass(kw_only=True)
class EvaluateOptions(JudgeOptions):
    """Judge the representation in RUN beside raw input and untrained encoder, by probes on DATA.

    Prints the table and writes RUN/evaluation.json; `replearn report RUN` makes a page of it.

    Attributes:
        run: folder that `fit` or `demo` wrote, or a method's in one of `compare`: runs/compare/SimCLR.
        data: built-in name or path.
        seed: of the draws of labels.
        latent: judge the code itself, too: interpolation, clusters, sparseness, layers, factors.
        episodes: judge by tasks of a few samples of a few classes, too: nearest centroid, 5- and 20-way, 1- and 5-shot.
        again: compute representations anew, also those that RUN keeps.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    seed: int = 0
    latent: Flag = False
    episodes: Flag = False
    again: Flag = False


def run(args: list[str]) -> None:
    """The command."""
    options = parse(EvaluateOptions, args, command="evaluate")
    from replearn.cli.runs import held

    with held(options.run):
        _evaluate(options, args)


def _write(folder: Path, *found: Any) -> Path:
    """Write the evaluation; what was there goes, with a line."""
    from replearn.cli.evaluations import write_evaluation
    from replearn.engine.run import EVALUATION

    if (folder / EVALUATION).exists():
        log.info("%s is replaced, with the scores that it held", folder / EVALUATION)
    return write_evaluation(folder, *found)


def _evaluate(options: EvaluateOptions, args: list[str]) -> None:
    """Represent, judge, write, print."""
    from replearn.cli.commands import next_command
    from replearn.cli.episodes import check_episodes, episode_facts, print_episodes
    from replearn.cli.evaluations import Judged, print_scores, untrained_rows
    from replearn.cli.language import language_facts, print_language
    from replearn.cli.pairing import pairing_facts, print_pairing
    from replearn.cli.runs import described, shown
    from replearn.comparison import Representation, hand_made, judge, raw_input, represent, training_of
    from replearn.methods.columns import bare, columns_beside
    from replearn.methods.reuse import Reuse
    from replearn.report import print_latents

    folder = Path(options.run)
    method = _with_representation(options.run)
    run = described(options.run)
    train, test, whole = parts_and_whole(options.data, options, test=options.test, like=run)
    seen = tell_seen(run, test, whole)
    if options.episodes:
        check_episodes(train, test)
    columns = columns_beside(method, train)
    name, (history, alarms) = type(bare(method)).__name__, training_of(method)
    seconds = history[-1]["seconds"] if history else 0.0
    # The run comes first: samples that it can't represent are told before anything is computed.
    reuse = Reuse(again=options.again)
    transform = partial(reuse.transform, run=folder)
    made = represent(method, train, test, transform=transform)
    rows = [Representation(name, *made, method, seconds, history, alarms)]
    words = hand_made(train, test, random_state=options.seed, beside=[method])
    rows[:0] = [] if words is None else [words]
    rows[:0] = untrained_rows({name: method}, train, test, transform=transform)
    reuse.tell()
    rows.insert(0, raw_input(train, test, columns))
    comparison = judge(
        ((options.seed, row) for row in rows),
        train,
        test,
        fractions=options.fractions,
        per_class=options.per_class,
        draws=options.draws,
        columns=columns,
    )
    if options.latent:
        from replearn.comparison import with_latents

        comparison = with_latents(comparison, random_state=options.seed)
    if options.episodes:
        held = was_fitted_on(run, train)
        comparison.facts["episodes"] = episode_facts(comparison, method, held=held, random_state=options.seed)
    language = language_facts(method, train, test, random_state=options.seed)
    pairing = pairing_facts(method, test)
    comparison.facts.update(
        {k: found for k, found in (("language", language), ("pairing", pairing)) if found}
    )
    comparison.facts.update(command=kept_command("evaluate", args), seen=seen)
    judged = Judged(options.data, options.test, options)
    written = _write(folder, comparison, judged, {name: "."})
    print_scores(comparison)
    print_latents(comparison.scores)
    print_episodes(comparison.facts.get("episodes", {}))
    print_language(language)
    print_pairing(pairing)
    print(f"written: {shown(written)}; next:\n  {next_command('report', shown(folder))}")


def _with_representation(run: str) -> Any:
    """What a run holds, if it is something to judge by probes."""
    from replearn.cli.runs import load_run

    method = load_run(run)
    if why := getattr(method, "why_not_judged", ""):
        raise ValueError(
            f"RUN must hold a representation to judge by probes; {run} holds a {type(method).__name__}, {why}. "
            "Judge the run of its encoder, or fine-tune it: `replearn finetune`."
        )
    return method
