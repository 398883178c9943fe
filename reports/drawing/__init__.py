"""How figures are drawn: the style, panels, and the page that draws them lazily."""

__all__: list[str] = []
