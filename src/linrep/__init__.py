"""linrep: tests the linear representation hypothesis with the answer in hand.

Every public name can be imported from here; the package that holds it loads when it is first used,
so ``import linrep`` stays instant.

>>> import linrep
>>> "Subspace" in linrep.__all__
True
"""

from importlib import import_module

__version__ = "0.1.0"

# Public name -> the package that exports it. tests/test_exports.py holds the two to each other.
_HOME = {
    "Activations": "hooks",
    "AlignmentError": "hooks",
    "BOS": "grammars",
    "BinaryGrammar": "grammars",
    "CaptureError": "hooks",
    "CausalError": "causal",
    "CellScore": "core",
    "Check": "reports",
    "Comparison": "reports",
    "Corpus": "corpora",
    "CorpusError": "corpora",
    "DifferenceOfMeans": "probes",
    "Direction": "probes",
    "DiscriminantProbe": "probes",
    "EOS": "grammars",
    "Eraser": "probes",
    "Experiment": "experiments",
    "Grammar": "grammars",
    "GrammarError": "grammars",
    "GrammarTransformer": "constructions",
    "HeldOut": "probes",
    "HeldOutNumbers": "probes",
    "ImpossiblePrefix": "grammars",
    "InterchangeResult": "causal",
    "LanguageError": "corpora",
    "LinearProbe": "probes",
    "LinrepError": "core",
    "LoadedModel": "models",
    "MLPProbe": "probes",
    "MaxoutNetwork": "piecewise",
    "MaxoutTransformer": "constructions",
    "NeighbourProbe": "probes",
    "OverlapNull": "probes",
    "Pairs": "causal",
    "Placed": "hooks",
    "PlainConfig": "models",
    "PlainTransformer": "models",
    "Plane": "piecewise",
    "PositionsProbe": "probes",
    "Posterior": "corpora",
    "Prediction": "core",
    "ProbeError": "probes",
    "ProbeResults": "probes",
    "RankCurve": "probes",
    "RankLimitedProbe": "probes",
    "Requirement": "reports",
    "RidgeProbe": "probes",
    "Rule": "grammars",
    "Run": "reports",
    "RunDifference": "reports",
    "Score": "probes",
    "Scores": "reports",
    "SelfCheckError": "hooks",
    "SiteError": "hooks",
    "SoftProbe": "probes",
    "Split": "probes",
    "Statistics": "probes",
    "StoreError": "hooks",
    "Streamed": "hooks",
    "Study": "reports",
    "StudySettings": "experiments",
    "Subspace": "core",
    "Target": "corpora",
    "TooLarge": "grammars",
    "Tree": "corpora",
    "TreebankError": "corpora",
    "UnknownToken": "grammars",
    "Verdict": "reports",
    "Verdicts": "reports",
    "at_positions": "hooks",
    "benjamini_hochberg": "probes",
    "binarise": "grammars",
    "capture": "hooks",
    "check_run": "reports",
    "compare": "reports",
    "compare_runs": "reports",
    "corpus_of_trees": "corpora",
    "demo_settings": "experiments",
    "edit": "hooks",
    "erase": "hooks",
    "examples": "grammars",
    "families": "grammars",
    "from_cache": "hooks",
    "from_hidden_states": "hooks",
    "from_lark": "grammars",
    "from_messages": "corpora",
    "from_nltk": "grammars",
    "induce": "grammars",
    "interchange": "causal",
    "interchange_pairs": "causal",
    "level_and_binarise": "grammars",
    "load_model": "models",
    "minimal_pairs": "causal",
    "number_patterns": "probes",
    "overlap_null": "probes",
    "paired_test": "probes",
    "pairs_of": "causal",
    "pattern_subspace": "probes",
    "probe": "probes",
    "probe_settings": "experiments",
    "random_twin": "models",
    "rank_curve": "probes",
    "read_columns": "corpora",
    "read_conllu": "corpora",
    "read_pairs": "corpora",
    "read_run": "reports",
    "read_settings": "experiments",
    "read_spans": "corpora",
    "read_table": "corpora",
    "read_treebank": "corpora",
    "readout_subspace": "probes",
    "regions_in_plane": "piecewise",
    "regions_on_segment": "piecewise",
    "report": "reports",
    "run_experiment": "experiments",
    "run_study": "experiments",
    "split_by_group": "probes",
    "steer": "hooks",
    "stream": "hooks",
    "swap": "hooks",
    "to_bridge": "models",
    "to_lark": "grammars",
    "to_nltk": "grammars",
    "train": "models",
    "unroll": "grammars",
    "write_run": "reports",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'linrep' has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
