"""First steps
===========

Is an abstract state a linear subspace of the residual stream, where theory says it should be? Here
the answer is known, because the weights of the transformer are computed from a grammar.
"""

import linrep

corpus = linrep.families.latin(order=3, depth=3).sample(400, seed=0)
corpus

# %%
# Every token has an ancestor at each height of its tree. Those ancestors are the states to look for.

print(corpus.trees[0])
corpus.labels(1)[:8], corpus.labels(2)[:8]

# %%
# A model whose weights are computed
# ----------------------------------
#
# The rotation hides the coordinates that the construction uses, as training would. ``guarantee``
# says how exact the model is.

made = linrep.GrammarTransformer.from_grammar(corpus.grammar, rotation=1)
print(made.guarantee)

# %%
# Capture and probe
# -----------------
#
# The twins have the same shape and random weights. What a probe finds there, nobody put there.

acts = linrep.capture(made.model, corpus)
twins = [linrep.capture(linrep.random_twin(made.model, seed=s), corpus) for s in range(3)]
evidence = linrep.Evidence(random_weights=twins, ceilings=made)
found = linrep.probe(
    acts, heights=[1, 2], positions="boundary", evidence=evidence, patterns="joint"
)
found.to_frame()[["site", "target", "accuracy", "ceiling", "chance", "random_weights"]]

# %%
# Learned beside predicted
# ------------------------
#
# A state that can be decoded need not lie where theory says. The comparison sets the subspace in
# which class means move beside the predicted one, and beside random subspaces (``null_high``).

compared = linrep.compare(found, made.predictions)
compared.to_frame()[["site", "target", "written", "overlap", "null_high", "word"]]

# %%
# Take it away
# ------------
#
# LEACE removes what any linear probe could read. Afterwards the best linear probe is no better than
# the most frequent class.

import numpy as np

site = "blocks.1.hook_resid_post"
here = corpus.boundary(1)  # the last token of each span
X, y = np.asarray(acts[site])[here], corpus.labels(1)[here]
erased = linrep.Eraser.fit(X, y)(X)
before, after = (linrep.LinearProbe().fit(rows, y).score(rows, y) for rows in (X, erased))
majority = max(np.mean(y == label) for label in set(y))
{"before": round(before, 3), "after": round(after, 3), "majority": round(majority, 3)}
