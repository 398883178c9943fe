"""
Causal tests
============

A state that can be read need not be used. Here a source's state is put into a base's run, inside the
learned subspace, and the answer is compared with what the grammar says after the source.
"""

import linrep

corpus = linrep.families.latin(order=3, depth=3, start="one").sample(150, seed=1)
made = linrep.GrammarTransformer.from_grammar(corpus.grammar)
acts = linrep.capture(made.model, corpus)
found = linrep.probe(
    acts, heights=[1, 2], positions="boundary", patterns="joint", permutations=0, controls=()
)

# %%
# Exchange
# --------
#
# ``share`` is the part of the way to the right answer; beside it what the whole state, random
# subspaces of equal dimension, and subspaces drawn from the states reach.

result = linrep.interchange(
    made.model, corpus, found.patterns, n=60, draws=4, twin=False, isolation=False
)
columns = ["site", "target", "share", "share_whole", "share_random", "share_drawn"]
result.to_frame()[columns].round(2)

# %%
# The state of height 1 is used until the block that reads it. After that it can still be *read* from
# the stream (the probe below is right), but exchanging it there changes nothing.

found.to_frame().pivot(index="site", columns="target", values="accuracy").round(2)

# %%
# Erase
# -----
#
# Taking the subspace out leaves nothing of the state for later blocks. Random subspaces of equal
# dimension and of equal variance stand beside it.

site = "blocks.0.hook_resid_post"
erased = linrep.erasure_effects(
    made.model,
    corpus,
    site,
    found.patterns[site, "height 1"],
    {"height 1": corpus.labels(1), "height 2": corpus.labels(2)},
    "height 1",
)
erased.to_frame().round(3).head(8)
