"""Mutants that no test can notice, with the reason: by module, then by change."""

EQUIVALENT: dict[str, dict[str, str]] = {}
