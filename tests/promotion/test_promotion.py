"""From custom code to a type: drafts, reviews, the catalogue and permissions."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from vizkit.types import registry
from vizkit.types.header import read_type

from apps.accounts import roles
from apps.accounts.models import AuditEntry
from apps.accounts.roles import Role
from apps.promotion import approved as approved_types
from apps.promotion import decisions, selectors, services
from apps.promotion.files import draft_of, file_write
from apps.promotion.models import Proposal, Version, VersionState
from apps.visualizations import selectors as catalogue
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError, NotFoundError, WrongStateError
from apps.visualizations.models import Render
from apps.visualizations.services import inputs, staleness
from apps.visualizations.services.again import render_again
from tests.callers import caller
from tests.promotion.conftest import CODE, person

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "scores_by_label"


def keys():
    return [kind.key for kind in catalogue.type_list()]


def test_draft_is_guessed_from_code_and_artifact(sample, owner):
    found = services.draft_begin(caller(owner), sample)
    assert (found.key, found.title, found.environment) == (KEY, "Scores by label", "base")
    assert (found.artifact_types, found.patterns, found.needs_source) == (("system.Dataset",), ("*.csv",), True)
    assert found.arguments == {
        "column": {"title": "Column", "type": "string"},
        "bins": {"title": "Bins", "type": "integer", "default": 30},
    }
    assert found.required == ("column",)
    assert found.code == CODE


def test_written_file_is_read_back_unchanged(file, tmp_path):
    draft = draft_of(file)
    assert draft_of(file_write(draft)) == draft
    # The downloaded file also works in a folder of types.
    path = tmp_path / "scores.py"
    path.write_text(file)
    assert read_type(path, file).key == KEY
    assert registry.types([tmp_path])[KEY].schema["required"] == ["column"]


def test_draft_is_private_and_not_a_type(draft, owner, member, reviewer):
    assert selectors.proposal_get(caller(owner), draft.id) == draft
    for other in (member, reviewer):
        with pytest.raises(NotFoundError):
            selectors.proposal_get(caller(other), draft.id)
    assert KEY not in keys()


def test_approved_version_is_a_type(approved, reviewer, viewer, submit, work, kernel, settings):
    version = approved.versions.get()
    assert (version.state, version.reviewer_name, version.comment) == ("approved", "grace", "Fine.")
    kind = catalogue.type_get(KEY.upper())
    assert (kind.title, kind.path, kind.is_custom, kind.needs_sandbox) == ("Scores by label", None, False, True)
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX = False
    found = submit(type_key=KEY, arguments={"column": "score"}).render
    work()
    render = Render.objects.get(pk=found.pk)
    assert (render.state, render.is_custom, render.arguments) == ("succeeded", False, {"column": "score", "bins": 30})
    assert render.type_version == kind.version
    assert render.type_version.startswith("v1-")
    assert selectors.approval_of(render) == version
    # Like custom code, it requires a sandbox.
    assert kernel.jobs[-1].needs_sandbox
    with pytest.raises(InvalidRequestError) as refused:
        submit(type_key=KEY, arguments={"column": "score", "bins": "many"})
    assert set(refused.value.fields) == {"arguments.bins"}


def test_edit_is_a_draft_and_approved_version_stays_in_use(approved, edit, owner, reviewer, submit, work):
    before = submit(type_key=KEY, arguments={"column": "score"})
    work()
    edit(approved, "default = 30", "default = 40")
    assert catalogue.type_get(KEY).schema["properties"]["bins"]["default"] == 30
    services.proposal_propose(caller(owner), approved)
    assert catalogue.type_get(KEY).schema["properties"]["bins"]["default"] == 30
    decisions.proposal_approve(caller(reviewer), approved, 2)
    assert catalogue.type_get(KEY).schema["properties"]["bins"]["default"] == 40
    assert catalogue.type_get(KEY).version.startswith("v2-")
    visualization = before.visualization
    visualization.refresh_from_db()
    assert [each.code for each in staleness.made_of_findings(visualization, visualization.latest)] == ["type_changed"]
    assert selectors.approval_of(Render.objects.get(pk=before.render.pk)).number == 1
    old, new = approved.versions.order_by("number")
    assert selectors.version_before(caller(reviewer), new) == old


def test_edit_adds_a_version_and_cannot_change_the_key(approved, edit, owner):
    text = approved.versions.get().file
    with pytest.raises(InvalidRequestError, match="keeps its key"):
        services.proposal_save(caller(owner), approved, text.replace(KEY, "other"))
    assert edit(approved, "default = 30", "default = 31").number == 2
    assert approved.versions.get(number=1).file == text


def test_retired_type_keeps_its_results_and_makes_no_new_ones(
    approved, reviewer, owner, submit, work, sample, file, member
):
    old = submit(type_key=KEY, arguments={"column": "score"})
    work()
    decisions.proposal_retire(caller(reviewer), approved)
    assert KEY not in keys()
    with pytest.raises(InvalidRequestError, match="no visualization type"):
        submit(type_key=KEY, arguments={"column": "score"}, force=True)
    visualization = old.visualization
    visualization.refresh_from_db()
    with pytest.raises(InvalidRequestError):
        render_again(caller(owner), visualization)
    assert visualization.latest.state == "succeeded"
    assert [each.code for each in staleness.made_of_findings(visualization, visualization.latest)] == ["type_gone"]
    with pytest.raises(WrongStateError):
        decisions.proposal_retire(caller(reviewer), approved)
    with pytest.raises(InvalidRequestError, match="already taken"):
        services.proposal_create(caller(owner), sample, file)


def test_retired_type_returns_with_its_next_approved_version(approved, reviewer, owner, edit):
    decisions.proposal_retire(caller(reviewer), approved)
    edit(approved, "default = 30", "default = 31")
    services.proposal_propose(caller(owner), approved)
    decisions.proposal_approve(caller(reviewer), approved, 2)
    assert KEY in keys()


def test_rejection_needs_a_reason_and_author_may_withdraw(proposed, reviewer, owner, edit):
    with pytest.raises(InvalidRequestError, match="Say why"):
        decisions.proposal_reject(caller(reviewer), proposed, 1, " ")
    decisions.proposal_reject(caller(reviewer), proposed, 1, "No title for the axis.")
    assert proposed.versions.get().state == VersionState.REJECTED
    with pytest.raises(WrongStateError):
        decisions.proposal_approve(caller(reviewer), proposed, 1)
    edit(proposed, "default = 30", "default = 31")
    services.proposal_propose(caller(owner), proposed)
    services.proposal_withdraw(caller(owner), proposed)
    assert [each.state for each in proposed.versions.all()] == ["withdrawn", "rejected"]
    assert list(selectors.proposals_pending(caller(reviewer))) == []


def test_reviewer_cannot_approve_a_superseded_version(proposed, reviewer, owner, edit):
    """The author proposes another version while the reviewer is reading."""
    edit(proposed, "default = 30", "default = 31")
    services.proposal_propose(caller(owner), proposed)
    with pytest.raises(WrongStateError, match="version 2 is"):
        decisions.proposal_approve(caller(reviewer), proposed, 1)
    assert [each.state for each in proposed.versions.all()] == ["proposed", "withdrawn"]
    assert KEY not in keys()


def test_own_proposal_is_decided_only_without_another_reviewer(sample, file, owner, reviewer):
    person_roles(owner, Role.ADMINISTRATOR)
    proposal = services.proposal_create(caller(owner), sample, file)
    services.proposal_propose(caller(owner), proposal)
    for decide in (decisions.proposal_approve, decisions.proposal_reject):
        with pytest.raises(NotAllowedError, match="own proposal"):
            decide(caller(owner), proposal, 1, "x")
    reviewer.is_active = False
    reviewer.save()
    version = decisions.proposal_approve(caller(owner), proposal, 1)
    assert version.is_own
    assert "nobody else may" in AuditEntry.objects.get(action="proposal.approve").detail


def person_roles(user, role):
    roles.role_set(user, role)
    for name in ("_perm_cache", "_user_perm_cache", "_group_perm_cache"):
        user.__dict__.pop(name, None)


def test_others_can_neither_see_nor_change_a_proposal(
    proposed, approved, member, viewer, owner, reviewer, sample, file
):
    for user in (member, viewer):
        who = caller(user)
        with pytest.raises(NotFoundError):
            selectors.proposal_get(who, proposed.id)
        assert not selectors.versions_of(who, proposed)
        for call in (
            lambda who: services.draft_begin(who, sample),
            lambda who: services.proposal_create(who, sample, file),
            lambda who: services.proposal_save(who, proposed, file),
            lambda who: services.proposal_propose(who, proposed),
            lambda who: services.proposal_withdraw(who, proposed),
            lambda who: decisions.proposal_approve(who, proposed, 1),
            lambda who: decisions.proposal_reject(who, proposed, 1, "x"),
            lambda who: decisions.proposal_retire(who, proposed),
        ):
            with pytest.raises((NotAllowedError, PermissionDenied)):
                call(who)
    # A reviewer decides but does not edit.
    for call in (services.proposal_propose, services.proposal_withdraw):
        with pytest.raises(NotAllowedError, match="Only its author"):
            call(caller(reviewer), approved)
    with pytest.raises(NotAllowedError, match="permission to approve"):
        decisions.proposal_retire(caller(owner), approved)


def test_drafts_after_an_approval_stay_private(approved, edit, owner, reviewer):
    edit(approved, "default = 30", "default = 31")
    approved.refresh_from_db()
    assert [each.number for each in selectors.versions_of(caller(reviewer), approved)] == [1]
    assert [each.number for each in selectors.versions_of(caller(owner), approved)] == [2, 1]
    with pytest.raises(NotFoundError):
        selectors.version_get(caller(reviewer), approved, 2)


def test_only_successful_custom_code_without_packages_is_proposed(submit, work, owner, row, file, settings):
    table = submit().render
    work()
    with pytest.raises(InvalidRequestError, match="custom code"):
        services.draft_begin(caller(owner), row(table))
    waiting = submit(type_key="custom", code="1").render
    with pytest.raises(InvalidRequestError, match="custom code"):
        services.draft_begin(caller(owner), waiting)
    Render.objects.filter(pk=waiting.pk).update(state="succeeded", dependencies=["humanize"])
    with pytest.raises(InvalidRequestError, match="humanize"):
        services.draft_begin(caller(owner), row(waiting))


def test_second_proposal_with_the_same_key_cannot_be_approved(sample, file, owner, reviewer):
    made = [services.proposal_create(caller(owner), sample, file) for _ in range(2)]
    for each in made:
        services.proposal_propose(caller(owner), each)
    decisions.proposal_approve(caller(reviewer), made[0], 1)
    with pytest.raises(InvalidRequestError, match="already"):
        decisions.proposal_approve(caller(reviewer), made[1], 1)
    assert made[1].versions.get().state == VersionState.PROPOSED


def test_server_type_takes_precedence_over_approved_type(approved, file, settings, tmp_path):
    (tmp_path / "scores.py").write_text(file.replace("Scores by label", "The server's own"))
    settings.VIZPORTAL_TYPES_DIRS = [tmp_path]
    kind = catalogue.type_get(KEY)
    assert (kind.title, kind.needs_sandbox) == ("The server's own", False)
    assert keys().count(KEY) == 1


def test_code_that_matches_no_server_file_needs_a_sandbox(approved, reviewer, submit, settings):
    """This includes code of a type that is no longer in the catalogue: its origin is unknown."""
    settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX = False
    render = submit(type_key=KEY, arguments={"column": "score"}).render
    table = submit(force=True).render
    decisions.proposal_retire(caller(reviewer), approved)
    assert inputs.job_of(render, None, None).needs_sandbox
    assert not inputs.job_of(table, None, None).needs_sandbox
    table.code = "print('an older release')"
    assert inputs.job_of(table, None, None).needs_sandbox
    settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX = True
    assert not inputs.job_of(render, None, None).needs_sandbox


def test_approved_type_is_offered_after_server_types(sample, owner, reviewer, file, kubeflow):
    wide = file.replace('["*.csv"]', '["*.csv", "*predictions*"]').replace(
        '["system.Dataset"]', '["system.Dataset", "ExampleStatistics"]'
    )
    proposal = services.proposal_create(caller(owner), sample, wide)
    services.proposal_propose(caller(owner), proposal)
    decisions.proposal_approve(caller(reviewer), proposal, 1)
    artifact = kubeflow.details.steps[0].artifacts[0]
    order = catalogue.type_order(artifact)
    assert order[0].path is not None
    assert KEY in [kind.key for kind in catalogue.type_suggestions(artifact)]


def test_catalogue_is_read_once_per_request(approved, reviewer):
    assert KEY in keys()
    approved_types.request_begin()
    with CaptureQueriesContext(connection) as asked:
        for _ in range(5):
            assert KEY in keys()
    assert len(asked) == 1
    # Another process retires the type.
    Proposal.objects.filter(pk=approved.pk).update(retired_at=approved.created_at)
    assert KEY in keys()
    approved_types.request_begin()
    assert KEY not in keys()
    Proposal.objects.filter(pk=approved.pk).update(retired_at=None)
    approved_types.request_end()
    assert KEY in keys()
    with CaptureQueriesContext(connection) as asked:
        assert catalogue.type_get("table")
    assert len(asked) == 0


def test_approved_version_with_invalid_file_is_left_out(approved):
    # Approved files do not change, so a new row stands for a file that this process has not read.
    broken = Version.objects.create(proposal=approved, number=9, file="no header", key=KEY, title="x")
    Proposal.objects.update(approved=broken)
    assert KEY not in keys()


def test_every_action_is_in_the_audit_log(approved, owner, reviewer, edit):
    edit(approved, "default = 30", "default = 31")
    services.proposal_propose(caller(owner), approved)
    services.proposal_withdraw(caller(owner), approved)
    edit(approved, "default = 31", "default = 32")
    services.proposal_propose(caller(owner), approved)
    decisions.proposal_reject(caller(reviewer), approved, 3, "Why?")
    decisions.proposal_retire(caller(reviewer), approved)
    found = [
        (each.action, each.username)
        for each in AuditEntry.objects.filter(action__startswith="proposal.").order_by("pk")
    ]
    assert found == [
        ("proposal.create", "author"),
        ("proposal.propose", "author"),
        ("proposal.approve", "grace"),
        ("proposal.save", "author"),
        ("proposal.propose", "author"),
        ("proposal.withdraw", "author"),
        ("proposal.save", "author"),
        ("proposal.propose", "author"),
        ("proposal.reject", "grace"),
        ("proposal.retire", "grace"),
    ]


def test_type_outlives_accounts_of_author_and_reviewer(approved, owner, reviewer, member):
    owner.delete()
    reviewer.delete()
    version = Version.objects.get()
    assert (version.reviewer_name, version.proposal.author_name) == ("grace", "author")
    assert KEY in keys()
    again = person("grace2", Role.ADMINISTRATOR)
    decisions.proposal_retire(caller(again), Proposal.objects.get())
