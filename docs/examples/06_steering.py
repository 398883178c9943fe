"""
Steering
========

Adding a direction should move what the model says, and little else. A small transformer learns a
language in which a verb agrees with its noun; the direction from singular to plural is the difference
of the class means.
"""

import numpy as np

import linrep

grammar = linrep.Grammar.from_text(
    """
    S -> One | Many
    One -> "the" Noun1 Verb1 | "the" Adj Noun1 Verb1
    Many -> "the" Noun2 Verb2 | "the" Adj Noun2 Verb2
    Adj -> "old" | "small"
    Noun1 -> "dog" | "cat" | "bird"
    Noun2 -> "dogs" | "cats" | "birds"
    Verb1 -> "sleeps" | "sings"
    Verb2 -> "sleep" | "sing"
    """
)
trained = linrep.train(
    grammar, steps=200, sentences=1024, hidden_size=32, num_hidden_layers=2, num_attention_heads=2
)
trained.log

# %%
# The direction
# -------------
#
# Read at the noun, the token whose state decides the verb.

corpus = grammar.sample(200, seed=3)
acts = linrep.capture(trained.model, corpus)
nouns = corpus.labels(1)
plural = np.where(nouns == "Noun2", "plural", np.where(nouns == "Noun1", "singular", ""))
found = linrep.probe(acts, targets={"number": plural}, method="means", permutations=0, controls=())
direction = linrep.directions_of(found, "number", acts=acts, toward="singular")
direction

# %%
# Dose and response
# -----------------
#
# At strength 0 nothing may change. The odds of the first answer (a singular verb after a plural noun)
# should rise with the strength; ``damage`` is what it costs on sentences about other things.

site = "blocks.0.hook_resid_post"
response = linrep.dose_response(
    trained.model,
    site,
    direction.vectors[site],
    [["the", "dogs"], ["the", "cats"], ["the", "old", "birds"]],
    [("sleeps", "sleep"), ("sings", "sing"), ("sings", "sing")],
    [["the", "cat", "sings"], ["the", "small", "dog", "sleeps"]],
)
response.to_frame().round(3)

# %%
# While a block lasts
# -------------------

import torch

vocabulary = trained.model.config.vocabulary
ids = torch.tensor([[vocabulary.index(word) for word in ("<bos>", "the", "dogs")]])
for strength in (0.0, 0.5, 1.0):
    with linrep.steer(trained.model, {site: direction.vectors[site]}, strength=strength, norm=acts):
        logits = trained.model(ids).logits[0, -1]
    print(strength, vocabulary[int(logits.argmax())])
