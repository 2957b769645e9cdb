"""Settings of the Python tests."""

from hypothesis import HealthCheck, settings

# Written to be run by hand, and for its side effects: nothing to collect.
collect_ignore = ["golden"]

# Shared machines are slow at times, so no deadline. `pytest --hypothesis-profile slow` looks longer, at new inputs.
settings.register_profile("fast", deadline=None, max_examples=100, derandomize=True)
settings.register_profile("slow", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fast")
