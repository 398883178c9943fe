"""No public function has more than ten parameters; what belongs together is one object."""

import dataclasses
import importlib
import inspect
from typing import get_args, get_origin, get_type_hints

import numpy as np
import pytest

import linrep
from linrep.causal.options import Exchange, ExchangeOptions
from linrep.hooks.reading.settings import Reading, ReadingOptions
from linrep.models.training.settings import Training, TrainingOptions
from linrep.probes.grid.options import (
    Evidence,
    EvidenceOptions,
    Splitting,
    SplittingOptions,
    asked_of,
)

MOST = 10
PACKAGES = sorted({*linrep._HOME.values()})


def public_functions():
    """Functions and methods of the packages' public names.

    Constructors of values with many named fields (a row of scores, a configuration of
    transformers, settings) are no functions with many choices: their fields are the data.
    """
    for package in PACKAGES:
        module = importlib.import_module(f"linrep.{package}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing):
                for key, value in vars(thing).items():
                    inner = getattr(value, "__func__", value)  # of class and static methods
                    if not key.startswith("_") and inspect.isfunction(inner):
                        yield f"{package}.{name}.{key}", inner
            elif inspect.isfunction(thing):
                yield f"{package}.{name}", thing


def count(function):
    return len([name for name in inspect.signature(function).parameters if name != "self"])


def test_no_public_function_has_more_than_ten_parameters():
    counted = {name: count(function) for name, function in public_functions()}
    assert len(counted) > 200
    assert {"probes.probe", "hooks.capture", "hooks.stream", "causal.interchange"} <= set(counted)
    assert {name: n for name, n in counted.items() if n > MOST} == {}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Reading, ReadingOptions),
        (Evidence, EvidenceOptions),
        (Splitting, SplittingOptions),
        (Exchange, ExchangeOptions),
        (Training, TrainingOptions),
    ],
    ids=lambda one: one.__name__,
)
def test_options_are_the_fields_of_their_object(kind, options):
    assert get_type_hints(options) == get_type_hints(kind)
    made = kind()
    assert {field.name for field in dataclasses.fields(kind)} == set(get_type_hints(options))
    assert all(field.default is not dataclasses.MISSING for field in dataclasses.fields(kind))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, next(iter(get_type_hints(kind))), None)


def test_every_option_stands_in_the_docstring():
    """Editors show the docstring, and an option that is not in it cannot be found."""
    seen = 0
    for name, function in public_functions():
        for one in inspect.signature(function).parameters.values():
            if one.kind is one.VAR_KEYWORD and get_origin(one.annotation) is not None:
                for option in get_type_hints(get_args(one.annotation)[0]):
                    assert f"\n        {option}: " in function.__doc__, f"{name}({option}=)"
                    seen += 1
    assert seen > 30


CALLS = {
    "capture": lambda **options: linrep.capture(None, None, **options),
    "stream": lambda **options: linrep.stream(None, None, max, {}, **options),
    "probe": lambda **options: linrep.probe(None, **options),
    "interchange": lambda **options: linrep.interchange(None, None, {}, **options),
    "probe_settings": lambda **options: linrep.probe_settings("model", "trees", **options),
    "train": lambda **options: linrep.train(linrep.families.latin(2, 1), **options),
}


@pytest.mark.parametrize(
    ("call", "wrong", "right"),
    [
        ("capture", "batchsize", "batch_size"),
        ("stream", "tokeniser", "tokenizer"),
        ("probe", "permutation", "permutations"),
        ("interchange", "protocols", "protocol"),
        ("probe_settings", "group", "groups"),
        ("train", "batchsize", "batch_size"),
    ],
)
def test_a_misspelt_option_is_refused_with_the_nearest(call, wrong, right):
    with pytest.raises(linrep.LinrepError, match=f"'{wrong}'. Did you mean '{right}'"):
        CALLS[call](**{wrong: 1})


@pytest.mark.parametrize(
    ("call", "key"),
    [
        ("capture", "reading"),
        ("stream", "reading"),
        ("interchange", "exchange"),
        ("train", "training"),
    ],
)
def test_another_object_is_refused(call, key):
    with pytest.raises(linrep.LinrepError, match=f"{key} is "):
        CALLS[call](**{key: {"seed": 1}})


def test_another_object_is_refused_by_a_grid():
    with pytest.raises(linrep.ProbeError, match=r"evidence is Evidence\(...\); received dict"):
        asked_of({"seed": 1}, None, {})
    with pytest.raises(linrep.ProbeError, match=r"splitting is Splitting\(...\); received Evid"):
        asked_of(None, Evidence(), {})


def test_an_object_and_its_fields_mean_the_same():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = rng.standard_normal((60, 3)) + y[:, None]
    asked = {"permutations": 9, "bootstrap": 20, "controls": ("shuffled",)}
    dealt = {"groups": np.arange(60) // 2, "fractions": (0.5, 0.2, 0.3)}
    named = linrep.probe(x, y, **asked, **dealt)
    whole = linrep.probe(x, y, evidence=Evidence(**asked), splitting=Splitting(**dealt))
    mixed = linrep.probe(
        x, y, evidence=Evidence(**(asked | {"permutations": 5})), permutations=9, **dealt
    )
    assert named.settings == whole.settings == mixed.settings
    assert named.to_frame().equals(whole.to_frame())
    assert named.to_frame().equals(mixed.to_frame())
