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
# At the block that writes the state of height 1 the exchange goes all of the way. Later, other tokens
# have read the old state already, so it goes a part of the way, and in the last blocks nothing reads
# the state any more: the exchange changes nothing. It can still be *read* from the stream there, as
# the probe shows. That is why a probe alone does not show use.

found.to_frame().pivot(index="site", columns="target", values="accuracy").round(2)

# %%
# Erase
# -----
#
# Taking the subspace out should leave nothing of its own state, and the other one in peace. Each row
# is an *arm*: what was taken out. Random subspaces of equal dimension, random ones that take out about
# as much variance, and LEACE stand beside the pattern.

site = "blocks.0.hook_resid_post"
erased = linrep.erasure_effects(
    made.model,
    corpus,
    site,
    found.patterns[site, "height 1"],
    {"height 1": corpus.labels(1), "height 2": corpus.labels(2)},
    "height 1",
)
frame = erased.to_frame()
frame[frame.site == site][["arm", "target", "removed", "accuracy", "chance"]].round(3)
