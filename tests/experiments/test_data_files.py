"""Every kind of labelled text goes through the one option, and says what is missing."""

import json

import pytest

from linrep.core import LinrepError
from linrep.corpora import Corpus
from linrep.experiments import SettingsError
from linrep.experiments.data import kind_of, piece_of, question_of, read_data
from linrep.experiments.data_options import of_data
from linrep.experiments.sample import at_most

UNIVERSAL = (
    "1\tOslo\tOslo\tPROPN\tNNP\tNumber=Sing\t2\tnsubj\t_\t_\n"
    "2\tgrew\tgrow\tVERB\tVBD\tTense=Past\t0\troot\t_\t_\n\n"
)
COLUMNS = "-DOCSTART- -X- O\n\nOslo NNP B-LOC\ngrew VBD O\n"
PAIR = {"sentence_good": "He is.", "sentence_bad": "He are."}
CHATS = [
    {"messages": [{"role": "user", "content": f"hello {i}"}], "kind": "ab"[i % 2], "who": i // 2}
    for i in range(6)
]


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def file(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture(scope="module")
def chatting(tmp_path_factory):
    """A folder with a tokenizer that renders chats, and nothing else."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("chatting")
    words = Tokenizer(models.WordLevel({"<unk>": 0, "hello": 1}, unk_token="<unk>"))
    made = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    made.chat_template = (
        "{% for m in messages %}<{{ m.role }}> {{ m.content }} {% endfor %}"
        "{% if add_generation_prompt %}<me>{% endif %}"
    )
    made.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(
    ("name", "text", "targets", "kind", "piece", "words"),
    [
        ("a.csv", "text,kind\nOslo is,a\nRome is,b\n", ["kind"], "table", "text",
         ["Oslo is", "Rome is"]),
        ("a.jsonl", lines({"text": "Oslo", "kind": "a"}, {"text": "Rome", "kind": "b"}), ["kind"],
         "table", "text", ["Oslo", "Rome"]),
        ("a.conllu", UNIVERSAL, ["upos", "depth"], "universal", "word", ["Oslo", "grew"]),
        ("a.conll", UNIVERSAL, ["upos"], "universal", "word", ["Oslo", "grew"]),
        ("a.conll", COLUMNS, ["tag"], "columns", "word", ["Oslo", "grew"]),
        ("a.txt", COLUMNS, ["ner", "xpos=1"], "columns", "word", ["Oslo", "grew"]),
        ("a.jsonl", lines({"text": "Oslo grew", "spans": [
            {"start": 0, "end": 4, "label": "city"}, {"start": 5, "end": 9, "label": "verb"}]}),
         ["label"], "spans", "span", ["Oslo", "grew"]),
        ("a.jsonl", lines(PAIR), None, "pairs", "text", ["He is.", "He are."]),
    ],
)  # fmt: skip
def test_each_kind_is_known_by_its_name_and_its_first_lines(
    file, name, text, targets, kind, piece, words
):
    settings = of_data(file(name, text), targets)
    assert (kind_of(settings), piece_of(settings)) == (kind, piece)
    corpus = read_data(settings)
    assert corpus.words.tolist() == words
    wanted = [name.partition("=")[0] for name in targets or ["good"]]
    assert list(corpus.targets) == wanted
    assert all(target in question_of(settings) for target in wanted)


def test_the_words_that_differ_are_read_of_pairs_and_their_keys_are_named(file):
    path = file("a.jsonl", lines({"yes": "He is.", "no": "He are."}))
    settings = of_data(path, None, text="yes,no", span="difference")
    assert read_data(settings).words.tolist() == ["is.", "are."]
    assert "each difference" in question_of(settings)


@pytest.mark.parametrize("answer", [False, True])
def test_chats_are_rendered_by_the_template_of_the_model(file, chatting, answer):
    settings = of_data(file("a.jsonl", lines(*CHATS)), ["kind"], group="who", answer=answer)
    corpus = read_data(settings, model=chatting)
    assert corpus.texts[0] == "<user> hello 0 " + "<me>" * answer
    assert corpus.ready
    assert corpus.groups.tolist() == list("001122")
    with pytest.raises(SettingsError, match="give the folder of a model"):
        read_data(settings)
    bad = lines(*CHATS[:2], {"messages": [{"text": "x"}], "kind": "a"})
    with pytest.raises(LinrepError, match=r"bad\.jsonl, line 3 is .*expected a list of messages"):
        read_data(of_data(file("bad.jsonl", bad), ["kind"]), model=chatting)
    bad = lines(CHATS[0], {**CHATS[1], "who": None})
    with pytest.raises(LinrepError, match="line 2: no 'who'"):
        read_data(of_data(file("bad.jsonl", bad), ["kind"], group="who"), model=chatting)


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a.csv", "text,a\nx,1\n", {}, "needs --target NAME.*a column of the table"),
        ("a.conllu", UNIVERSAL, {}, "needs --target NAME.*upos"),
        ("a.conllu", UNIVERSAL, {"group": "g", "targets": ["upos"]}, "--group is of tables"),
        ("a.txt", COLUMNS, {"targets": ["a", "b"]}, "only one target can be the last column"),
        ("a.txt", COLUMNS, {"targets": ["a=x"]}, "a column is a number"),
        ("a.jsonl", lines(PAIR), {"targets": ["bad"]}, "whose target is 'good'"),
        ("a.jsonl", lines(PAIR), {"span": "word"}, "--span difference the words that differ"),
        ("a.odt", "x", {"targets": ["a"]}, r"ends in '\.odt', which tells no kind"),
    ],
)
def test_what_does_not_belong_to_a_kind_is_told(file, name, text, options, message):
    settings = of_data(file(name, text), options.pop("targets", None), **options)
    with pytest.raises(LinrepError, match=message):
        read_data(settings)


def test_several_tables_are_read_one_at_a_time(file, tmp_path):
    for name in ("a.csv", "b.csv"):
        file(name, "text,kind\nOslo is,a\nRome is,b\n")
    with pytest.raises(SettingsError, match="matches 2 tables.*--transfer"):
        read_data(of_data(str(tmp_path / "*.csv"), ["kind"]))


def test_large_groups_give_alike_and_small_ones_stay_whole():
    texts = [f"text {i}" for i in range(200)]
    whole = at_most(Corpus.from_texts(texts, groups=[i // 2 for i in range(200)]), 100, seed=1)
    assert len(whole) == 100
    assert len(set(whole.groups.tolist())) == 50
    spread = at_most(Corpus.from_texts(texts, groups=[i // 50 for i in range(200)]), 40, seed=1)
    assert {name: spread.groups.tolist().count(name) for name in "0123"} == dict.fromkeys(
        "0123", 10
    )
    assert at_most(whole, 100, seed=0) is whole
