"""Reading a prepared model batch by batch."""

__all__: list[str] = []
