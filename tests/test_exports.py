"""The public face: every name exists, is exported by its package, and stands in order."""

import importlib

import pytest

import linrep


def test_names_are_sorted_and_their_homes_export_them():
    assert list(linrep._HOME) == sorted(linrep._HOME)
    for name, home in linrep._HOME.items():
        package = importlib.import_module(f"linrep.{home}")
        assert name in package.__all__, f"linrep.{home} does not export {name}"
        assert getattr(linrep, name) is getattr(package, name)


@pytest.mark.parametrize(
    "package",
    ["core", "grammars", "piecewise", "models", "constructions", "hooks", "probes", "causal",
     "reports", "experiments"],
)  # fmt: skip
def test_packages_export_what_they_say(package):
    module = importlib.import_module(f"linrep.{package}")
    assert len(set(module.__all__)) == len(module.__all__)
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert not missing


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = linrep.nonsense


def test_errors_share_one_base():
    """Whatever a user can do wrong is caught as LinrepError."""
    for package in ("grammars", "piecewise", "models", "constructions", "hooks", "probes",
                    "causal", "reports", "experiments"):  # fmt: skip
        module = importlib.import_module(f"linrep.{package}")
        for name in module.__all__:
            thing = getattr(module, name)
            if isinstance(thing, type) and issubclass(thing, Exception):
                assert issubclass(thing, linrep.LinrepError), thing
