"""
Theory beside training
======================

The construction says where a state lies in a model whose weights are computed. Where does it lie in
a model of the same language that was trained? A linear map from one stream to the other carries the
prediction over.
"""

import linrep

grammar = linrep.families.random_hierarchy(4, 2, 2, 3, seed=0)
corpus = grammar.sample(300, seed=1)
made = linrep.GrammarTransformer.from_grammar(grammar)
options = {"sentences": 1024, "hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 2}
trained = linrep.train(grammar, steps=300, batch_size=64, measure_every=100, **options)
trained.log

# %%
# What can be read
# ----------------
#
# Untrained models of the same shape stand beside the trained one. In this language they are read as
# well, since the words of a span tell its symbol: to be read is no sign of training.

acts = linrep.capture(trained.model, corpus)
twins = [linrep.capture(linrep.random_twin(trained.model, seed=s), corpus) for s in range(3)]
found = linrep.probe(acts, heights=[1, 2], positions="boundary", random_weights=twins)
frame = found.to_frame()
frame[["site", "target", "accuracy", "chance", "random_weights"]].round(3)

# %%
# Where it lies
# -------------
#
# The map is learned on sentences from which no pattern was learned. ``null_high`` is what untrained
# models and exchanged sentences reach through maps of the same kind; what is said holds up to the
# map. Where untrained models are read as well as the trained one, the first rung is not reached, and no
# higher one is claimed, however large the overlap.

reference = linrep.capture(made.model, corpus)
sites = sorted({prediction.site for prediction in made.predictions if "post" in prediction.site})
maps = linrep.linear_maps(
    acts, reference, random_weights=twins, rows=~found.learned_from, reference_sites=sites[:2]
)
compared = linrep.compare(found, made.predictions, through=maps)
compared.to_frame()[["site", "target", "overlap", "null_high", "word"]].round(3)
