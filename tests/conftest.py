"""The same random examples and the same signals in every run; types and shapes are enforced.

Other examples: ``pytest --hypothesis-profile explore``.
"""

import functools
import inspect
import os
import signal
import threading
from typing import ForwardRef, TypeVar, get_args

import jaxtyping
import pytest
from beartype import BeartypeConf, beartype
from hypothesis import settings

settings.register_profile("linrep", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("linrep")

# A machine that is busy, or sleeps for a while, answers no heartbeats: it is not dead.
os.environ.setdefault("RAY_health_check_failure_threshold", "1000")


def _hear_nothing_here(*_):
    """In this process a signal that was ignored still changes nothing."""


def _usual_signals_below():
    """Commands that tests begin get signals as usual, also below ``nohup`` or in the background.

    What is ignored or blocked stays so in processes begun from here; a handler does not.
    """
    numbers = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    for number in numbers:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _hear_nothing_here)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


if threading.current_thread() is threading.main_thread():
    _usual_signals_below()


_jaxtyped = jaxtyping.jaxtyped
_types = beartype(conf=BeartypeConf(violation_type=jaxtyping.TypeCheckError))


def _may_have_shapes(hint):
    """Whether an annotation holds a shape, or text that may turn out to."""
    if isinstance(hint, list | tuple):
        return any(map(_may_have_shapes, hint))
    unknown = isinstance(hint, str | ForwardRef | TypeVar)
    shaped = type(hint).__module__.split(".")[0] == "jaxtyping"
    return unknown or shaped or any(map(_may_have_shapes, get_args(hint)))


def _checked(function=None, **how):
    """What ``jaxtyped`` does, without its account of dimensions where a function states no shape.

    Those are most functions, and most calls: the account costs ten times what the checks do.
    """
    if function is None:
        return functools.partial(_checked, **how)
    if getattr(getattr(function, "__init__", None), "__globals__", None) is globals():
        return function  # a class that is held already, as ``jaxtyped`` has it too
    if not inspect.isfunction(function) or _may_have_shapes([*function.__annotations__.values()]):
        return _jaxtyped(function, **how)
    typed = _types(function)

    @functools.wraps(function)
    def call(*args, **kwargs):
        return (function if jaxtyping.config.jaxtyping_disable else typed)(*args, **kwargs)

    return call


# The decorator that ``--jaxtyping-packages`` puts on every function finds it by this name.
jaxtyping.jaxtyped = _checked


@pytest.fixture(scope="session")
def write_small_model():
    """A function that writes a small model with random weights whose tokens are given words."""
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers

    def write(folder, words):
        numbers = {word: number for number, word in enumerate(["<unk>", *sorted(set(words))])}
        backend = Tokenizer(models.WordLevel(numbers, unk_token="<unk>"))
        backend.pre_tokenizer = pre_tokenizers.Whitespace()
        special = {"unk_token": "<unk>", "pad_token": "<unk>"}
        tf.PreTrainedTokenizerFast(tokenizer_object=backend, **special).save_pretrained(folder)
        size = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32}
        tf.set_seed(0)
        config = tf.GPT2Config(vocab_size=len(numbers), bos_token_id=0, eos_token_id=0, **size)
        tf.GPT2LMHeadModel(config).save_pretrained(folder)

    return write
