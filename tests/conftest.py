"""What all tests share: property tests draw the same cases everywhere, at their own pace."""

from hypothesis import settings

# Cores are shared with other work, so the time that one case takes says nothing.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")
