"""Callers as the entry points build them, for tests that call a service themselves."""

from types import SimpleNamespace

from apps.accounts.caller import Caller, CallerKind, command_caller
from apps.visualizations.models import ApiToken
from apps.visualizations.services.tokens import token_create


def caller(user, **facts):
    """Returns the caller of a person's page; Kubeflow is asked with nothing of theirs."""
    return Caller(**{"kind": CallerKind.PAGE, "user": user, "request": SimpleNamespace(headers={}), **facts})


def token_of(user, name="script", **values):
    """Makes a token of a person's by command and returns the token itself."""
    return token_create(command_caller(), ApiToken(user=user, name=name, **values))
