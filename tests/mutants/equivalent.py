"""Mutants that no test can detect, with reasons, by module and change."""

EQUIVALENT: dict[str, dict[str, str]] = {}
