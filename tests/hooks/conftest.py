"""Tiny models of every family and tokenizers trained on the spot."""

import pytest
import torch
import transformers as tf

SENTENCES = [
    ["the", "naïve", "cat", "sat", "on", "the", "mat", "."],
    ["cats"],
    ["she", "did", "n't", "see", "(", "the", "old", "unbelievable", "dog", ")"],
    ["日本語", "words", "and", "emoji", "🙂", "too"],
    ["on", "and", "on", "and", "on"],
]
VOCABULARY = 400
SIZE = {
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_size": 32,
    "vocab_size": VOCABULARY,
}
MORE = {**SIZE, "intermediate_size": 64, "max_position_embeddings": 64, "num_key_value_heads": 1}


def _build(family):
    plain = {k: v for k, v in MORE.items() if k != "num_key_value_heads"}
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    match family:
        case "gpt2":
            config = tf.GPT2Config(
                n_embd=32, n_layer=2, n_head=2, vocab_size=VOCABULARY, n_positions=64
            )
            return tf.GPT2LMHeadModel(config)
        case "neox":
            return tf.GPTNeoXForCausalLM(tf.GPTNeoXConfig(**plain, **ids))
        case "llama":
            return tf.LlamaForCausalLM(tf.LlamaConfig(**MORE, **ids))
        case "qwen2":
            return tf.Qwen2ForCausalLM(tf.Qwen2Config(**MORE, **ids))
        case "qwen3":
            return tf.Qwen3ForCausalLM(tf.Qwen3Config(**MORE, head_dim=16, **ids))
        case "gemma2":
            return tf.Gemma2ForCausalLM(tf.Gemma2Config(**MORE, head_dim=16, **ids))
        case "bert":
            return tf.BertForMaskedLM(tf.BertConfig(**plain, pad_token_id=0))
        case "roberta":
            return tf.RobertaForMaskedLM(tf.RobertaConfig(**{**plain, "pad_token_id": 1}))
        case "distilbert":  # no adapter in TransformerLens
            config = tf.DistilBertConfig(
                dim=32, n_layers=2, n_heads=2, hidden_dim=64, vocab_size=VOCABULARY, pad_token_id=0
            )
            return tf.DistilBertForMaskedLM(config)
    raise AssertionError(family)


FAMILIES = ["gpt2", "neox", "llama", "qwen2", "qwen3", "gemma2", "bert", "roberta"]
CAUSAL = ["gpt2", "neox", "llama", "qwen2", "qwen3", "gemma2"]


@pytest.fixture(scope="session")
def families():
    return FAMILIES


@pytest.fixture(scope="session")
def sentences():
    return SENTENCES


@pytest.fixture(scope="session")
def build():
    """A fresh tiny model of a family, weights large enough for differences to show."""

    def make(family, dtype=torch.float32, seed=0):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = _build(family)
            for parameter in model.parameters():
                if parameter.ndim == 2:
                    parameter.data.mul_(4.0)
        return model.to(dtype).eval()

    return make


def _trained(kind):
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    text = [" ".join(s) for s in SENTENCES] * 4
    special = ["<pad>", "<s>", "</s>", "<unk>", "[CLS]", "[SEP]"]
    match kind:
        case "byte" | "byte_prefix":
            tokenizer = Tokenizer(models.BPE())
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(
                add_prefix_space=kind == "byte_prefix"
            )
            tokenizer.decoder = decoders.ByteLevel()
            alphabet = pre_tokenizers.ByteLevel.alphabet()
            trainer = trainers.BpeTrainer(
                vocab_size=320, special_tokens=special, initial_alphabet=alphabet
            )
        case "wordpiece":
            tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
            tokenizer.normalizer = normalizers.BertNormalizer()
            tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            trainer = trainers.WordPieceTrainer(vocab_size=120, special_tokens=special)
        case "sentencepiece":
            tokenizer = Tokenizer(models.Unigram())
            tokenizer.normalizer = normalizers.NFKC()
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
            trainer = trainers.UnigramTrainer(
                vocab_size=120, special_tokens=special, unk_token="<unk>", show_progress=False
            )
        case _:
            raise AssertionError(kind)
    trainer.show_progress = False
    tokenizer.train_from_iterator(text, trainer)
    return tokenizer


@pytest.fixture(scope="session")
def tokenizer():
    """A fast tokenizer of a kind, with or without BOS, ``[CLS]`` and ``[SEP]``."""
    from tokenizers.processors import TemplateProcessing

    cache = {}

    def make(kind="byte", special=None):
        if (kind, special) not in cache:
            backend = _trained(kind)
            if special is not None:
                front, back = special
                template = " ".join(x for x in (front, "$A", back) if x)
                names = [n for n in (front, back) if n]
                backend.post_processor = TemplateProcessing(
                    single=template, special_tokens=[(n, backend.token_to_id(n)) for n in names]
                )
            cache[kind, special] = tf.PreTrainedTokenizerFast(
                tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>", bos_token="<s>",
                eos_token="</s>",
            )  # fmt: skip
        return cache[kind, special]

    return make
