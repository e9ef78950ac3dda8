"""The gallery: finding, sorting and bulk actions on saved visualizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render as render_page
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.caller import Caller, caller_of
from apps.accounts.rights import Right
from apps.gallery import selectors, services
from apps.gallery.filters import HIGHEST, LOWEST, SORTS, STATES, GalleryFilters, GalleryForm
from apps.visualizations import selectors as visualization_selectors
from apps.visualizations.exceptions import NotAllowedError, NotFoundError
from apps.visualizations.services import cancellation
from apps.visualizations.states import RenderState

if TYPE_CHECKING:
    from django.http import HttpRequest

PAGE_SIZE: Final = 24
_VIEWS: Final = ("cards", "list")
_UNDO: Final = "gallery_undo"
_DONE: Final = {
    "again": "Queued again",
    "delete": "Deleted",
    "tag": "Tagged",
    "untag": "Tag taken off",
    "pin": "Pinned",
    "unpin": "Unpinned",
    "favourite": "Added to your favourites",
    "unfavourite": "Removed from your favourites",
}
_CARRIED: Final = ("type", "pipeline", "run", "step", "artifact", "owner", "tag", "view")
_ENDS: Final = ((HIGHEST, "highest first"), (LOWEST, "lowest first"))
_MOST_FIGURES: Final = 8


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Lists saved visualizations; every filter is in the address."""
    caller = caller_of(request)
    form = GalleryForm(request.GET)
    filters = form.filters()
    found = selectors.visualizations_find(caller, filters)
    page = Paginator(found.ids, PAGE_SIZE).get_page(request.GET.get("page"))
    items = selectors.visualizations_page(caller, list(page.object_list))
    titles = {kind.key: kind.title for kind in visualization_selectors.type_list()}
    favourites = selectors.favourites_among(caller, [each.id for each in items])
    view = request.GET.get("view", "")
    context = {
        "page": page,
        "found": found,
        "rows": [
            {
                "visualization": each,
                "type_title": titles.get(each.type_key, each.type_key),
                "is_favourite": each.id in favourites,
                "figures": list(each.latest.figures.all())
                if each.latest and each.outcome == RenderState.SUCCEEDED
                else [],
            }
            for each in items
        ],
        "filters": filters,
        "errors": [f"{form.fields[name].label}: {texts[0]}" for name, texts in form.errors.items()],
        "chips": form.chips(filters, titles),
        "facets": _facets(found, filters, titles),
        "sorts": _sorts(found, filters),
        "states": STATES,
        # Parameters without a field in the form are kept when it is submitted.
        "carried": [(name, request.GET[name]) for name in _CARRIED if request.GET.get(name)],
        "view": view if view in _VIEWS else _VIEWS[0],
        "older": _older(request, page, found, items, filters),
        "may_create": caller.may(Right.CREATE),
        "undo": request.session.get(_UNDO),
        "address": request.get_full_path(),
    }
    return render_page(request, "visualizations/gallery.html", context)


def _facets(found: selectors.Found, filters: GalleryFilters, titles: dict[str, str]) -> list[dict[str, Any]]:
    """Returns the choices of each kind with counts, except for kinds that are already filtered."""
    facets = []
    for name, label, words in (
        ("type", "Type", titles),
        ("pipeline", "Pipeline", {}),
        ("owner", "Owner", {}),
        ("tag", "Tag", {}),
    ):
        choices = [(value, words.get(value, value), count) for value, count in found.facets[name]]
        if choices and not getattr(filters, name):
            facets.append({"name": name, "label": label, "choices": choices})
    return facets


def _sorts(found: selectors.Found, filters: GalleryFilters) -> list[tuple[str, str]]:
    """Returns the available orders: the usual ones, and those by key figures that the listed types declare."""
    keys = {filters.type, *(key for key, _ in found.facets["type"])}
    kinds = [kind for kind in visualization_selectors.type_list() if kind.key in keys]
    figures = dict.fromkeys(figure.name for kind in kinds for figure in kind.figures)
    names = list(dict.fromkeys([*([filters.figure] if filters.figure else []), *figures]))[:_MOST_FIGURES]
    by_figure = [(f"{mark}{name}", f"{name}, {words}") for name in names for mark, words in _ENDS]
    return [*SORTS, *by_figure]


def _older(request: HttpRequest, page: Any, found: selectors.Found, items: list[Any], filters: GalleryFilters) -> str:
    """Returns the address of the continuation beyond the loaded matches; "" if there is none."""
    if page.has_next() or found.is_all or filters.sort or not items:
        return ""
    query = request.GET.copy()
    query.pop("page", None)
    query["before"] = min(each.created_at for each in items if not each.is_pinned or filters.pinned).isoformat()
    return f"?{query.urlencode()}"


@require_POST
def gallery_selection(request: HttpRequest) -> HttpResponseBase:
    """Applies an action to the selected visualizations: compare, export, add to a report, tag, pin or delete."""
    caller, action = caller_of(request), request.POST.get("action", "")
    chosen = selectors.visualizations_chosen(caller, request.POST.getlist("visualization"), services.MOST_CHOSEN)
    back = _back(request)
    if not chosen:
        messages.warning(request, "Choose at least one visualization.")
        return HttpResponseRedirect(back)
    if action == "compare":
        query = urlencode([("v", str(each.id)) for each in chosen])
        return HttpResponseRedirect(f"{reverse('visualizations:compare')}?{query}")
    if action == "report":
        # Reports are a higher app, so only the name of its URL is known here.
        query = urlencode([("v", str(each.id)) for each in chosen])
        return HttpResponseRedirect(f"{reverse('reports:report_add')}?{query}")
    if action == "export":
        return FileResponse(
            services.selection_export(caller, chosen), as_attachment=True, filename="visualizations.zip"
        )
    if action not in _DONE:
        raise Http404("There is no such action.")
    done, refused = services.selection_act(caller, chosen, action, request.POST.get("value", ""))
    for reason in refused[:5]:
        messages.warning(request, reason)
    if len(refused) > 5:
        messages.warning(request, f"{len(refused) - 5} more were refused.")
    if done and action == "delete":
        _offer_undo(request, [(str(each.id), each.title) for each in done])
    elif done:
        messages.success(
            request, f"{_DONE[action]}: {done[0].title if len(done) == 1 else f'{len(done)} visualizations'}"
        )
    return HttpResponseRedirect(back)


@require_POST
def visualization_delete(request: HttpRequest, visualization_id: Any) -> HttpResponse:
    """Deletes a visualization; the gallery offers to restore it."""
    try:
        visualization = visualization_selectors.visualization_get(caller_of(request), visualization_id)
        cancellation.visualization_delete(caller_of(request), visualization)
    except (NotAllowedError, NotFoundError) as error:
        raise Http404(str(error)) from error
    _offer_undo(request, [(str(visualization.id), visualization.title)])
    return HttpResponseRedirect(reverse("visualizations:gallery"))


@require_POST
def visualization_restore(request: HttpRequest) -> HttpResponse:
    """Restores what this browser deleted last, or the named visualizations."""
    caller = caller_of(request)
    undo = request.session.pop(_UNDO, None) or {}
    restored = _restore(caller, request.POST.getlist("visualization") or undo.get("ids", []))
    if restored:
        words = restored[0] if len(restored) == 1 else f"{len(restored)} visualizations"
        messages.success(request, f"Restored: {words}")
    else:
        messages.warning(request, "There is nothing to restore: it was not deleted, or is gone for good.")
    return HttpResponseRedirect(_back(request))


def _restore(caller: Caller, ids: list[str]) -> list[str]:
    restored = []
    for each in ids[: services.MOST_CHOSEN]:
        try:
            restored.append(cancellation.visualization_restore(caller, each).title)
        except (NotAllowedError, NotFoundError):
            continue
    return restored


def _offer_undo(request: HttpRequest, done: list[tuple[str, str]]) -> None:
    words = done[0][1] if len(done) == 1 else f"{len(done)} visualizations"
    request.session[_UNDO] = {"ids": [each for each, _ in done], "words": words}


def _back(request: HttpRequest) -> str:
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if is_ours else reverse("visualizations:gallery")
