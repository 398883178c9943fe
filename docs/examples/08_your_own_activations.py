"""
Bring your own activations
==========================

Activations from another tool, or from a paper, need no model: arrays with one row for each item are
enough. Here a truth direction is planted in the second of two layers.
"""

import tempfile
from pathlib import Path

import numpy as np

import linrep

rng = np.random.default_rng(0)
cities = np.repeat(np.arange(120), 2)  # two statements about each city
truth = np.tile(["true", "false"], 120)
planted = np.eye(24)[5]
layers = {
    "layer 1": rng.standard_normal((240, 24)),
    "layer 2": rng.standard_normal((240, 24)) + 2.0 * (truth == "true")[:, None] * planted,
}

# %%
# Rows of one city are never divided. Without texts there are no words and no positions, so controls
# that need them are left out, and the notes say so.

found = linrep.probe(layers, truth, groups=cities)
found.to_frame()[["site", "accuracy", "interval", "chance", "p_family"]]

# %%
# Random-weight twins, if you have their activations, are given in the same form. With five
# of them their spread is known, which the first rung of a verdict needs.

twins = [{name: rng.standard_normal((240, 24)) for name in layers} for _ in range(5)]
found = linrep.probe(layers, truth, groups=cities, random_weights=twins)
linrep.compare(found).to_frame()[["site", "target", "word"]]

# %%
# The direction
# -------------
#
# The difference of class means has a sign and a length. Its file says what it is of; as ``.gguf``
# llama.cpp adds it to the stream of a model.

means = linrep.probe(layers, truth, groups=cities, method="means", permutations=0, controls=())
direction = linrep.directions_of(means, "target", toward="true")
vector = direction.vectors["layer 2"]
print("cosine with what was planted:", round(float(vector @ planted / np.linalg.norm(vector)), 3))

with tempfile.TemporaryDirectory() as folder:
    file = linrep.write_directions(direction, Path(folder) / "truth.safetensors")
    print(linrep.read_directions(file))
