"""Words over tokens: against the obvious alignment, character by character."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from tokenizers import Regex

from linrep.hooks import AlignmentError, CaptureError, capture
from linrep.hooks.inputs.alignment import Encoding, Line, encode_vocabulary, encode_words
from linrep.hooks.inputs.windows import fit

KINDS = ["byte", "byte_prefix", "wordpiece", "sentencepiece"]
# Letters of several scripts, marks, an emoji, a ligature NFKC splits, a control BERT deletes.
WORD = st.text("aeinst.,'éß日本🙂ﬁ\u0301\u200d\x07", max_size=6)


def slow(tokenizer, words, specials=True):
    """Tokens of each word, by looking at every character."""
    out = tokenizer(
        " ".join(words),
        add_special_tokens=specials,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    tokens = [
        (t, a, b)
        for t, (a, b) in enumerate(out["offset_mapping"])
        if not out["special_tokens_mask"][t] and b > a
    ]
    marks = [  # put in by the tokenizer; the next token has the same character
        t
        for (t, a, _), (_, c, _) in pairwise(tokens)
        if a == c and tokenizer.convert_ids_to_tokens(out["input_ids"][t]) in ("▁", "Ġ")
    ]
    found, begin = [], 0
    for word in words:
        place = set(range(begin, begin + len(word)))
        found.append([t for t, a, b in tokens if t not in marks and set(range(a, b)) & place])
        begin += len(word) + 1
    return out["input_ids"], found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(corpus=st.lists(st.lists(WORD, max_size=6), min_size=1, max_size=3))
def test_alignment_equals_the_slow_way(kind, tokenizer, corpus):
    tok = tokenizer(kind, ("[CLS]", "[SEP]"))
    if any(corpus) and not any(any(slow(tok, words)[1]) for words in corpus):
        with pytest.raises(AlignmentError, match="no token of any"):
            encode_words(corpus, tok)
        return
    encoding = encode_words(corpus, tok)
    row = 0
    vanished = set(encoding.vanished.tolist())
    for words, line in zip(corpus, encoding.lines, strict=True):
        ids, tokens = slow(tok, words)
        assert line.ids.tolist() == ids
        spans = {
            int(r): list(range(a, b))
            for r, a, b in zip(line.rows, line.start, line.stop, strict=True)
        }
        for one in tokens:
            assert spans.get(row, []) == one
            assert (row in vanished) == (not one)
            row += 1
    assert encoding.n_words == row


def test_vanished_words_are_counted_and_kept_as_zeros(build, tokenizer):
    corpus = [["the", "\x07", "cat"], ["\x07"]]
    acts = capture(build("bert"), corpus, tokenizer=tokenizer("wordpiece", ("[CLS]", "[SEP]")))
    assert acts.manifest["words"]["vanished"] == [1, 3]
    assert acts.kept.tolist() == [True, False, True, False]
    assert not np.asarray(acts[acts.sites[1]])[[1, 3]].any()
    assert np.asarray(acts[acts.sites[1]])[[0, 2]].any()


def test_a_corpus_of_which_nothing_is_left_is_refused(build, tokenizer):
    tok = tokenizer("wordpiece", ("[CLS]", "[SEP]"))
    for corpus in ([["\u200b"], ["\u200d"]], [[""]], [["\x07", ""], []]):
        with pytest.raises(CaptureError, match="no token of any of the .* words"):
            capture(build("bert"), corpus, tokenizer=tok)
    long = [["naïve" * 12], ["catsatmat"]]
    with pytest.raises(CaptureError, match="no word is left"):
        fit(encode_words(long, tok), 4, "cut")
    left = fit(encode_words([*long, ["cat"]], tok), 4, "cut")
    assert [line.rows.tolist() for line in left.lines] == [[], [], [2]]
    assert left.cut.tolist() == [0, 1]


def metaspace(vocabulary, scheme):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.Unigram([("<unk>", 0.0), *((v, -1.0) for v in vocabulary)], 0))
    if scheme == "normalizer":  # as Llama has it
        backend.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    return PreTrainedTokenizerFast(tokenizer_object=backend)


@pytest.mark.parametrize("scheme", ["always", "first", "never", "normalizer"])
def test_the_mark_of_a_space_belongs_to_no_word(scheme):
    tok = metaspace(["▁", "x", "I", "xI"], scheme)
    line = encode_words([["x", "I", "xI", "x"]], tok).lines[0]
    for place in (line.start, line.stop - 1):  # of one token each, wherever they stand
        assert tok.convert_ids_to_tokens(line.ids[place].tolist()) == ["x", "I", "xI", "x"]
    whole = encode_words([["x", "I", "x"]], metaspace(["▁x", "▁I", "x"], scheme)).lines[0]
    assert (whole.stop - whole.start).tolist() == [1, 1, 1]


def test_a_word_that_is_the_mark_itself_keeps_its_token():
    for scheme in ("always", "never"):
        encoding = encode_words([["▁", "x"], ["x", "▁"]], metaspace(["▁", "x"], scheme))
        assert not len(encoding.vanished)


def test_bytes_of_one_character_all_belong_to_its_word(tokenizer):
    line = encode_words([["語", "cat"]], tokenizer("byte_prefix")).lines[0]
    assert line.stop[0] - line.start[0] >= 2


@pytest.mark.parametrize("known", [{}, {"cat": 0}])
def test_a_vocabulary_that_lacks_its_own_unknown_token_is_named(build, known):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.WordLevel({**known, "<unk>": 1}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    capture(
        build("gpt2"), [["cat", "dog"]], tokenizer=PreTrainedTokenizerFast(tokenizer_object=backend)
    )
    backend.model = models.WordLevel(known, unk_token="<unk>")
    broken = PreTrainedTokenizerFast(tokenizer_object=backend)
    for corpus in ([["cat", "dog"]], ["cat dog"]):
        with pytest.raises(
            AlignmentError, match=r"cannot read these texts .*\[UNK\].*: its files are"
        ):
            capture(build("gpt2"), corpus, tokenizer=broken)


def test_brackets_of_treebanks_are_read_as_brackets(tokenizer):
    tok = tokenizer("byte")
    named = encode_words([["a", "-LRB-", "b", "-RRB-"]], tok).lines[0]
    assert named.ids.tolist() == tok("a ( b )")["input_ids"]


def test_an_empty_word_takes_no_token_of_a_blank():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    blanks = Tokenizer(models.WordLevel({"a": 0, "b": 1, "  ": 2, " ": 3, "?": 4}, "?"))
    blanks.pre_tokenizer = pre_tokenizers.Split(Regex(r"\s+|\w+"), "isolated")
    tok = PreTrainedTokenizerFast(tokenizer_object=blanks)
    encoding = encode_words([["a", "", "b"], ["", "b"], ["a", ""]], tok)
    assert encoding.lines[0].ids.tolist() == [0, 2, 1]
    assert [line.rows.tolist() for line in encoding.lines] == [[0, 2], [4], [5]]
    assert encoding.vanished.tolist() == [1, 3, 6]


@pytest.mark.parametrize("policy", ["cut", "window"])
def test_a_context_without_room_for_text_is_refused(policy):
    with pytest.raises(CaptureError, match="no room for text beside 2 special tokens"):
        fit(encoding_of([1, 2], 1, 1), 2, policy)


def test_words_that_share_a_token_are_counted():
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    merged = Tokenizer(
        models.BPE({"a": 0, " ": 1, "b": 2, "a ": 3, "a b": 4}, [("a", " "), ("a ", "b")])
    )
    tok = PreTrainedTokenizerFast(tokenizer_object=merged)
    encoding = encode_words([["a", "b", "b"]], tok)
    assert encoding.shared == 1
    assert encoding.lines[0].start.tolist() == [0, 0, 2]
    assert encode_words([["b", "b"]], tok).shared == 0


def test_a_tokenizer_without_offsets_is_refused():
    class Slow:
        is_fast = False

    with pytest.raises(AlignmentError, match="no character offsets"):
        encode_words([["a"]], Slow())


def test_unknown_words_are_named():
    with pytest.raises(AlignmentError, match="'zebra'"):
        encode_vocabulary([["a", "zebra"]], ["<bos>", "a"])


def test_a_sentence_that_is_no_list_of_words_is_refused(build, tokenizer):
    with pytest.raises(CaptureError, match="a list of words; running text is given as a list of"):
        capture(build("bert"), [["a"], "a running text"], tokenizer=tokenizer())
    with pytest.raises(CaptureError, match="holds no word"):
        capture(build("bert"), [[], []], tokenizer=tokenizer())


def encoding_of(widths, front, back):
    """A line of words of these many tokens; tokens are numbered, special ones are -1."""
    stop = front + np.cumsum(widths)
    text = np.arange(sum(widths))
    ids = np.concatenate([np.full(front, -1), text, np.full(back, -1)])
    rows = np.arange(len(widths))
    line = Line(ids, rows, stop - np.array(widths), stop, front, back)
    return Encoding((line,), np.array([len(widths)]), np.empty(0, dtype=np.int64))


@settings(deadline=None)
@given(
    widths=st.lists(st.integers(1, 9), min_size=1, max_size=40),
    front=st.integers(0, 1),
    back=st.integers(0, 1),
    room=st.integers(1, 12),
)
def test_every_word_is_in_one_window_whole(widths, front, back, room):
    encoding, limit = encoding_of(widths, front, back), front + room + back
    whole = encoding.lines[0]
    try:
        windows = fit(encoding, limit, "window").lines
    except CaptureError:
        assert max(widths) > room  # only a word that no window can hold may be refused
        return
    assert sorted(np.concatenate([w.rows for w in windows])) == list(range(len(widths)))
    for window in windows:
        assert len(window) <= limit
        assert (window.ids[:front] == -1).all()
        assert (window.ids[len(window) - back :] == -1).all()
        for row, a, b in zip(window.rows, window.start, window.stop, strict=True):
            assert (
                window.ids[a:b].tolist() == whole.ids[whole.start[row] : whole.stop[row]].tolist()
            )
            # A quarter of a window of context on each side, or the text ends there, less the word.
            least = room // 4 - widths[row]
            assert a - front >= min(least, whole.start[row] - front)
            assert front + room - b >= min(least, len(whole) - back - whole.stop[row])


@settings(deadline=None)
@given(widths=st.lists(st.integers(1, 4), min_size=1, max_size=30), room=st.integers(1, 12))
def test_cut_words_are_the_last_and_are_counted(widths, room):
    encoding = encoding_of(widths, 1, 1)
    if widths[0] > room:
        with pytest.raises(CaptureError, match="no word is left"):
            fit(encoding, room + 2, "cut")
        return
    cut = fit(encoding, room + 2, "cut")
    assert len(cut.lines[0]) <= room + 2
    fits = np.cumsum(widths) <= room
    assert cut.lines[0].rows.tolist() == np.flatnonzero(fits).tolist()
    assert cut.cut.tolist() == np.flatnonzero(~fits).tolist()


def test_long_inputs_are_refused_cut_or_windowed(build, tokenizer):
    model, tok = build("gpt2"), tokenizer("byte", ("<s>", None))
    corpus = [["cat"], ["the", "cat", "sat"] * 60]
    with pytest.raises(CaptureError, match='1 sentences are longer.*long_inputs="window"'):
        capture(model, corpus, tokenizer=tok)
    cut = capture(model, corpus, tokenizer=tok, long_inputs="cut")
    lost = cut.manifest["words"]["cut"]
    assert cut.kept.sum() == 181 - len(lost) > 0
    assert not np.asarray(cut[cut.sites[0]])[lost].any()
    windows = capture(model, corpus, tokenizer=tok, long_inputs="window")
    assert windows.kept.all()
    first = np.flatnonzero(cut.kept)[:10]  # they stand in the first window either way
    for site in cut.sites:
        np.testing.assert_allclose(windows[site][first], cut[site][first], rtol=1e-4, atol=1e-5)
