"""The modules to mutate, and the tests of each, fast ones first."""

_STATES = ("tests/runs/test_run_states.py", "tests/visualizations/test_render_states.py")
_FILTERS = ("tests/runs/test_run_filters.py",)
_CALLERS = ("tests/accounts/test_callers.py",)

TARGETS = {
    "apps/runs/entities/states.py": _STATES,
    "apps/visualizations/states.py": _STATES,
    "apps/runs/gateway/filters.py": _FILTERS,
    "apps/runs/run_filters.py": _FILTERS,
    "apps/runs/filter_fields.py": _FILTERS,
    "apps/accounts/rights.py": _CALLERS,
    "apps/accounts/caller.py": _CALLERS,
    "apps/runs/access.py": ("tests/runs/test_run_access.py",),
    "apps/visualizations/services/rights.py": ("tests/visualizations/test_rights.py",),
    "apps/visualizations/services/lease.py": (
        "tests/visualizations/test_lease_rules.py",
        "tests/visualizations/test_lease.py",
    ),
    "packages/renderer/src/renderer/spec.py": ("packages/renderer/tests/test_render_spec.py",),
    "apps/runs/gateway/objects/address.py": ("tests/runs/test_object_addresses.py",),
    "apps/visualizations/sources/addresses.py": (
        "tests/runs/test_object_addresses.py",
        "tests/visualizations/test_source_addresses.py",
        "tests/visualizations/test_sources.py",
    ),
}
