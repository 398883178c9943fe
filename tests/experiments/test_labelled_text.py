"""Labelled text from the command line to the page."""

import json

import pytest

from linrep.cli import main
from linrep.experiments import read_settings
from linrep.reports import read_run


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Statements whose label one word gives away; two of each city."""
    file = tmp_path_factory.mktemp("data") / "statements.csv"
    rows = ["statement,label,city,size"]
    for i in range(60):
        for label in (1, 0):
            said = "is" if label else "is not"
            rows.append(f"City {i} {said} large.,{label},city {i},{i % 7 + 0.5}")
    file.write_text("\n".join(rows) + "\n")
    return file


@pytest.fixture
def linrep(capsys):
    def call(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return call


def test_a_table_becomes_a_page_that_speaks_of_its_targets(linrep, model, table, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("statement,label,size\n" + "".join(
        f"Town {i} {'is' if i % 2 else 'is not'} large.,{i % 2},{i % 7 + 0.5}\n" for i in range(60)
    ))  # fmt: skip
    status, out, error = linrep(
        "probe", "--model", model, "--data", table, "--text", "statement", "--target", "label",
        "--target", "size", "--group", "city", "--permutations", 20, "--transfer", other,
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert status == 0, error
    study = json.loads((tmp_path / "run" / "report.json").read_text())["studies"][0]
    assert study["facts"]["texts"] == 120
    assert study["facts"]["groups"] == 60
    assert study["facts"]["target label"] == "2 classes, of 120 rows (0: 60, 1: 60)"
    assert study["facts"]["target size"] == "a number, of 120 rows"
    targets = {row["target"] for row in study["scores"]["rows"]}
    assert targets == {"label", "size"}
    page = (tmp_path / "run" / "report.html").read_text()
    assert "label" in out
    for word in ("ancestor", "height 1", "nonterminal above it"):
        assert word not in page.split("<script")[0], word
    assert study["found"][0].startswith("It is not shown that the model holds label of each")
    assert study["found"][0] in page
    # What was learned from one table is scored on the other, and the other way round.
    moved = study["transfers"][0]
    assert moved["names"] == ["statements", "other"]
    assert {(row["train"], row["test"]) for row in moved["rows"]} == {
        (a, b) for a in moved["names"] for b in moved["names"]
    }
    assert all(row["twin"] is not None for row in moved["rows"])
    markdown = (tmp_path / "run/report.md").read_text()
    assert "| statements | other |" in markdown
    assert "other has no column 'city'" in markdown
    assert "label, learned from one data set" in page
    kept = read_run(tmp_path / "run").studies[0].transfers[0]
    assert "not decodable in any of the 2 sets" in kept.verdict("blocks.0.hook_resid_post")
    # The run's own settings make it again.
    again = read_settings(tmp_path / "run" / "settings.yaml")
    assert again.studies[0].language.group == "city"


def test_universal_trees_are_probed_at_their_words(linrep, model, tmp_path):
    words = ["the", "dog", "sees", "cats"]
    tags = ["DET", "NOUN", "VERB", "NOUN"]
    heads = [2, 3, 0, 3]
    sentences = []
    for i in range(40):
        lines = [f"# newdoc id = {i}"]
        for j, (word, tag, head) in enumerate(zip(words, tags, heads, strict=True), start=1):
            lines.append(f"{j}\t{word}{i}\t_\t{tag}\t_\t_\t{head}\tx\t_\t_")
        sentences.append("\n".join(lines))
    (tmp_path / "a.conllu").write_text("\n\n".join(sentences) + "\n\n")
    status, _, error = linrep(
        "probe", "--model", model, "--data", tmp_path / "*.conllu", "--target", "upos",
        "--target", "depth", "--permutations", 0, "--out", tmp_path / "run",
    )  # fmt: skip
    assert status == 0, error
    study = json.loads((tmp_path / "run" / "report.json").read_text())["studies"][0]
    assert {row["target"] for row in study["scores"]["rows"]} == {"upos", "depth"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--text", "statement"], "--data needs --target"),
        (["--target", "lable", "--text", "statement"], "did you mean 'label'"),
        (["--target", "label"], "no column 'text': it has 'statement', 'label'"),
        (["--target", "label", "--text", "statement", "--group", "town"], "no column 'town'"),
        (["--target", "label", "--trees", "x"], "one of them"),
        (["--target", "label", "--at", "middle"], "at: Input should be 'last', 'first' or 'mean'"),
        (["--target", "label", "--heights", "1"], "heights are those of trees"),
        (["--target", "label", "--positions", "boundary"], "boundaries are those of trees"),
    ],
)
def test_mistakes_are_told_in_one_message(linrep, model, table, tmp_path, options, message):
    status, _, error = linrep(
        "probe", "--model", model, "--data", table, *options, "--out", tmp_path / "run"
    )
    assert status == 2
    assert message in " ".join(error.split())
    assert not (tmp_path / "run").exists()


def test_targets_without_data_are_a_mistake(linrep, tmp_path):
    status, _, error = linrep("probe", "--model", "m", "--trees", "x", "--target", "label",
                              "--out", tmp_path / "run")  # fmt: skip
    assert status == 2
    assert "give --data FILE" in error
