"""Readers of labelled text: what a file says is what the corpus holds, and each fault is told."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linrep import (
    CorpusError,
    from_messages,
    read_columns,
    read_conllu,
    read_pairs,
    read_spans,
    read_table,
)

DATA = Path(__file__).parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the data sets are not here")

CSV = (
    "statement,label,city,year\n"
    '"Lodz, a city, is in Poland.",1,Lodz,1423\n'
    "Lodz is in Peru.,0,Lodz,\n"
    "Oslo is in Norway.,1,Oslo,1048.0\n"
    "Oslo is in Chad.,0,Oslo,1048\n"
)


def write(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


# ---------------------------------------------------------------- tables


def check(corpus):
    assert corpus.texts[0] == "Lodz, a city, is in Poland."
    assert corpus.targets["label"].kind == "number"  # four rows tell too little
    assert corpus.targets["year"].values[:, 0].tolist() == pytest.approx(
        [1423, np.nan, 1048, 1048], nan_ok=True
    )
    assert "1 of 4 rows have no value" in corpus.targets["year"].note
    assert corpus.groups.tolist() == ["Lodz", "Lodz", "Oslo", "Oslo"]


def test_tables_of_every_form_say_the_same(tmp_path):
    how = {"text": "statement", "targets": ["label", "year"], "groups": "city"}
    check(read_table(write(tmp_path, "a.csv", CSV), **how))
    check(read_table(write(tmp_path, "bom.csv", b"\xef\xbb\xbf" + CSV.encode()), **how))
    check(read_table(write(tmp_path, "a.csv.gz", gzip.compress(CSV.encode())), **how))
    frame = pd.read_csv(tmp_path / "a.csv")
    check(read_table(frame, **how))
    frame.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    check(read_table(tmp_path / "a.tsv", **how))
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    check(read_table(tmp_path / "a.jsonl", **how))


def test_tables_of_other_libraries(tmp_path):
    datasets = pytest.importorskip("datasets")
    frame = pd.read_csv(write(tmp_path, "a.csv", CSV))
    how = {"text": "statement", "targets": ["label", "year"], "groups": "city"}
    frame.to_parquet(tmp_path / "a.parquet")
    check(read_table(tmp_path / "a.parquet", **how))
    check(read_table(datasets.Dataset.from_pandas(frame), **how))


def test_a_piece_of_the_text_is_found_by_its_characters_or_its_place(tmp_path):
    path = write(
        tmp_path,
        "a.csv",
        "text,entity,start,stop\nThe US but not USSR.,US,4,6\nIn US.,US,3,5\n",
    )
    for span in ("entity", ("start", "stop")):
        corpus = read_table(path, span=span)
        assert corpus.spans.tolist() == [[0, 4, 6], [1, 3, 5]]


def test_what_pandas_takes_for_missing_is_text(tmp_path):
    """Namibia's code is NA."""
    path = write(tmp_path, "a.csv", "text,country\nWindhoek.,NA\nOslo.,NO\nLima.,None\n")
    corpus = read_table(path, targets=["country"])
    assert corpus.targets["country"].values.tolist() == ["NA", "NO", "None"]


@pytest.mark.parametrize(
    ("text", "how", "message"),
    [
        (CSV, {"text": "statment"}, "no column 'statment': it has .* did you mean 'statement'"),
        (CSV, {"targets": ["lable"]}, "did you mean 'label'"),
        (CSV, {"groups": "town"}, "no column 'town'"),
        (CSV, {"span": "country"}, "no column 'country'"),
        (CSV, {"span": "label"}, "row 1: column 'label' holds int 1; expected text"),
        ("", {}, "a.csv is empty"),
        ("statement,label\n", {}, "has no rows"),
        (b"statement\nM\xfcnchen\n", {}, "line 2: byte 0xfc is no UTF-8.*iconv -f LATIN1"),
        ("statement,label\na,1\nb,1,2\n", {}, "line 3: 3 fields; expected 2"),
        ("statement,statement\na,b\n", {}, "two columns have one name"),
        ("statement,label\na,1\n,0\n", {}, "row 2: column 'statement' holds an empty cell"),
        ("statement,label\na,1\nb,1\n", {"targets": ["label"]}, "one value, .* in all 2 rows"),
        ("statement,label\na,\nb,\n", {"targets": ["label"]}, "no row has a value of 'label'"),
        ("statement,label\na,x\nb,1\n", {"targets": ["label"], "kinds": {"label": "number"}},
         "target 'label': kind 'number' asks for numbers"),
        ("statement,part\na b a,a\n", {"span": "part"}, "'a' .* stands 2 times in its text"),
        ("statement,part\nab,c\n", {"span": "part"}, "stands 0 times"),
        ("statement,f,t\nab,1,9\n", {"span": ("f", "t")}, "from 1 to 9 .* of 2 characters"),
        ("statement,f,t\nab,,1\n", {"span": ("f", "t")}, "the span from None to 1"),
        ("statement,g\na,x\nb,\n", {"groups": "g"}, "row 2: column 'g' holds an empty cell"),
    ],
)  # fmt: skip
def test_faults_of_tables_are_told(tmp_path, text, how, message):
    path = write(tmp_path, "a.csv", text)
    with pytest.raises(CorpusError, match=message):
        read_table(path, **{"text": "statement", **how})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", '{"text": "a"}\n{"text": \n', "line 2: not JSON"),
        ("a.jsonl", "[1]\n", "line 1: expected an object"),
        ("a.xlsx", "x", "ends in '.xlsx'; expected .*.csv"),
        ("a.parquet", "x", "no Parquet file, or damaged|pyarrow"),
        ("a.csv.gz", "x", "cannot read|damaged"),
    ],
)
def test_faults_of_files_are_told(tmp_path, name, text, message):
    with pytest.raises(CorpusError, match=message):
        read_table(write(tmp_path, name, text))


@pytest.mark.parametrize("table", ["no/such.csv", ".", 3, {"text": ["a"]}])
def test_what_is_no_table_is_told(table):
    with pytest.raises(CorpusError, match="table"):
        read_table(table)


# ---------------------------------------------------------------- CoNLL-U

TREES = """\
# newdoc id = one
# text = I don't wanna go.
1\tI\tI\tPRON\tPRP\tNumber=Sing\t4\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tVBP\tTense=Pres\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
4-5\twanna\t_\t_\t_\t_\t_\t_\t_\t_
4\twant\twant\tVERB\tVB\t_\t0\troot\t_\t_
5\tto\tto\tPART\tTO\t_\t6\tmark\t_\t_
5.1\tme\tI\tPRON\t_\t_\t_\t_\t4:x\t_
6\tgo\tgo\tVERB\tVB\t_\t4\txcomp\t_\tSpaceAfter=No
7\t.\t.\tPUNCT\t.\t_\t4\tpunct\t_\t_

# newdoc id = two
1\tSo\tso\tADV\tRB\t_\t0\troot\t_\tSpaceAfter=No
2\t!\t!\tPUNCT\t.\t_\t1\tpunct\t_\t_
"""


def test_conllu_words_are_spans_of_the_text(tmp_path):
    names = ["upos", "deprel", "depth", "head_distance", "Tense"]
    with pytest.raises(CorpusError, match="'Tense' has one value, 'Pres', in all 1 rows"):
        read_conllu(write(tmp_path, "a.conllu", TREES), names)
    corpus = read_conllu(tmp_path / "a.conllu", names[:4])
    assert corpus.texts == ("I don't wanna go.", "So!")
    expected = ["I", "do", "n't", "wanna", "wanna", "go", ".", "So", "!"]
    assert corpus.words.tolist() == expected
    assert (
        corpus.groups.tolist()
        == [f"{tmp_path / 'a.conllu'}: one"] * 7 + [f"{tmp_path / 'a.conllu'}: two"] * 2
    )
    assert corpus.targets["upos"].values.tolist()[3:6] == ["VERB", "PART", "VERB"]
    assert corpus.targets["depth"].values[:, 0].tolist() == [1, 1, 1, 0, 2, 1, 1, 0, 1]
    assert corpus.targets["head_distance"].values[:4, 0].tolist()[:3] == [3, 2, 1]
    assert np.isnan(corpus.targets["head_distance"].values[3, 0])  # the root has no head
    assert "1 empty nodes left out, 2 words with the span of a whole" in corpus.source


def test_a_text_that_is_not_told_is_made_of_the_words(tmp_path):
    told = TREES.replace("# text = I don't wanna go.\n", "")
    assert read_conllu(write(tmp_path, "a.conllu", told)).texts == ("I don't wanna go.", "So!")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\t0\troot\t_\t_\n5\t", "\t9\troot\t_\t_\n5\t", "line 1: from word 1 .'I'., whose head"),
        ("\t0\troot\t_\t_\n5\t", "\t6\troot\t_\t_\n5\t", "no way leads to the root"),
        (
            "6\tgo\tgo\tVERB\tVB\t_\t4\t",
            "6\tgo\tgo\tVERB\tVB\t_\tfour\t",
            "lines 1 to 12: no CoNLL-U",
        ),
        ("7\t.\t", "8\t.\t", "words are numbered 1, 2, 3"),
    ],
)
def test_faults_of_trees_are_told(tmp_path, old, new, message):
    assert old in TREES
    path = write(tmp_path, "a.conllu", TREES.replace(old, new))
    with pytest.raises(CorpusError, match=message):
        read_conllu(path)


def test_a_target_that_no_word_has_is_told(tmp_path):
    with pytest.raises(CorpusError, match="no target 'Tens': .*'Number', 'Tense'; did you mean"):
        read_conllu(write(tmp_path, "a.conllu", TREES), ["Tens"])
    with pytest.raises(CorpusError, match="no file matches"):
        read_conllu(tmp_path / "*.conll")
    with pytest.raises(CorpusError, match="is a folder"):
        read_conllu(tmp_path)


@needs_data
def test_the_english_web_treebank_is_read_whole():
    names = ("upos", "deprel", "depth", "head_distance", "Number", "Tense")
    corpus = read_conllu(DATA / "ud/en_ewt-ud-test.conllu", names)
    assert (len(corpus), corpus.n_tokens) == (2077, 25094)
    assert set(corpus.targets) == set(names)
    assert "made from" not in corpus.source
    assert len(set(corpus.targets["upos"].values.tolist())) == 17


# ---------------------------------------------------------------- spans, columns, pairs, chats


def test_spans_are_read(tmp_path):
    path = write(
        tmp_path,
        "a.jsonl",
        lines(
            {"text": "Lodz is big.", "group": "a", "spans": [
                {"start": 8, "end": 11, "label": "size"}, {"start": 0, "end": 4, "label": "city"},
            ]},
            {"text": "No.", "group": "b", "spans": []},
            {"text": "Oslo", "group": "b", "spans": [{"start": 0, "end": 4, "label": "city"}]},
        ),
    )  # fmt: skip
    corpus = read_spans(path)
    assert corpus.words.tolist() == ["Lodz", "big", "Oslo"]
    assert corpus.targets["label"].values.tolist() == ["city", "size", "city"]
    assert corpus.groups.tolist() == ["a", "a", "b"]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": "a"}, "line 1: expected .*spans"),
        ({"text": "a", "spans": [{"start": 0, "end": 2, "label": "x"}]}, "of 1 characters"),
        ({"text": "a", "spans": [{"start": 0, "label": "x"}]}, 'a span is {"start": 0'),
        ({"text": "a", "spans": []}, "no text has a span"),
    ],
)
def test_faults_of_spans_are_told(tmp_path, record, message):
    with pytest.raises(CorpusError, match=message):
        read_spans(write(tmp_path, "a.jsonl", lines(record)))


def test_columns_are_read(tmp_path):
    text = (
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n"
        "-DOCSTART- -X- -X- O\n\nPeter NNP B-NP B-PER\n"
    )
    corpus = read_columns(write(tmp_path, "a.txt", text), columns={"ner": -1, "pos": 1})
    assert corpus.texts == ("EU rejects", "Peter")
    assert corpus.targets["ner"].values.tolist() == ["B-ORG", "O", "B-PER"]
    assert corpus.targets["pos"].values.tolist() == ["NNP", "VBZ", "NNP"]
    assert len(set(corpus.groups)) == 2
    with pytest.raises(CorpusError, match="line 3: 4 columns .* column 7"):
        read_columns(tmp_path / "a.txt", columns={"ner": 7})


def test_pairs_are_read(tmp_path):
    pair = {"sentence_good": "The cats see it.", "sentence_bad": "The cats sees it."}
    path = write(tmp_path, "a.jsonl", lines(pair, pair))
    corpus = read_pairs(path)
    assert corpus.words.tolist() == [*pair.values()] * 2
    assert corpus.targets["good"].values.tolist() == ["True", "False"] * 2
    assert corpus.groups.tolist() == ["pair 0"] * 2 + ["pair 1"] * 2
    assert read_pairs(path, read="difference").words.tolist() == ["see", "sees"] * 2
    with pytest.raises(CorpusError, match="no text under 'good'; it has 'sentence_good'"):
        read_pairs(path, good="good")
    with pytest.raises(CorpusError, match="expected two that differ"):
        read_pairs(path, bad="sentence_good")


@pytest.fixture(scope="module")
def chat_tokenizer():
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    words = ["<unk>", "<s>", "<|user|>", "<|end|>", "hello", "you", "?"]
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.add_special_tokens(["<s>", "<|user|>", "<|end|>"])
    backend.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    made = tf.PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", bos_token="<s>")
    made.chat_template = (
        "{{ bos_token }}{% for m in messages %}{% if m['role'] != 'user' %}"
        "{{ raise_exception('only users speak') }}{% endif %}<|user|>{{ m['content'] }}<|end|>"
        "{% endfor %}{% if add_generation_prompt %}<|user|>{% endif %}"
    )
    return made


def test_chats_are_rendered_and_captured_as_the_model_is_given_them(chat_tokenizer):
    import torch
    import transformers as tf

    from linrep import capture

    chats = [[{"role": "user", "content": text}] for text in ("hello", "hello you ?")]
    corpus = from_messages(chats, chat_tokenizer, targets={"length": [1.0, 3.0]})
    assert corpus.texts[0] == "<s><|user|>hello<|end|>"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = tf.GPT2Config(n_embd=8, n_layer=2, n_head=2, vocab_size=7, n_positions=16)
        model = tf.GPT2LMHeadModel(config).eval()
    acts = capture(model, corpus, tokenizer=chat_tokenizer, progress=False)
    for row, chat in enumerate(chats):
        given = chat_tokenizer.apply_chat_template(chat, return_tensors="pt", return_dict=True)
        assert given["input_ids"][0].tolist().count(1) == 1
        with torch.inference_mode():
            hidden = model(given["input_ids"], output_hidden_states=True).hidden_states[1][0, -1]
        np.testing.assert_allclose(acts["blocks.0.hook_resid_post"][row], hidden, atol=1e-5)
    assert from_messages(chats, chat_tokenizer, answer=True).texts[0].endswith("<|end|><|user|>")


def test_faults_of_chats_are_told(chat_tokenizer):
    with pytest.raises(
        CorpusError, match="fails on chat 0, with roles .'system'.*only users speak"
    ):
        from_messages([[{"role": "system", "content": "x"}]], chat_tokenizer)
    with pytest.raises(CorpusError, match="chat 0 is dict .*a list of chats is expected"):
        from_messages([{"role": "user", "content": "x"}], chat_tokenizer)
    with pytest.raises(CorpusError, match="the tokenizer of the model"):
        from_messages([], None)
    plain = type(chat_tokenizer)(tokenizer_object=chat_tokenizer.backend_tokenizer)
    with pytest.raises(CorpusError, match="has no chat template"):
        from_messages([[{"role": "user", "content": "x"}]], plain)
