"""Maps between the streams of two models, and what is carried through them."""

__all__: list[str] = []
