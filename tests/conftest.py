"""The same random examples in every run; others with ``pytest --hypothesis-profile explore``."""

from hypothesis import settings

settings.register_profile("linrep", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("linrep")
