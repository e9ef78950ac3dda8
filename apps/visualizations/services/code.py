"""The code that a render runs, with its environment and the packages it adds."""

from __future__ import annotations

from django.conf import settings
from renderer import EnvironmentUnusableError, RenderSpec
from renderer.overlays import OverlayError, requirements_clean
from vizkit.types.entities import VisualizationType
from vizkit.types.headerless import environment_of, parse
from vizkit.types.inline_metadata import InlineMetadataError, read_inline_metadata

from apps.visualizations.environments import environments, has_queue
from apps.visualizations.exceptions import CustomOffError, InvalidRequestError
from apps.visualizations.services import hosts
from apps.visualizations.states import Reason

MAX_CODE_CHARS = 200_000


def custom_check(kind: VisualizationType) -> None:
    """Raises CustomOffError if the type runs custom code and the server does not allow it."""
    if kind.is_custom and not settings.ALLOW_CUSTOM_VISUALIZATIONS:
        raise CustomOffError


def spec_begin(kind: VisualizationType, code: str, environment: str = "") -> RenderSpec:
    """Returns the spec of a type's code, without arguments and source.

    Args:
        code: for CUSTOM only; its PEP 723 block may request packages and, in `[tool.vizportal]`, an environment.
        environment: for CUSTOM only; "" takes the one that the block names, else one that has the imported packages.

    Raises:
        InvalidRequestError: `code`, `environment` or `type` is wrong.
    """
    if not kind.is_custom:
        if code.strip():
            raise InvalidRequestError.at("code", f"{kind.title} takes no code; only CUSTOM does.")
        return _spec(kind, kind.code, kind.environment, (), field="type")
    if not code.strip():
        raise InvalidRequestError.at("code", "Write the Python code to run.")
    if len(code) > MAX_CODE_CHARS or "\0" in code:
        raise InvalidRequestError.at("code", f"The code must have at most {MAX_CODE_CHARS:,} characters and no NUL.")
    own = code.replace("\r\n", "\n")
    asked, dependencies = _asked(own)
    field = "environment" if environment or asked else "code"
    # Packages that the script requests are installed on top of the type's own environment.
    found = kind.environment if dependencies else environment_of(parse(own))
    return _spec(kind, own, environment or asked or found, dependencies, field=field)


def _asked(code: str) -> tuple[str, tuple[str, ...]]:
    """Returns the environment and the packages that a script's own block requests."""
    try:
        metadata = read_inline_metadata(code)
        if metadata is None:
            return "", ()
        dependencies = requirements_clean(metadata.dependencies)
    except (InlineMetadataError, OverlayError) as error:
        raise InvalidRequestError.at(
            "code", f"The script's header: {error}.", code=Reason.DEPENDENCIES_REFUSED
        ) from error
    if dependencies and not settings.VIZPORTAL_ALLOW_DEPENDENCIES:
        message = (
            f"The script asks for packages ({', '.join(dependencies)[:200]}), which this server does not install "
            "(VIZPORTAL_ALLOW_DEPENDENCIES). Without the list it runs with what its environment has."
        )
        raise InvalidRequestError.at("code", message, code=Reason.DEPENDENCIES_REFUSED)
    tool = metadata.values.get("tool", {})
    own = tool.get("vizportal", {}) if isinstance(tool, dict) else {}
    return str(own.get("environment", "")) if isinstance(own, dict) else "", dependencies


def _spec(
    kind: VisualizationType, code: str, environment: str, dependencies: tuple[str, ...], *, field: str
) -> RenderSpec:
    try:
        digest = environments().get(environment).lock_digest
    except EnvironmentUnusableError as error:
        raise InvalidRequestError.at(field, str(error), code=Reason.ENVIRONMENT_MISSING) from error
    if not has_queue(environment):
        message = f"No worker here serves the environment {environment!r}, which {kind.title} needs."
        raise InvalidRequestError.at(field, message, code=Reason.ENVIRONMENT_MISSING)
    if not hosts.environment_available(environment):
        raise InvalidRequestError.at(field, hosts.environment_missing(environment), code=Reason.ENVIRONMENT_MISSING)
    return RenderSpec(
        code=code,
        is_custom=kind.is_custom,
        type_version=kind.version,
        environment=environment,
        environment_lock=digest,
        dependencies=dependencies,
        kernel=kind.kernel,
    )
