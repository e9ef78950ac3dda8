"""Creates drafts from results or saved versions, and checks whether a caller may see what they show."""

from __future__ import annotations

from collections.abc import Sequence

from apps.accounts.caller import Caller
from apps.reports import selectors
from apps.reports.blocks import Draft, drafts_of
from apps.reports.models import BlockKind, Report, ReportBlock
from apps.runs import access
from apps.runs.exceptions import RunsError
from apps.runs.gateway import endpoints
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.models import Visualization
from apps.visualizations.selectors import results_latest


def drafts_from(visualizations: Sequence[Visualization], kind: BlockKind = BlockKind.RENDER) -> list[Draft]:
    """Returns drafts that show visualizations; those that cannot be shown that way are left out.

    Args:
        visualizations: visualizations that the caller may see.
        kind: `RENDER` pins the newest successful result of each, or the latest render if there is none.
    """
    if kind is BlockKind.RENDER:
        rows = Visualization.objects.filter(id__in=[each.id for each in visualizations])
        good = dict(results_latest(rows).values_list("id", "good"))
        targets = [good.get(each.id, each.latest_id) for each in visualizations]
    else:
        targets = [each.id if kind is BlockKind.VISUALIZATION else each.recipe_id for each in visualizations]
    return [Draft(kind=kind, target_id=each) for each in targets if each]


def drafts_saved(caller: Caller, report: Report, number: int) -> list[Draft]:
    """Returns the blocks of a saved version as drafts.

    Raises:
        NotFoundError: there is no such version, or the caller may not see it.
    """
    return drafts_of(selectors.version_get(caller, report, number).blocks.all())


def blocks_check(caller: Caller, drafts: Sequence[Draft], *, known: Report | None = None) -> None:
    """Rejects drafts that show a result which does not exist or which the caller may not see.

    Args:
        known: the report being changed; results that it already shows may stay.

    Raises:
        InvalidRequestError: names the block.
    """
    results = set(selectors.results_named(caller, drafts))
    if known is not None:
        rows = ReportBlock.objects.filter(version__report=known, version__number=known.number)
        results |= {(BlockKind(each.kind), each.target_id) for each in rows}
    for number, each in enumerate(drafts):
        if each.target_id and (each.kind, each.target_id) not in results:
            message = "There is no such result, or you may not see it."
            raise InvalidRequestError(message, fields={f"blocks.{number}.id": message})


def place_for(caller: Caller, drafts: Sequence[Draft], namespace: str = "") -> tuple[str, str]:
    """Returns the endpoint's key and the namespace for a new report.

    Without `namespace` they are those of its results, if all have the same; otherwise the namespace that the caller
    chose, or the first that they may read. With none of these the report is visible to the caller only.
    """
    shown = [each.visualization for each in selectors.results_named(caller, drafts).values() if each]
    places = {(each.endpoint_key, each.namespace) for each in shown}
    if len(places) == 1 and not namespace:
        return places.pop()
    try:
        config = endpoints.endpoint(caller.endpoint_key)
    except RunsError:
        return caller.endpoint_key, namespace or caller.namespace
    wanted = namespace or caller.namespace
    if not config.is_multi_user:
        return config.key, ""
    offered = [] if wanted else [(config.key, each) for each in config.namespaces if each != endpoints.ANY_NAMESPACE]
    readable = access.readable(caller, offered)
    return config.key, wanted or next((name for key, name in offered if (key, name) in readable), "")
