"""
Maxout regions
==============

A maxout network is piecewise linear, and attention can take its maxima. Regions are counted exactly,
by cutting polygons, not by sampling.
"""

import numpy as np

import linrep
from linrep import constructions, piecewise

net = piecewise.random_network(2, [8, 8], 3, seed=0)
regions = linrep.regions_in_plane(net, (-2, 2))
print(regions.counts, "of at most", piecewise.upper_bound(net, dim=2))

# %%
# Depth multiplies
# ----------------
#
# The tent folds its input once for each layer: twice as many pieces each time.

tents = [piecewise.tent(depth) for depth in range(1, 8)]
[linrep.regions_on_segment(tent, 0, 1).n_linear_regions for tent in tents]

# %%
# As a transformer
# ----------------
#
# Attention is a soft maximum, so the transformer errs by at most ``error_bound()``; with hard
# attention it is the network.

made = linrep.MaxoutTransformer.from_network(net, (-2, 2), eps=0.01)
x = made.box.sample(1000, seed=0)
{
    "largest error": float(np.abs(made(x) - net(x)).max()),
    "bound": made.error_bound(),
    "hard attention": float(np.abs(made(x, hardmax=True) - net(x)).max()),
}

# %%
# Where can the active piece be read?
# -----------------------------------
#
# At one place for each layer, just before its attention: a staircase.

folded = linrep.MaxoutTransformer.from_network(
    piecewise.tent(5), (0, 1), inverse_temperature=1e5, causal=True
)
x = folded.box.sample(2000, seed=0)
corpus = constructions.PointCorpus(x)
sites = [f"blocks.{block}.hook_resid_mid" for block in range(6)]
acts = linrep.Activations.from_arrays(folded.activations(x, sites), corpus)
stairs = linrep.probe(acts, corpus, targets=folded.targets(x), controls=(), permutations=0)
table = stairs.to_frame().pivot(index="target", columns="site", values="accuracy").round(2)
table.columns = [name.split(".")[1] for name in table.columns]
table
