"""An author, another member, a reviewer and a viewer; a result of the author's code, and proposals of it."""

import pytest
from django.contrib.auth import get_user_model

from apps.accounts import roles
from apps.accounts.roles import Role
from apps.promotion import decisions, services
from apps.promotion.files import file_write
from tests.callers import caller
from tests.visualizations.conftest import (  # noqa: F401  (fixtures)
    browser,
    kernel,
    kubeflow,
    queue,
    row,
    submit,
    valkey_url,
    work,
)

CODE = '''"""Scores by label."""
import pandas as pd

rows = pd.read_csv(source)
column = variables["column"]
bins = variables.get("bins", 30)
rows[column].hist(bins=bins)
'''


def person(name, role):
    user = get_user_model().objects.create_user(name, f"{name}@example.com", "pw")
    roles.role_set(user, role)
    return get_user_model().objects.get(pk=user.pk)


@pytest.fixture(autouse=True)
def custom_on(settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    settings.VIZPORTAL_DEFAULT_ROLE = "none"


@pytest.fixture
def owner(db):
    """The author of the code; the fixtures of visualizations act as this user."""
    return person("author", Role.CODER)


@pytest.fixture
def member(db):
    return person("member", Role.CODER)


@pytest.fixture
def viewer(db):
    return person("viewer", Role.VIEWER)


@pytest.fixture
def reviewer(db):
    return person("grace", Role.ADMINISTRATOR)


@pytest.fixture
def sample(submit, work, owner, row):  # noqa: F811
    """A render of the author's own code."""
    found = submit(type_key="custom", code=CODE, arguments={"column": "score"}).render
    work()
    return row(found)


@pytest.fixture
def file(sample, owner):
    """The file that the form starts with, plus a description."""
    draft = services.draft_begin(caller(owner), sample)
    return file_write(draft).replace('description = ""', 'description = "How often scores occur."')


@pytest.fixture
def draft(sample, owner, file):
    return services.proposal_create(caller(owner), sample, file)


@pytest.fixture
def proposed(draft, owner):
    services.proposal_propose(caller(owner), draft)
    return draft


@pytest.fixture
def approved(proposed, reviewer):
    decisions.proposal_approve(caller(reviewer), proposed, 1, "Fine.")
    return proposed


@pytest.fixture
def edit(owner):
    """Saves a new version of a proposal with one replacement."""

    def change(proposal, before, after):
        text = proposal.versions.first().file
        assert before in text
        return services.proposal_save(caller(owner), proposal, text.replace(before, after))

    return change
