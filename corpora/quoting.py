"""A word in the quotes of the grammar text format."""

__all__ = ["write_terminal"]


def write_terminal(name: str) -> str:
    """A terminal in the text format, in the quotes it does not contain.

    >>> print(write_terminal("can't"))
    "can't"
    """
    return f'"{name}"' if "'" in name else f"'{name}'"
