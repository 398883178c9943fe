"""A transformer whose weights are computed from a grammar: no training, exact next tokens."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float, Int

from ...core import Prediction, checked, writing
from ...core.folders import named_folder
from ...grammars import EOS, Corpus, Grammar
from ...grammars.ceilings import Sight, ceilings_of
from ...models import PlainTransformer, load, probabilities
from ..errors import ConstructionError
from .backends.dense import build_dense
from .backends.sparse import SparseModel
from .backends.trials import rotation_trials
from .charts.states import ChartStates
from .compiler import GivenGrammar, compile_grammar, require_grammar
from .generating import draw_sentences
from .guarantee import Guarantee, guarantee, require_guarantee
from .passes.log_head import DEAD
from .predictions import predict
from .program.coordinates import Registry
from .program.program import Program
from .recipe import model_of_recipe, noted_in, read_json, recipe_of
from .settings import ConstructionSettings
from .sizes.accounting import Accounting, measure_sizes

__all__ = ["GrammarTransformer"]

_SPARSE_FILE = "linrep_sparse.json"


@final
@checked(ConstructionError)
class GrammarTransformer:
    """A grammar compiled into a transformer that predicts its next tokens exactly.

    Theorem (arXiv 2606.17522; here with the constructions of its exact variants): for a grammar of
    bounded depth without recursion a causal transformer with positional attention, twice as many
    layers as the grammar is deep (one pass: as many), computes the exact next-token distribution;
    every abstract state occupies coordinates of its own in the residual stream.

    Args:
        grammar: the language.
        settings: how it was compiled.
        program: the list of operations that the model runs.
        engine: the plain transformer (dense) or the sparse executor.

    >>> from linrep.grammars import families
    >>> g = families.latin(order=2, depth=2)
    >>> m = GrammarTransformer.from_grammar(g)
    >>> m.next_token(["a0", "a1", "a1"]) == g.next_token(["a0", "a1", "a1"])
    True
    >>> m.next_token(["a0"] * 5)
    {'a0': 0.0, 'a1': 0.0, '<eos>': 0.0}
    """

    def __init__(
        self,
        grammar: Grammar,
        settings: ConstructionSettings,
        program: Program,
        engine: PlainTransformer | SparseModel,
    ) -> None:
        self.grammar, self.settings, self.program, self._engine = grammar, settings, program, engine

    @classmethod
    def from_grammar(
        cls, grammar: GivenGrammar, *, dtype: torch.dtype | str = torch.float64, **settings: Any
    ) -> "GrammarTransformer":
        """Compile a grammar.

        Args:
            grammar: any bounded-depth grammar; that of a sampled corpus, ``corpus.grammar``, too.
            dtype: of the weights, ``torch.float64`` or ``torch.float32``.
            **settings: the fields of :class:`ConstructionSettings`. ``mode`` (``spans``: a chart,
                neurons independent of the number of tree shapes; ``shapes``: one parser per shape,
                as in the paper), ``passes`` (2, or 1 for half the layers), ``semiring``
                (``probability``; ``boolean``: support only, plain ReLU; ``deterministic``: exact
                with plain ReLU, where the grammar allows it), ``head`` (``scores``: joint weights
                of prefix and next token; ``probabilities``: normalised; ``log``: log weights within
                ``log_error`` nats), ``beliefs`` (``boundary`` or ``prefix``: posteriors of every
                ancestor label are written too), ``gauge`` and ``token_scale`` (exact rescalings),
                ``rotation`` (a seed: a random residual basis; accuracy is absolute then, see
                :attr:`guarantee`), ``inexact`` (``allow`` builds a model whose rare scores drown in
                the noise of a rotated basis, or without weights below its dtype's range),
                ``backend`` (``sparse`` for grammars whose dense width would be absurd),
                ``position_code`` (``onehot``, ``circular``, ``bias``), ``merge`` (``bodies``: rules
                with equal bodies share neurons; ``rules``: the paper's accounting by pairs of
                rules), ``max_parameters``, ``max_shapes`` (limits).

        Raises:
            ConstructionError: the choices clash, a limit is exceeded, weights do not fit the dtype,
                or a rotated model would be wrong after some prefix; the number is given.
        """
        grammar = require_grammar(grammar)
        if unknown := set(settings) - set(ConstructionSettings.__dataclass_fields__):
            raise ConstructionError(
                f"unknown settings {sorted(unknown)}; there are "
                f"{', '.join(ConstructionSettings.__dataclass_fields__)}"
            )
        chosen = ConstructionSettings(dtype=str(dtype).removeprefix("torch."), **settings)
        return cls._around(grammar, chosen, compile_grammar(grammar, chosen))

    @classmethod
    def _around(
        cls, grammar: Grammar, how: ConstructionSettings, program: Program
    ) -> "GrammarTransformer":
        if how.backend == "sparse":
            return cls(grammar, how, program, SparseModel(program, how.dtype).prepare())
        model = build_dense(program, how, rotation_trials(grammar, how, program))
        model.config.linrep = {
            **(model.config.linrep or {}),
            "construction": "grammar",
            "grammar": str(grammar),
            "settings": how.to_dict(),
            "registry": program.registry.to_list(),
        }
        made = cls(grammar, how, program, model)
        if how.rotation is not None:
            require_guarantee(made.guarantee, how)
        return made

    # -- the model ------------------------------------------------------------------------------

    @property
    def model(self) -> PlainTransformer:
        """The Hugging Face model.

        Raises:
            ConstructionError: the sparse back end has none.
        """
        if isinstance(self._engine, PlainTransformer):
            return self._engine
        raise ConstructionError(
            "the sparse back end has no Hugging Face model; build with backend='dense', or call "
            "next_token(s) and scores here"
        )

    @property
    def registry(self) -> Registry:
        """Name of every residual coordinate (before rotation)."""
        return self.program.registry

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Token of each id: ``<bos>``, the terminals, ``<eos>``."""
        return self.program.vocabulary

    @property
    def n_max(self) -> int:
        """Tokens of the longest sentence."""
        return self.program.n_max

    def encode(self, sentence: Sequence[str]) -> Int[np.ndarray, " position"]:
        """Token ids with BOS in front.

        Raises:
            UnknownToken: a token is no terminal.
        """
        return np.concatenate([[0], self.grammar.encode(sentence) + 1])

    def outputs(self, sentences: Sequence[Sequence[str]]) -> Float[np.ndarray, "batch read vocab"]:
        """What the readout says after each part of each sentence (float64; shorter ones padded).

        Column order is :attr:`vocabulary`; the meaning is that of ``settings.head``.
        """
        if not len(sentences):
            return np.zeros((0, 1, len(self.vocabulary)))
        encoded = [self.encode(sentence) for sentence in sentences]
        longest = max(map(len, encoded))
        ids = np.zeros((len(encoded), longest), dtype=np.int64)
        for row, one in zip(ids, encoded, strict=True):
            row[: len(one)] = one
        if isinstance(self._engine, SparseModel):
            raw = self._engine.forward(ids).astype(np.float64)
            if self.settings.head != "probabilities":
                return raw
            return probabilities(torch.from_numpy(raw), self._score_floor).numpy()
        with torch.inference_mode():  # causal: what follows a sentence cannot change it
            logits = self._engine(torch.from_numpy(ids)).logits
        return np.asarray(logits.double().numpy())

    def next_tokens(
        self, sentences: Sequence[Sequence[str]]
    ) -> list[Float[np.ndarray, "read choice"]]:
        """Next-token distribution after each part of each sentence, from none on.

        Columns are the terminals, then EOS. After an impossible prefix, and past the longest
        sentence, the row is all zeros. With the Boolean semiring, which knows the support only, the
        row is uniform on it.
        """
        raw = torch.from_numpy(self.outputs(sentences)[:, :, 1:].copy())
        if self.program.output == "logits":
            dead = raw.amax(-1) < DEAD
            rows = raw.softmax(-1)
            rows[dead] = 0.0
        else:
            # Probabilities were cut at the floor before they were normalised: 1/3 is no noise.
            floor = 0.0 if self.settings.head == "probabilities" else self._score_floor
            if self.settings.semiring == "boolean":
                raw = (raw > floor).double()
            rows = probabilities(raw, floor)
        return [rows[i, : len(s) + 1].numpy() for i, s in enumerate(sentences)]

    def next_token(self, prefix: Sequence[str]) -> dict[str, float]:
        """Probability of each terminal, and of ``"<eos>"``, after a prefix.

        All zeros after an impossible prefix, never NaN.

        Raises:
            UnknownToken: a token is no terminal.
        """
        row = self.next_tokens([prefix])[0][-1]
        return dict(zip((*self.grammar.terminals, EOS), row.tolist(), strict=True))

    @property
    def _score_floor(self) -> float:
        if isinstance(self._engine, PlainTransformer):
            return float(self._engine.config.score_floor)
        return 0.5 if self.settings.semiring == "boolean" else 0.0

    def generate(self, n: int, seed: int = 0) -> list[tuple[str, ...]]:
        """Draw sentences token by token, as Hugging Face's ``generate`` does.

        Sampling sees log scores, so every token is drawn with its exact conditional probability and
        only sentences of the language appear, with the grammar's frequencies (probability and
        deterministic semirings). torch's global generator is left as it was.
        """
        return draw_sentences(self.model, self.vocabulary, self.n_max, n, seed)

    # -- what theory says about it --------------------------------------------------------------

    @cached_property
    def predictions(self) -> list[Prediction]:
        """What a probe of the residual stream must find, as data."""
        return predict(self.grammar, self.settings, self.program)

    def ceilings(
        self, corpus: Corpus, sites: Sequence[str], heights: Sequence[int], *, boundary: bool
    ) -> Mapping[tuple[str, str], np.ndarray] | None:
        """Largest exact posterior of what each site has seen: ``[token]`` by (site, target)."""
        sight: Sight = "construction" if self.settings.layers_are_levels else "causal"
        return ceilings_of(corpus, sites, heights, sight=sight, boundary=boundary)

    @cached_property
    def chart(self) -> ChartStates:
        """Inside, context and belief values as targets, and where each is written."""
        return ChartStates(self.grammar, self.settings, self.program)

    @cached_property
    def guarantee(self) -> Guarantee:
        """Whether the model is right after every prefix, and how far off it may be."""
        return guarantee(self.settings, self.program, self._engine)

    def accounting(self) -> Accounting:
        """Depth, neurons, heads, width read off the weights, beside the theorem's formulas."""
        exact = f"exactness: {self.guarantee}"
        return measure_sizes(self.grammar, self.settings, self.program, self._engine, exact)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write an ordinary Hugging Face model folder (sparse: its recipe as JSON)."""
        path = named_folder(folder, ConstructionError)
        if isinstance(self._engine, PlainTransformer):
            self._engine.save_pretrained(path)
            return
        recipe = {"grammar": str(self.grammar), "settings": self.settings.to_dict()}
        text = json.dumps(recipe, indent=2) + "\n"
        with writing("the model", path):
            path.mkdir(parents=True, exist_ok=True)
            (path / _SPARSE_FILE).write_text(text, encoding="utf-8")

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "GrammarTransformer":
        """Read what :meth:`save_pretrained` wrote: the weights as saved, to the bit.

        Raises:
            ConstructionError: the folder holds no grammar transformer, or its weights are of
                another one than it notes.
        """
        path = Path(folder)
        if (path / _SPARSE_FILE).is_file():
            grammar, settings = recipe_of(read_json(path / _SPARSE_FILE), path)
            return cls._around(grammar, settings, compile_grammar(grammar, settings))
        recipe = noted_in(path, "grammar")
        if recipe is None:
            raise ConstructionError(
                f"{str(path)!r} holds a {type(load(path).model).__name__} that was not constructed "
                "from a grammar; load it with load_model"
            )
        grammar, settings = recipe_of(recipe, path)
        program = compile_grammar(grammar, settings)
        return cls(grammar, settings, program, model_of_recipe(recipe, program, path))
