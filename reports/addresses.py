"""Addresses within a page: each row, cell and figure has one, and it stays the same."""

import re
from typing import final

__all__ = ["Addresses", "slug"]


@final
class Addresses:
    """Hands out each address once; asked again for the same thing it gives the same.

    >>> made = Addresses()
    >>> made.of("demo", "blocks.3.hook_resid_post", "height 2")
    'demo/blocks.3.resid_post/height-2'
    >>> made.of("demo", "blocks.3.hook_resid_post", "height-2")  # another target
    'demo/blocks.3.resid_post/height-2-2'
    >>> made.of("demo", "blocks.3.hook_resid_post", "height 2")
    'demo/blocks.3.resid_post/height-2'
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], str] = {}
        self._taken: set[str] = set()

    def of(self, *parts: str) -> str:
        """The address of what these names lead to.

        Args:
            parts: study, site and target, or study and the name of a section or figure.
        """
        if parts not in self._known:
            wanted = address = "/".join(map(slug, parts))
            count = 1
            while address in self._taken:
                count += 1
                address = f"{wanted}-{count}"
            self._known[parts] = address
            self._taken.add(address)
        return self._known[parts]


def slug(name: str) -> str:
    """A name as part of an address: no blanks, quotes or signs that addresses use.

    >>> slug('part of "speech"'), slug("blocks.3.hook_resid_post"), slug(" ")
    ('part-of-speech', 'blocks.3.resid_post', 'x')
    """
    return re.sub(r"[^\w.~-]+", "-", name.replace("hook_", "")).strip("-") or "x"
