"""manage.py rules: lists rules, tries them on or applies them to earlier runs, runs the reconciler's part once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.caller import absent_caller, command_caller
from apps.rules import applying, selectors, services
from apps.rules.models import Rule
from apps.runs.exceptions import RunsError
from apps.visualizations.exceptions import VisualizationsError


class Command(BaseCommand):
    """Rules from the command line. Kubeflow is queried on behalf of the rule's owner."""

    help = "List, try, apply, pause, resume or cancel rules; run does one pass of the reconciler."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="show every rule with its counts")
        actions.add_parser("run", help="find and render the runs of every rule that is due, once")
        for name, words in (
            ("dry-run", "show which earlier runs match"),
            ("apply", "render the earlier runs that match"),
        ):
            one = actions.add_parser(name, help=words)
            one.add_argument("rule", help="its id")
            one.add_argument("--last", type=int, default=50, help="how many of the newest runs")
        for name in ("pause", "resume", "cancel"):
            actions.add_parser(name).add_argument("rule", help="its id")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"]
        if action == "list":
            self._list()
        elif action == "run":
            self.stdout.write(f"{applying.rules_pass()} runs met, queued or ended.")
        else:
            try:
                self._one(action, _rule(options["rule"]), options)
            except (VisualizationsError, RunsError) as error:
                raise CommandError(str(error)) from error

    def _list(self) -> None:
        caller = command_caller()
        for rule in selectors.rules_visible(caller):
            counts = ", ".join(f"{count} {state}" for state, count in selectors.rule_counts(caller, rule).items())
            state = "on" if rule.is_enabled else "paused"
            self.stdout.write(f"{rule.id}  {state:6}  {rule.owner.get_username()}  {rule.name}  {counts}")

    def _one(self, action: str, rule: Rule, options: dict[str, Any]) -> None:
        caller = command_caller()
        if action == "dry-run":
            owner, conditions = absent_caller(rule.owner), selectors.conditions_of(rule)
            tried = services.rule_dry_run(owner, rule.recipe, conditions, options["last"], rule_id=rule.id)
            for run in tried.found.runs:
                self.stdout.write(f"{run.id}  {run.created_at}  {run.name}")
            self.stdout.write(f"{len(tried.found.runs)} match, {tried.rendered} of them rendered already.")
        elif action == "apply":
            self.stdout.write(f"{services.rule_apply_to_last(caller, rule, options['last'])} runs will be rendered.")
        elif action == "cancel":
            self.stdout.write(f"Cancelled for {services.rule_cancel(caller, rule)} runs.")
        else:
            services.rule_change(caller, rule, is_enabled=action == "resume")


def _rule(rule_id: str) -> Rule:
    try:
        return selectors.rule_get(command_caller(), rule_id)
    except (VisualizationsError, ValidationError) as error:
        raise CommandError("There is no such rule.") from error
