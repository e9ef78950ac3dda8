"""Saved comparisons: visualizations whose source is the results of other visualizations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.visualizations import selectors
from apps.visualizations.exceptions import InvalidRequestError, NotFoundError
from apps.visualizations.models import Render
from apps.visualizations.services.code import spec_begin
from apps.visualizations.services.compared import MOST_RESULTS, results_uri
from apps.visualizations.services.requests import CheckedRequest, arguments_clean, options_clean, title_clean
from apps.visualizations.services.rights import right_check
from apps.visualizations.services.submission import Submission, request_submit
from apps.visualizations.states import RenderState

COMPARISON_TYPE: Final = "comparison"


def comparison_create(
    caller: Caller,
    render_ids: Sequence[UUID],
    *,
    title: str = "",
    arguments: Mapping[str, Any] | None = None,
    force: bool = False,
) -> Submission:
    """Queues a comparison of results, or returns the saved one with the same results and arguments.

    Args:
        render_ids: the results to compare; the first is the reference for the others.
        title: "" for one made of the first and last result's titles.

    Raises:
        NotAllowedError: the caller may not create.
        NotFoundError: a result does not exist, or the caller may not see it.
        InvalidRequestError: fewer than two results, more than MOST_RESULTS, results of several namespaces or endpoints,
            a result that did not succeed, or wrong arguments.
        TooManyQueuedError: see `visualization_create`.
    """
    right_check(caller, Right.CREATE)
    renders = _renders(caller, list(dict.fromkeys(render_ids)))
    kind = selectors.type_get(COMPARISON_TYPE)
    first = renders[0].visualization
    spec = replace(
        spec_begin(kind, ""),
        arguments=arguments_clean(kind, arguments or {}),
        source_uri=results_uri(each.id for each in renders),
        source_scope=(first.endpoint_key, "", "", ""),
        **options_clean({}),
    )
    pipelines = {each.visualization.pipeline_name for each in renders}
    checked = CheckedRequest(
        type_key=kind.key,
        spec=spec,
        title=title_clean(title) or title_clean(_title(renders), is_cut=True),
        is_titled=bool(title.strip()),
        endpoint_key=first.endpoint_key,
        namespace=first.namespace,
        pipeline_name=first.pipeline_name if len(pipelines) == 1 else "",
        details=None,
        step=None,
        artifact=None,
    )
    return request_submit(caller, checked, force=force)


def _renders(caller: Caller, ids: Sequence[UUID]) -> list[Render]:
    visible = selectors.renders_visible(caller).filter(id__in=ids[: MOST_RESULTS + 1]).in_bulk()
    renders = [visible[each] for each in ids if each in visible]
    if len(renders) < len(ids[: MOST_RESULTS + 1]):
        raise NotFoundError("One of these results does not exist, or is not visible to you.")
    if len(renders) < 2:
        raise _wrong("A comparison needs two results or more.")
    if len(ids) > MOST_RESULTS:
        raise _wrong(f"A comparison has at most {MOST_RESULTS} results; {len(ids):,} are named.")
    if any(each.state != RenderState.SUCCEEDED for each in renders):
        raise _wrong("Only results that succeeded can be compared.")
    if len({(each.visualization.endpoint_key, each.visualization.namespace) for each in renders}) > 1:
        raise _wrong(
            "These results are of several namespaces or endpoints, so that not everybody who may see one may see the "
            "others. Compare those of one."
        )
    return renders


def _title(renders: Sequence[Render]) -> str:
    titles = list(dict.fromkeys(each.visualization.title for each in renders))
    named = titles[0] if len(titles) == 1 else f"{titles[0]} and {titles[-1]}"
    return f"Comparison of {len(renders)}: {named}" if len(renders) > 2 else f"Comparison: {named}"


def _wrong(message: str) -> InvalidRequestError:
    return InvalidRequestError.at("results", message)
