r"""How often the instrument says something false, and how often it finds what is there.

    python benchmarks/calibration.py                       # 200 runs of everything, two processes
    python benchmarks/calibration.py --runs 20 --only untrained --workers 4
    python benchmarks/calibration.py --trees FOLDER        # also documents in Penn brackets
    python benchmarks/calibration.py --saved benchmarks/answers/calibration.jsonl \
        --page docs/calibration.md

Each run is a page (``calibration_pages.py``): a grid with all its controls, five untrained models
and 200 exchanges of labels, and the verdicts on it. Counted are pages with any cell above the rung
that is true, planted states that are found, and intervals that hold what they should.
Answers are kept in the file that ``--saved`` names, as they come: a second call goes on where the
first was cut off, and one that has nothing left to do prints the tables. ``--page`` puts them into
a text, each after the line ``<!-- QUESTIONS -->`` that names its questions.
Bars: false pages at most 5 % (95 % interval up to 8 %), coverage 93 to 97 %.
"""

import argparse
import json
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from calibration_pages import BATCH, Question, questions

RATES = "| what | runs | share | 95 % interval |\n|---|---|---|---|"
INTERVALS = "| what | intervals | share | misses |\n|---|---|---|---|"
Answers = dict[str, dict[int, list[int]]]


def line(name: str, rung: int | None, answers: list[int]) -> str:
    from scipy.stats import beta

    n = len(answers)
    if rung is None:
        above, below = (answers.count(side) / n for side in (1, 2))
        return f"| {name} | {n} | {1 - above - below:.3f} | {above:.3f} above, {below:.3f} below |"
    hits = sum(answer > rung for answer in answers)
    low = beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0
    return f"| {name} | {n} | {hits / n:.3f} | {low:.3f} to {high:.3f} |"


def table(chosen: Sequence[Question], kept: Answers) -> str:
    """Rows of the questions that have answers."""
    told = [each for each in chosen if kept.get(each[0])]
    rows = [line(name, rung, sum(kept[name].values(), [])) for name, _, _, rung in told]
    head = INTERVALS if told and told[0][3] is None else RATES
    return "\n".join([head, *rows])


def job(task: tuple[Callable[..., list[int]], tuple, int]) -> list[int]:
    function, arguments, batch = task
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    return function(batch, *arguments)


def read(saved: Path | None) -> Answers:
    """Answers of earlier calls, by question and batch; a line that was cut off is none.

    A batch ``[first, last]`` stands for all from one to the other: their answers in one list.
    """
    kept: Answers = {}
    for text in saved.read_text().splitlines() if saved and saved.exists() else ():
        try:
            name, batch, answers = json.loads(text)
        except ValueError:
            continue
        first, last = batch if isinstance(batch, list) else (batch, batch)
        kept.setdefault(name, {}).update(dict.fromkeys(range(first, last + 1), []))
        kept[name][first] = answers
    return kept


def ask(chosen: Sequence[Question], batches: range, workers: int, saved: Path | None) -> Answers:
    """Answers to all questions, those that are missing made: first a batch of each, and so on."""
    kept = read(saved)
    missing = [
        (each, batch) for batch in batches for each in chosen
        if batch not in kept.get(each[0], {})
    ]  # fmt: skip
    if not missing or not workers:
        return kept
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {
            pool.submit(job, (function, arguments, batch)): (name, batch)
            for (name, function, arguments, _), batch in missing
        }
        try:
            for future in as_completed(running):
                name, batch = running[future]
                kept.setdefault(name, {})[batch] = future.result()
                if saved:
                    with saved.open("a") as file:
                        file.write(json.dumps([name, batch, future.result()]) + "\n")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return kept


def put(page: Path, chosen: Sequence[Question], kept: Answers) -> None:
    """Replace the tables of a text by those of these answers."""
    text = page.read_text(encoding="utf-8")

    def filled(found: re.Match[str]) -> str:
        own = [each for each in chosen if each[0].startswith(found[1]) and kept.get(each[0])]
        if not own:
            return found[0]
        return f"<!-- {found[1]} -->\n{table(own, kept)}\n"

    text = re.sub(r"<!-- (.+?) -->\n(?:\|.*\n)*", filled, text)
    page.write_text(text, encoding="utf-8")


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument("--runs", type=int, default=200, help="pages of each kind")
    options.add_argument("--workers", type=int, default=2, help="0: only what is saved")
    options.add_argument("--only", nargs="+", default=[""], help="parts of questions' names")
    options.add_argument("--trees", default="", help="a folder with documents, *.ptb below it")
    options.add_argument("--saved", type=Path, help="a file of answers, read and added to")
    options.add_argument("--page", type=Path, help="a text whose tables are to be replaced")
    asked: Any = options.parse_args()
    if not asked.trees:
        print("no --trees: untrained models are not asked about documents", file=sys.stderr)
    chosen = [
        each for each in questions(asked.trees) if any(part in each[0] for part in asked.only)
    ]
    kept = ask(chosen, range(max(asked.runs // BATCH, 1)), asked.workers, asked.saved)
    if asked.page:
        put(asked.page, chosen, kept)
    else:
        kinds = dict.fromkeys(name.split(",")[0].split(" ")[0] for name, *_ in chosen)
        for kind in kinds:
            print(table([each for each in chosen if each[0].startswith(kind)], kept) + "\n")


if __name__ == "__main__":
    main()
