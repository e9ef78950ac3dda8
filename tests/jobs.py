"""Makes a render's job from keyword arguments for any of its parts."""

from dataclasses import fields

from renderer import RenderJob, RenderLimits, RenderSpec

_SPEC = {each.name for each in fields(RenderSpec)}
_LIMITS = {each.name for each in fields(RenderLimits)}


def make_job(code, variables=None, **given):
    """Returns a job with custom code. `source` is the local path, and by default also the URI."""
    spec = {name: value for name, value in given.items() if name in _SPEC}
    limits = {name: value for name, value in given.items() if name in _LIMITS}
    rest = {name: value for name, value in given.items() if name not in _SPEC | _LIMITS}
    spec = {"is_custom": True, "source_uri": rest.get("source", ""), **spec}
    return RenderJob(
        spec=RenderSpec(code=code, arguments=variables or {}, **spec), limits=RenderLimits(**limits), **rest
    )
