"""The table fits a terminal, tells the best, and lets no name do harm."""

import io
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from replearn.report import print_table, table_rows, to_markdown

Make = Callable[..., Any]


def printed(scores: pd.DataFrame, *, styled: bool = False) -> str:
    file = io.StringIO()
    print_table(scores, console=Console(file=file, width=80, force_terminal=styled))
    return file.getvalue()


def test_columns_and_numbers(make_scores: Make) -> None:
    table = table_rows(make_scores({"raw input": 0.731, "simclr": 0.95}, sizes=(80, 800, 8000), half=0.004))
    assert [c.title for c in table.columns] == ["1 % (80)", "10 % (800)", "100 % (8000)", "kNN", "rank"]
    assert table.names == ["raw input", "simclr"]
    assert [cell.text for cell in table.cells[0]] == [
        "73.1 ± 0.4",
        "75.1 ± 0.4",
        "77.1 ± 0.4",
        "78.1 ± 1.0",
        "12.3",
    ]
    assert [cell.best for cell in table.cells[1]] == [True, True, True, True, False]
    assert not any(cell.best for cell in table.cells[0])


def test_equal_shown_numbers_are_both_best(make_scores: Make) -> None:
    table = table_rows(make_scores({"a": 0.90001, "b": 0.90002}, sizes=(10,)))
    assert [line[0].best for line in table.cells] == [True, True]


def test_seeds_are_averaged(make_scores: Make) -> None:
    scores = pd.concat([make_scores({"a": 0.8}), make_scores({"a": 0.9}).assign(seed=1)])
    assert table_rows(scores).cells[0][0].number == "85.0"


def test_settings_of_as_many_labels_have_columns_of_their_own(make_scores: Make) -> None:
    scores = make_scores({"a": 0.8}, sizes=(40, 400)).assign(setting="", tested=500)
    scores.loc[scores.labels == 40, "setting"] = "10 %"
    other = scores[scores.labels == 40].assign(setting="5 per class", mean=0.7)
    for both, title in (
        (pd.concat([scores, other]), "5 per class (40)"),
        (pd.concat([scores, other]).drop(columns=["setting", "tested"]), "10 % again (40)"),
    ):
        table = table_rows(both)
        assert [c.title for c in table.columns][:3] == ["10 % (40)", title, "100 % (400)"]
        assert [cell.number for cell in table.cells[0]][:2] == ["80.0", "70.0"]


def test_the_table_says_what_its_intervals_cover(make_scores: Make) -> None:
    scores = make_scores({"a": 0.8})
    assert "of an older version" in " ".join(printed(scores).split())
    known = scores.assign(tested=scores["measure"].isin(["linear probe", "kNN"]) * 500)
    assert "over 500 test samples and 5 draws of labels. One training each" in " ".join(
        printed(known).split()
    )
    seeds = pd.concat([known.assign(seed=seed) for seed in range(3)])
    assert "over 500 test samples, 5 draws of labels and 3 trainings." in " ".join(printed(seeds).split())
    assert table_rows(make_scores({"a": 0.8}, sizes=())).note == ""


def test_a_measure_that_a_row_lacks_is_a_dash(make_scores: Make) -> None:
    scores = make_scores({"a": 0.8, "b": 0.7})
    scores = scores[~((scores.representation == "b") & (scores.measure == "kNN"))]
    assert table_rows(scores).cells[1][3].text == "–"


def test_without_labels_only_measures_without_labels(make_scores: Make) -> None:
    table = table_rows(make_scores({"a": 0.5}, sizes=()))
    assert [c.title for c in table.columns] == ["rank"]
    assert not table.cells[0][0].best


def test_scores_without_the_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="representation"):
        table_rows(pd.DataFrame({"mean": [1.0]}))


def test_print_fits_80_columns_whole(make_scores: Make) -> None:
    text = printed(
        make_scores({"raw input": 0.7, "untrained encoder": 0.5, "simclr": 0.95}, sizes=(80, 800, 8000))
    )
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert all(word in text for word in ["untrained encoder", "100 % (8000)", "kNN", "rank", "95.0 ± 1.0"])


def test_many_sizes_and_long_names_fit_80_columns(make_scores: Make) -> None:
    scores = make_scores({"x" * 200: 0.1}, sizes=(10, 50, 100, 500, 1000, 100_000))
    text = printed(scores)
    assert max(map(len, text.splitlines())) <= 80
    assert "0.01 % (10)" in text
    assert "100 % (100000)" in text


def test_columns_without_room_are_named(make_scores: Make) -> None:
    assert "more column" not in printed(make_scores({"a": 0.5}, sizes=(10, 100, 1000)))
    told = " ".join(printed(make_scores({"a": 0.5}, sizes=(10, 20, 50, 100, 1000))).split())
    assert "2 more columns, 2 % (20), 10 % (100), are in the report and in evaluation.json." in told
    told = " ".join(printed(make_scores({"a": 0.5}, sizes=(10, 20, 100, 1000))).split())
    assert "1 more column, 2 % (20), is in the report" in told


def test_best_is_bold_on_a_terminal(make_scores: Make) -> None:
    assert "\x1b[1m60.0 ± 1.0" in printed(make_scores({"a": 0.5, "b": 0.6}), styled=True)


def test_names_are_neither_markup_nor_control(make_scores: Make) -> None:
    text = printed(make_scores({"[red]a[/red]\x1b[2J": 0.5}))
    assert "[red]a[/red]" in text
    assert "\x1b" not in text


def test_markdown(make_scores: Make) -> None:
    lines = to_markdown(make_scores({"raw": 0.5, "a|b\n<i>": 0.6}, sizes=(5, 50))).splitlines()
    assert lines[0] == "| representation | 10 % (5) | 100 % (50) | kNN | rank |"
    assert lines[2].startswith("| raw | 50.0 ± 1.0 |")
    assert lines[3].startswith(r"| a\|b� &lt;i>".replace("� ", "�") + " | **60.0** ± 1.0 |")
    assert len(lines) == 4


def test_several_seeds_fit_a_terminal_of_80_columns(make_scores: Make) -> None:
    names = {"untrained encoder": 0.8, "SimCLR temperature=0.1 and more": 0.9}
    seeds = [make_scores(names).assign(seed=seed) for seed in range(3)]
    for seed, scores in enumerate(seeds):
        scores["mean"] += 0.011 * seed
    console = Console(width=80)
    with console.capture() as capture:
        print_table(pd.concat(seeds), console=console)
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert all("…" not in line[20:] for line in lines)
