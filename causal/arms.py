"""What is put in place of a state: the exchange itself, and the controls beside it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..core import Subspace

__all__ = ["Arm", "arms_of", "drawn_basis", "names_of"]

Arm = Callable[[Float[Tensor, "state d_model"], Float[Tensor, "state d_model"]], Tensor]
"""Takes the states of the base and of the source, in float64; returns those that are put in."""


def arms_of(
    subspace: Subspace,
    others: Mapping[str, Subspace],
    states: Float[np.ndarray, "state d_model"],
    draws: int,
    seed: int,
) -> dict[str, Arm]:
    """The exchange of a subspace and every control, by name.

    ``edit``: the subspace; ``whole``: the whole state, the most that any subspace there can do;
    ``random i``: random subspaces of equal dimension; ``placebo i``: the same, moved exactly as far
    as the edit moves; ``drawn i``: subspaces of equal dimension drawn from the states themselves,
    which lie where activations vary, as a pattern of shuffled labels does.

    Args:
        subspace: the one in question.
        others: further subspaces by name (``readout``).
        states: states of the bases, to draw from.
        draws: of each kind that is random.
        seed: of the draws.
    """
    from transformer_lens.tools.analysis.interchange import NormMatchedPlacebo, random_basis

    edit = _exchange(subspace.basis)
    arms: dict[str, Arm] = {"edit": edit, "whole": lambda _, source: source}
    arms |= {name: _exchange(other.basis) for name, other in others.items()}
    rank, d_model = subspace.dim, subspace.d_model
    if not rank:
        return arms
    rng = np.random.default_rng([seed, rank])
    for i in range(draws):
        basis = random_basis(d_model, rank, int(rng.integers(2**31))).double().numpy()
        arms[f"random {i}"] = _exchange(basis)
        arms[f"placebo {i}"] = NormMatchedPlacebo(edit, torch.from_numpy(basis))
        arms[f"drawn {i}"] = _exchange(drawn_basis(states, rank, rng))
    return arms


def drawn_basis(
    states: Float[np.ndarray, "state d_model"], rank: int, rng: np.random.Generator
) -> Float[np.ndarray, "d_model k"]:
    """Random combinations of centred states: directions in which the states vary."""
    centred = states - states.mean(axis=0, keepdims=True)
    mixed = centred.T @ rng.standard_normal((len(states), rank))
    return Subspace(mixed).basis


def _exchange(basis: np.ndarray) -> Any:
    from transformer_lens.tools.analysis.interchange import SubspaceInterchange

    return SubspaceInterchange(torch.from_numpy(np.array(basis)))


def names_of(arms: Sequence[str], kind: str) -> list[str]:
    """Arms of one random kind."""
    return [name for name in arms if name.startswith(f"{kind} ")]
