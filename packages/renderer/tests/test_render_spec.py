"""The cache key of a spec changes only with the result, and still matches saved results."""

import hashlib
import json
from dataclasses import fields, replace

import pytest
from renderer import RenderJob, RenderLimits, RenderSpec, option_names

SPEC = RenderSpec(
    code="draw()",
    arguments={"max_rows": 3},
    type_version="0123456789abcdef",
    environment="tfx",
    environment_lock="fedcba9876543210",
    source_uri="s3://b/data.csv",
    source_scope=("default", "run", "step", "data"),
)


def digest(**parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def test_key_of_predefined_type_matches_saved_results():
    assert SPEC.cache_key == digest(
        type_version="0123456789abcdef",
        code="draw()",
        arguments={"max_rows": 3},
        environment_lock="fedcba9876543210",
        source=["default", "run", "step", "data", "s3://b/data.csv"],
    )


def test_key_of_custom_code_includes_environment_and_packages():
    custom = replace(
        SPEC,
        is_custom=True,
        arguments={},
        dependencies=("humanize>=4",),
        source_metadata={"accuracy": 1},
        sample_rows=9,
    )
    assert custom.cache_key == digest(
        type_version="0123456789abcdef",
        code="draw()",
        environment="tfx",
        environment_lock="fedcba9876543210",
        dependencies=["humanize>=4"],
        source=["default", "run", "step", "data", "s3://b/data.csv"],
        source_metadata={"accuracy": 1},
        sample_rows=9,
    )
    in_base = replace(custom, environment="base")
    assert in_base.cache_key != custom.cache_key
    # Results from before environments could be chosen do not name one.
    assert in_base.cache_key == replace(in_base, is_custom=False).cache_key


CHANGES = {
    "code": "other()",
    "arguments": {"max_rows": 4},
    "type_version": "ffffffffffffffff",
    "environment": "base",
    "environment_lock": "0",
    "dependencies": ("humanize",),
    "source_uri": "s3://b/other.csv",
    "source_metadata": {"a": 1},
    "source_scope": ("default", "run", "other", "data"),
    "sample_rows": 1000,
    "is_custom": False,
    "kernel": "ir",
    "timeout_s": 5,
}
WITHOUT_EFFECT = {"is_custom", "kernel", "timeout_s"}


@pytest.mark.parametrize("name", [field.name for field in fields(RenderSpec)])
def test_every_field_that_affects_the_result_changes_the_key(name):
    # A new field needs a row above, which states whether it changes the key.
    own = replace(SPEC, is_custom=True, arguments={"a": 0})
    if name == "is_custom":
        own = replace(own, environment="base")
    changed = replace(own, **{name: CHANGES[name]})
    assert (changed.cache_key == own.cache_key) == (name in WITHOUT_EFFECT)


def test_key_does_not_depend_on_argument_order():
    one, other = ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert replace(SPEC, arguments=one).cache_key == replace(SPEC, arguments=other).cache_key


def test_defaults_of_a_spec_with_only_code():
    values = {field.name: getattr(RenderSpec(code="print(1)"), field.name) for field in fields(RenderSpec)}
    assert values == {
        "code": "print(1)",
        "arguments": {},
        "is_custom": False,
        "type_version": "",
        "environment": "base",
        "environment_lock": "",
        "dependencies": (),
        "kernel": "",
        "source_uri": "",
        "source_metadata": {},
        "source_scope": (),
        "sample_rows": None,
        "timeout_s": 100,
    }


def test_time_limit_is_the_only_option():
    assert option_names() == ["timeout_s"]
    assert replace(SPEC, timeout_s=7).options == {"timeout_s": 7}


def test_defaults_of_a_job_with_only_a_spec():
    job = RenderJob(spec=SPEC)
    assert (job.title, job.source, job.packages, job.needs_sandbox) == ("", "", None, False)
    assert job.limits == RenderLimits()
