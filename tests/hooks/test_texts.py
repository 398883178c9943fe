"""Running texts are read as they are written: against a plain forward pass, text by text."""

import numpy as np
import pytest
import torch
import transformers as tf

from linrep import Activations, Corpus
from linrep.core import LinrepError
from linrep.hooks import at_positions, capture, stream

LINE = (
    "the naïve cat sat on the mat. She didn't see (the old) dog? 日本語 words, and 🙂 too; "
    "it's 3.14 — “quoted” unbelievable\tnew\nline  two-blanks "
)
KINDS = ["byte", "wordpiece", "sentencepiece", "byte_fallback"]


def running_texts(n, seed=0):
    rng = np.random.default_rng(seed)
    words = LINE.split(" ")  # empty ones make rows of blanks
    texts = [" ".join(rng.choice(words, rng.integers(3, 7))).strip() for _ in range(n)]
    return [text or "cat" for text in texts]


def random_spans(texts, n, seed=1):
    """Any pieces at all: words, parts of words, blanks, several words."""
    rng = np.random.default_rng(seed)
    spans = []
    for number in np.sort(rng.integers(0, len(texts), n)).tolist():
        start = int(rng.integers(0, len(texts[number])))
        stop = int(rng.integers(start + 1, min(len(texts[number]), start + 12) + 1))
        spans.append((number, start, stop))
    return spans


def byte_fallback():
    """As Llama has it: what is not in the vocabulary is written in bytes."""
    from tokenizers import Tokenizer, models, normalizers, trainers

    backend = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    backend.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    names = ["<unk>", "<s>", "</s>", "<pad>", *(f"<0x{i:02X}>" for i in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=330, special_tokens=names, show_progress=False)
    plain = [text for text in running_texts(20) if text.isascii()]
    backend.train_from_iterator(plain, trainer)
    return tf.PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>")


@pytest.fixture(scope="module")
def tokenizers(tokenizer):
    made = {kind: tokenizer(kind, ("<s>", "</s>")) for kind in KINDS[:3]}
    return {**made, "byte_fallback": byte_fallback()}


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = tf.GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=500, n_positions=128)
        made = tf.GPT2LMHeadModel(config).eval()
    for parameter in made.parameters():
        parameter.data.mul_(8.0 if parameter.ndim == 2 else 1.0)  # so that differences show
    return made


def plainly(model, tokenizer, texts, spans, at):
    """Each span's vector from a forward pass of its text alone; None where no token covers it."""
    found = []
    passed = {}
    for number, start, stop in spans:
        if number not in passed:
            out = tokenizer(texts[number], return_offsets_mapping=True, return_tensors="pt",
                            return_special_tokens_mask=True)  # fmt: skip
            with torch.inference_mode():
                hidden = model(out["input_ids"], output_hidden_states=True).hidden_states[1][0]
            passed[number] = out, hidden
        out, hidden = passed[number]
        offsets = out["offset_mapping"][0].tolist()
        names = tokenizer.convert_ids_to_tokens(out["input_ids"][0].tolist())
        tokens = [
            t
            for t, (a, b) in enumerate(offsets)
            if not out["special_tokens_mask"][0][t]
            and max(a, start) < min(b, stop)
            # a mark put in before the first character, which has its own token
            and not (names[t] in "▁Ġ" and t + 1 < len(offsets) and offsets[t + 1][0] == a)
        ]
        picked = {"last": tokens[-1:], "first": tokens[:1], "mean": tokens}[at]
        found.append(hidden[picked].mean(dim=0).numpy() if tokens else None)
    return found


@pytest.mark.parametrize("at", ["last", "first", "mean"])
@pytest.mark.parametrize("kind", KINDS)
def test_spans_equal_a_plain_forward_pass(model, tokenizers, kind, at):
    texts = running_texts(60)
    spans = random_spans(texts, 500)
    corpus = Corpus.from_texts(texts, spans=spans, at=at)
    acts = capture(model, corpus, tokenizer=tokenizers[kind], progress=False, check=False)
    expected = plainly(model, tokenizers[kind], texts, spans, at)
    assert acts.kept.tolist() == [vector is not None for vector in expected]
    assert acts.kept.mean() > 0.9
    kept = [vector for vector in expected if vector is not None]
    np.testing.assert_allclose(acts["blocks.0.hook_resid_post"][acts.kept], kept, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_of_texts_is_read_at_each_last_token(model, tokenizers, kind):
    texts = running_texts(12)
    acts = capture(model, texts, tokenizer=tokenizers[kind], progress=False)
    spans = [(i, 0, len(text)) for i, text in enumerate(texts)]
    expected = plainly(model, tokenizers[kind], texts, spans, "last")
    np.testing.assert_allclose(acts["blocks.0.hook_resid_post"], expected, atol=1e-5)
    assert acts.corpus.words.tolist() == texts


def test_the_token_that_stands_is_the_corpus_own_unless_said(model, tokenizers):
    corpus = Corpus.from_texts(["the cat sat on the mat."], at="first")
    read = lambda **how: capture(model, corpus, tokenizer=tokenizers["byte"], check=False, **how)  # noqa: E731
    assert read().manifest["settings"]["word_token"] == "first"
    assert read(word_token="mean").manifest["settings"]["word_token"] == "mean"


def test_texts_with_their_own_special_tokens(model, tokenizers):
    """A rendered chat holds its marks already: they are text, and readable."""
    tok = tokenizers["byte"]
    text = "<s>the cat</s>"
    corpus = Corpus.from_texts([text], spans=[(0, 0, 3), (0, 3, 10), (0, 10, 14)])
    acts = capture(model, corpus, tokenizer=tok, special_tokens=False, check=False)
    ids = tok(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    assert ids[0, 0] == tok.bos_token_id
    with torch.inference_mode():
        hidden = model(ids, output_hidden_states=True).hidden_states[1][0]
    np.testing.assert_allclose(
        acts["blocks.0.hook_resid_post"], hidden[[0, -2, -1]].numpy(), atol=1e-5
    )


def test_the_last_token_of_a_long_text_is_read_through_the_last_window(model, tokenizers):
    tok = tokenizers["byte"]
    text = "日本語 " * 40
    ids = tok(text, return_tensors="pt")["input_ids"]
    assert ids.shape[1] > 128
    corpus = Corpus.from_texts(["the cat", text.strip() + "!"])
    with pytest.raises(LinrepError, match="1 texts are longer .*text 1 is the first"):
        capture(model, corpus, tokenizer=tok, check=False)
    acts = capture(model, corpus, tokenizer=tok, check=False, long_inputs="window")
    whole = tok(text.strip() + "!", return_tensors="pt")["input_ids"]
    window = torch.cat([whole[:, :1], whole[:, -127:]], dim=1)  # BOS, and the last that fit
    with torch.inference_mode():
        hidden = model(window, output_hidden_states=True).hidden_states[1][0]
    np.testing.assert_allclose(acts["blocks.0.hook_resid_post"][1], hidden[-2], atol=1e-5)
    with pytest.raises(LinrepError, match='mean is asked for: read their "last" or "first"'):
        capture(model, corpus, tokenizer=tok, long_inputs="window", word_token="mean", check=False)


def test_a_store_of_texts_is_opened_with_its_corpus_only(model, tokenizers, tmp_path):
    texts = running_texts(6)
    corpus = Corpus.from_texts(texts, spans=random_spans(texts, 20))
    how = {"tokenizer": tokenizers["byte"], "check": False}
    capture(model, corpus, store=tmp_path / "acts", shard_words=4, **how)
    again = Activations.open(tmp_path / "acts", corpus)
    assert again.corpus is corpus
    now = capture(model, corpus, **how)
    np.testing.assert_allclose(again[again.sites[1]], now[now.sites[1]], atol=1e-5)
    with pytest.raises(LinrepError, match="another corpus"):
        Activations.open(tmp_path / "acts", Corpus.from_texts(texts))


def test_texts_are_streamed(model, tokenizers):
    texts = running_texts(6)
    count = lambda X, y: np.array([len(X)])  # noqa: E731
    done = stream(model, texts, count, {"n": [1, 2, 1, 2, 1, 2]}, tokenizer=tokenizers["byte"],
                  check=False, progress=False)  # fmt: skip
    assert int(done["blocks.0.hook_resid_post", "n"][0]) == 6


def test_spans_are_brought_to_their_positions(model, tokenizers):
    texts = running_texts(5)
    corpus = Corpus.from_texts(texts, spans=[(0, 0, 2), (2, 0, 2), (2, 2, 3)])
    acts = capture(model, corpus, tokenizer=tokenizers["byte"], check=False)
    placed = at_positions(acts, model, sentences=[2, 0], tokenizer=tokenizers["byte"])
    states = placed.states["blocks.0.hook_resid_post"]
    assert placed.where.sum(dim=1).tolist() == [2, 1]
    np.testing.assert_array_equal(
        states[placed.where].numpy(), acts["blocks.0.hook_resid_post"][[1, 2, 0]]
    )


def test_a_model_whose_tokens_are_words_reads_texts():
    from linrep.models import PlainConfig, PlainTransformer, initialise

    plain = initialise(PlainTransformer(PlainConfig(vocabulary=["<bos>", "a", "b"])), seed=0)
    corpus = Corpus.from_texts(["a  b", "b"], spans=[(0, 0, 1), (0, 3, 4), (1, 0, 1)])
    texts, words = capture(plain, corpus), capture(plain, [["a", "b"], ["b"]])
    np.testing.assert_array_equal(texts[texts.sites[1]], words[words.sites[1]])
    with pytest.raises(LinrepError, match=r"\['c'\] in 'a c' are not in the model's vocabulary"):
        capture(plain, ["a c"])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["the", ""], "text 1 is empty"),
        (["the", None], "text 1 is None"),
        (["the", "a\ud800b"], "text 1 holds half a character .U.D800. at 1"),
        (["\x07", "\u200d"], "no token for any of the 2 spans .the first is '.x07' of text 0"),
        ("the cat", "a corpus has .sentences"),
    ],
)
def test_texts_that_cannot_be_read_are_told(model, tokenizers, texts, message):
    with pytest.raises(LinrepError, match=message):
        capture(model, texts, tokenizer=tokenizers["wordpiece"], check=False)


def test_a_tokenizer_without_offsets_is_refused(model):
    class Slow:
        is_fast = False

    with pytest.raises(LinrepError, match="Slow reports no character offsets.*fast tokenizer"):
        capture(model, ["the cat"], tokenizer=Slow(), check=False)


def test_spans_that_no_token_covers_have_no_activation(build, tokenizer):
    corpus = Corpus.from_texts(["the \x07 cat"], spans=[(0, 0, 3), (0, 4, 5), (0, 6, 9)])
    tok = tokenizer("wordpiece", ("[CLS]", "[SEP]"))
    acts = capture(build("bert"), corpus, tokenizer=tok, check=False)
    assert acts.kept.tolist() == [True, False, True]
    assert acts.manifest["words"]["vanished"] == [1]
