"""The list of messages is whole, and the record of those that tests provoke is up to date."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
if not (DOCS / "_ext/linrep_messages.py").is_file():
    pytest.skip("no checkout", allow_module_level=True)


@pytest.fixture
def drawn(monkeypatch):
    """What draws the messages."""
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return importlib.import_module("linrep_messages")


@pytest.fixture
def record(monkeypatch):
    """The record of messages that tests provoke."""
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return importlib.import_module("linrep_provoked")


def messages_of(drawn, folder, text):
    (folder / "room").mkdir(exist_ok=True)
    (folder / "room/module.py").write_text(text, "utf-8")
    return drawn.messages.__wrapped__(folder)


def test_every_raise_of_the_package_is_listed(drawn):
    """By a count that knows nothing of words: each ``raise X`` in the text of each file."""
    listed = {(one.module, one.first) for one in drawn.messages()}
    for path in drawn.walked(drawn.SOURCE):
        module = path.relative_to(drawn.SOURCE).as_posix()
        code = [line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
        for number, line in enumerate(code, 1):
            if line.startswith("raise ") and not line.startswith("raise from"):
                assert (module, number) in listed or ">>>" in line, f"{module}:{number}"


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ('raise ValueError(f"height {h} of {len(xs)}")', ["height {h} of {number of xs}"]),
        ('raise ValueError("give " + ("one" if x else "two"))', ["give one", "give two"]),
        ("raise ValueError(f'{what} is odd; received {type(a.b).__name__}')",
         ["{what} is odd; received {type of b}"]),
        ("said = f'no {x}'\n    raise ValueError(said)", ["no {x}"]),
        ("raise ValueError(LONG)", ["of the module"]),
        ("raise ValueError(helper(x))", ["the {x}", "another"]),
        ("for said, wrong in {'a clash': x}.items():\n        raise ValueError(said)", ["a clash"]),
        ("warnings.warn(f'small {x}', stacklevel=2)", ["small {x}"]),
        ("raise ValueError(f'{place}: {fault}: mend it')", ["{place}: {fault}: mend it"]),
    ],
)  # fmt: skip
def test_words_are_drawn_from(drawn, tmp_path, code, texts):
    helper = 'def helper(x):\n    if x:\n        return f"the {x}"\n    return "another"\n'
    text = f"LONG = 'of the module'\n{helper}def f(x):\n    {code}\n"
    (one,) = messages_of(drawn, tmp_path, text)
    assert list(one.texts) == texts
    assert (one.area, one.where) == ("room", "f")


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError(x)",
        "raise ValueError(f'{x}: {y}')",
        "raise ValueError(unknown(x))",
        "raise ValueError",
        "raise x",
    ],
)
def test_a_raise_without_words_is_refused(drawn, tmp_path, code):
    """Else the list would not be whole, and nothing would say so."""
    with pytest.raises(drawn.Undrawn, match=r"room/module.py:2"):
        messages_of(drawn, tmp_path, f"def f(x):\n    {code}\n")


def test_what_hands_on_another_message_says_so(drawn, tmp_path):
    text = "try:\n    f()\nexcept OSError as error:\n    raise ValueError(str(error)) from error\n"
    (one,) = messages_of(drawn, tmp_path, text)
    assert not one.texts
    assert one.reason == "hands on the message of the OSError that it caught"
    assert not messages_of(
        drawn,
        tmp_path,
        text.replace("raise ValueError(str(error))", "raise").replace(" from error", ""),
    )


def test_every_message_is_provoked_or_listed_with_a_reason(drawn, record):
    """``python docs/unprovoked.py --run TESTS`` adds what these tests provoke."""
    kept, worded = record.read_record(), [one for one in drawn.messages() if one.texts]
    left = [one for one in worded if not kept.saw(one) and not kept.why_not(one)]
    assert not left, [f"{one.module}:{one.first}: {one.texts[0]}" for one in left]


def test_the_record_names_no_message_that_is_gone(drawn, record):
    kept = record.read_record()
    known = {(one.module, one.name) for one in drawn.messages() if one.texts}
    for names in (kept.provoked, kept.unseen):
        assert {(module, name) for module in names for name in names[module]} <= known
    assert not {(module, name) for module in kept.unseen for name in kept.unseen[module]} & {
        (module, name) for module in kept.provoked for name in kept.provoked[module]
    }


def test_a_message_without_a_test_says_why_no_call_reaches_it(record):
    """A sentence of its own for each; that there is no test yet is no reason."""
    given = [why for names in record.read_record().unseen.values() for why in names.values()]
    assert len(set(given)) == len(given)
    for reason in given:
        assert len(reason.split()) >= 10, reason
        assert not re.search(r"\byet\b|\bno test\b", reason), reason


def test_a_message_that_nothing_provokes_is_seen(drawn, record, tmp_path):
    """The opposite: two messages, of which a run saw one."""
    text = "def f(x):\n    if x:\n        raise OSError('one')\n    raise OSError('another')\n"
    one, other = messages_of(drawn, tmp_path, text)
    kept = record.Record({}, {}).of([one, other], [one], whole=True)
    assert kept.saw(one)
    assert not kept.saw(other)
    later = kept.of([one, other], [other], whole=False)
    assert later.saw(one)
    assert later.saw(other)
    assert not later.of([one, other], [other], whole=True).saw(one)
    assert not later.of([other], [], whole=False).provoked["room/module.py"].keys() & {one.name}


def test_the_command_prints_the_figure(drawn, record):
    done = subprocess.run(
        [sys.executable, DOCS / "unprovoked.py"], capture_output=True, text=True, check=False
    )
    worded = [one for one in drawn.messages() if one.texts]
    seen = sum(record.read_record().saw(one) for one in worded)
    assert done.stdout.splitlines()[-1].startswith(f"{seen} of {len(worded)} messages")
