"""A portal connected to a multi-user Kubeflow with two namespaces, six roles, and the objects of each namespace."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from apps.accounts import roles
from apps.accounts.roles import Role
from apps.gallery.models import Favourite
from apps.kfp_service import portal, waiting
from apps.notifications.addresses import Address, target_of
from apps.notifications.models import Alert, Delivery, TargetKind
from apps.preservation.documents import run_write
from apps.preservation.models import PreservedRun
from apps.promotion.models import Proposal, Version
from apps.reports.models import BlockKind, Report, ReportBlock, ReportVersion
from apps.rules.models import Rule
from apps.runs import access
from apps.runs.entities import Run, RunDetails, State
from apps.runs.gateway import details
from apps.runs.models import RunTag, SavedFilter
from apps.sharing.models import Share
from apps.visualizations.models import ApiToken, QueuePause, Render, Visualization, token_digest
from apps.visualizations.services import compared, recipes
from apps.visualizations.specs import spec_read
from tests.access import multi_user
from tests.environments import ENVIRONMENTS
from tests.visualizations.conftest import browser, kernel, queue, valkey_url  # noqa: F401  (fixtures)

ROLES = ("anonymous", "viewer_a", "member_a", "member_b", "administrator", "superuser")
"""The roles of the matrix. Viewer and members have that role in the portal and one namespace in Kubeflow. The
administrator has no namespace, and the superuser has both.
"""
_KUBEFLOW = {"viewer_a": ["team-a"], "member_a": ["team-a"], "member_b": ["team-b"], "superuser": ["team-a", "team-b"]}
_PORTAL = {
    "viewer_a": Role.VIEWER,
    "member_a": Role.CODER,
    "member_b": Role.CODER,
    "administrator": Role.ADMINISTRATOR,
    "superuser": Role.NONE,
}


@pytest.fixture
def kubeflow(settings, monkeypatch):
    """The multi-user Kubeflow, with empty caches."""
    access.cache.clear()
    for name in ("kept_steps", "kept_specs", "kept_names"):
        monkeypatch.setattr(details, name, details.Kept(8))
    with multi_user.serve() as served:
        served.rights = {f"{name}@example.org": spaces for name, spaces in _KUBEFLOW.items()}
        settings.VIZPORTAL_ENDPOINTS = json.dumps(
            [
                {
                    "key": "mesh",
                    "host": served.url,
                    "namespaces": list(multi_user.NAMESPACES),
                    "user_header": "kubeflow-userid",
                    "timeout_s": 5,
                }
            ]
        )
        yield served


@pytest.fixture(autouse=True)
def kept_connection(monkeypatch):
    """Keeps the connection open: each call is rolled back, and closing it would end the transaction too early."""
    for module in (portal, waiting):
        monkeypatch.setattr(module, "close_old_connections", lambda: None)


@pytest.fixture
def people(db, settings):
    """The account of each role; None for anonymous."""
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    found = {"anonymous": None}
    for name, role in _PORTAL.items():
        user = get_user_model().objects.create_user(name, f"{name}@example.org", is_superuser=name == "superuser")
        roles.role_set(user, role)
        found[name] = get_user_model().objects.get(pk=user.pk)
    return found


@pytest.fixture
def clients(people):
    """A client for each role."""
    found = {}
    for name, user in people.items():
        found[name] = Client(raise_request_exception=False)
        if user is not None:
            found[name].force_login(user)
    return found


@pytest.fixture
def world(kubeflow, people, kernel, queue, settings):  # noqa: F811
    """The objects of each namespace: a run, visualizations with files, a tag, a filter, a token and others.

    `places[namespace]` has the values that paths in the matrix refer to.
    """
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    settings.VIZPORTAL_NOTIFY_ALLOW = ["http://127.0.0.1:9/"]
    # The real environment draws the pictures of results.
    settings.VIZPORTAL_ENVIRONMENTS_DIR = ENVIRONMENTS.built_dir
    owners = {"team-a": people["member_a"], "team-b": people["member_b"]}
    places = {namespace: _place(namespace, owner) for namespace, owner in owners.items()}
    return SimpleNamespace(kubeflow=kubeflow, people=people, places=places)


def _place(namespace, owner):
    run_id = f"r-{namespace}"
    render = _render(
        namespace, owner, f"curve of {namespace}", run_id=run_id, step_id="read-data", artifact_name="data"
    )
    render.state, render.receipt = "succeeded", f"receipt of {namespace}"
    render.html = default_storage.save(
        f"{namespace}.html", ContentFile(f"<p>{namespace}</p><svg width='9' height='9'></svg>".encode())
    )
    render.notebook = default_storage.save(f"{namespace}.ipynb", ContentFile(b"{}"))
    render.save()
    recipe = recipes.recipe_keep(render.visualization, spec_read(render))
    Visualization.objects.filter(pk=render.visualization_id).update(latest=render, recipe=recipe)
    kept = RunDetails(run=Run(id=run_id, name=f"run of {namespace}", state=State.SUCCEEDED), steps=())
    PreservedRun.objects.create(
        endpoint_key="mesh",
        namespace=namespace,
        run_id=run_id,
        content=run_write(kept, 10_000)[0],
        saved_at=timezone.now(),
        next_at=None,
    )
    Favourite.objects.create(user=owner, visualization_id=render.visualization_id)
    twin = _render(namespace, owner, f"second of {namespace}", run_id=run_id)
    Render.objects.filter(pk=twin.pk).update(state="succeeded", receipt=f"second receipt of {namespace}")
    both = _render(namespace, owner, f"comparison of {namespace}", type_key="comparison")
    Render.objects.filter(pk=both.pk).update(state="succeeded", receipt=f"third receipt of {namespace}")
    Visualization.objects.filter(pk=both.visualization_id).update(
        source_uri=compared.results_uri([render.id, twin.id]), latest=both
    )
    queued = _render(namespace, owner, f"waits in {namespace}", arguments={"column": f"secret of {namespace}"})
    RunTag.objects.create(endpoint_key="mesh", namespace=namespace, run_id=run_id, name=f"tag of {namespace}")
    token = ApiToken.objects.create(user=owner, name=f"script of {namespace}", digest=f"digest of {namespace}")
    rule = Rule.objects.create(
        name=f"rule of {namespace}",
        owner=owner,
        recipe=recipe,
        endpoint_key="mesh",
        namespace=namespace,
        pipeline_pattern="x",
        cursor=timezone.now(),
    )
    alert = Alert.objects.create(name=f"alert of {namespace}", owner=owner, recipe=recipe, event="render_failed")
    target = target_of(Address(kind=TargetKind.WEBHOOK, address="http://127.0.0.1:9/x", secret="s"))
    target.alert = alert
    target.save()
    delivery = Delivery.objects.create(alert=alert, target=target, key="test:x", message={"title": "x"}, state="sent")
    report = _report(namespace, owner, render)
    sample, proposal = _proposal(namespace, owner)
    token_of_share = f"token-of-{namespace}".ljust(43, "x")
    share = Share.objects.create(
        render=render,
        created_by=owner,
        digest=token_digest(token_of_share),
        prefix="token-",
        expires_at=timezone.now() + timedelta(days=1),
    )
    saved = SavedFilter.objects.create(owner=owner, endpoint_key="mesh", name=f"mine, {namespace}", query="q=x")
    return {
        "namespace": namespace,
        "owner": owner,
        "run": run_id,
        "experiment": f"e-{namespace}",
        "step": "read-data",
        "artifact": "1",
        "recurring": f"s-{namespace}",
        "visualization": render.visualization_id,
        "render": render.id,
        "twin": twin.id,
        "comparison": both.visualization_id,
        "recipe": recipe.id,
        "rule": rule.id,
        "alert": alert.id,
        "delivery": delivery.id,
        "report": report.id,
        "sample": sample.id,
        "proposal": proposal.id,
        "file": proposal.versions.get().file,
        "share": share.id,
        "pause": QueuePause.objects.get_or_create(environment="elsewhere", defaults={"reason": "x"})[0].pk,
        "token_of_share": token_of_share,
        "queued": queued.id,
        "token": token.pk,
        "filter": saved.pk,
        "user": owner.pk,
    }


def _proposal(namespace, owner):
    """Creates a version in review from the owner's own code."""
    sample = _render(namespace, owner, f"sample of {namespace}", type_key="custom")
    page = default_storage.save(f"sample of {namespace}.html", ContentFile(b"<p>page</p>"))
    Render.objects.filter(pk=sample.pk).update(
        state="succeeded", is_custom=True, code="1", html=page, receipt=f"fourth receipt of {namespace}"
    )
    header = f'# key = "type_{namespace[-1]}"\n# title = "type {namespace[-1]}"\n# description = "x"'
    proposal = Proposal.objects.create(author=owner, author_name=owner.get_username())
    version = Version.objects.create(
        proposal=proposal,
        number=1,
        file=f"# /// script\n# [tool.vizportal]\n{header}\n# ///\n1\n",
        key=f"type_{namespace[-1]}",
        title=f"type {namespace[-1]}",
        state="proposed",
        sample=sample,
    )
    Proposal.objects.filter(pk=proposal.pk).update(latest=version, pending=version)
    return sample, proposal


def _report(namespace, owner, render):
    report = Report.objects.create(
        title=f"report of {namespace}", owner=owner, endpoint_key="mesh", namespace=namespace
    )
    version = ReportVersion.objects.create(report=report, number=1, title=report.title, author=owner)
    ReportBlock.objects.create(version=version, position=0, kind=BlockKind.RENDER, target_id=render.id)
    return report


def _render(namespace, owner, title, *, arguments=None, **values):
    visualization = Visualization.objects.create(
        title=title,
        endpoint_key="mesh",
        namespace=namespace,
        owner=owner,
        **{"type_key": "table", **values},
    )
    needed = {"code": "", "type_version": "1", "environment": "base", "timeout_s": 1, "arguments": arguments or {}}
    return Render.objects.create(visualization=visualization, number=1, requested_by=owner, **needed)
