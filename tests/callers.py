"""Builds callers as the entry points do, for tests that call a service directly."""

from types import SimpleNamespace

from apps.accounts.caller import Caller, CallerKind, command_caller
from apps.visualizations.models import ApiToken
from apps.visualizations.services.tokens import token_create


def caller(user, **facts):
    """Returns the caller of a user's page, without the user's credential for Kubeflow."""
    return Caller(**{"kind": CallerKind.PAGE, "user": user, "request": SimpleNamespace(headers={}), **facts})


def token_of(user, name="script", **values):
    """Creates a user's token with the command and returns it."""
    return token_create(command_caller(), ApiToken(user=user, name=name, **values))
