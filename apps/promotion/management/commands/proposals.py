"""manage.py proposals: lists and shows proposals, approves and rejects them, and retires types."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.caller import command_caller
from apps.promotion import decisions, selectors
from apps.promotion.models import Proposal
from apps.ui.differences import diff_lines
from apps.visualizations.exceptions import VisualizationsError


class Command(BaseCommand):
    """Proposals from the command line."""

    help = "List, show, approve or reject proposals, or retire their types."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        one = actions.add_parser("list", help="list every proposal with its newest version")
        one.add_argument("--pending", action="store_true", help="only proposals that wait for a decision")
        one = actions.add_parser("show", help="a version: its file, or what it changes")
        one.add_argument("proposal", help="its id")
        one.add_argument(
            "--version-number", type=int, default=None, metavar="N", help="by default the one in review, or the newest"
        )
        one.add_argument("--difference", action="store_true", help="only the changes against the last approved version")
        for name, words in (("approve", "the version becomes the type"), ("reject", "the author reads why")):
            one = actions.add_parser(name, help=words)
            one.add_argument("proposal", help="its id")
            one.add_argument("number", type=int, help="the version that you have read")
            one.add_argument("--comment", default="", required=name == "reject")
        actions.add_parser("retire", help="no new results of its type").add_argument("proposal", help="its id")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except VisualizationsError as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        caller = command_caller()
        rows = selectors.proposals_pending(caller) if options["pending"] else selectors.proposals_visible(caller)
        for each in rows:
            newest = each.pending or each.latest
            state = "retired" if each.retired_at else newest.known_state.label if newest else "-"
            what = f"{newest.key}, version {newest.number}: {newest.title}" if newest else "-"
            self.stdout.write(f"{each.id}  {state:10}  {each.author_name or '-'}  {what}")

    def _show(self, options: dict[str, Any]) -> None:
        caller, proposal = command_caller(), _proposal(options)
        number = options["version_number"] or (proposal.pending.number if proposal.pending else None)
        version = selectors.version_get(caller, proposal, number)
        self.stdout.write(f"{version}, by {proposal.author_name or '-'}: {version.known_state.label}")
        if version.reviewer_name or version.comment:
            self.stdout.write(f"{version.reviewer_name or 'command'}: {version.comment or '(no comment)'}")
        self.stdout.write("")
        if not options["difference"]:
            self.stdout.write(version.file)
            return
        before = selectors.version_before(caller, version)
        for line in diff_lines(before.file if before else "", version.file):
            self.stdout.write(line.text)

    def _approve(self, options: dict[str, Any]) -> None:
        version = decisions.proposal_approve(
            command_caller(), _proposal(options), options["number"], options["comment"]
        )
        self.stdout.write(f"Approved: {version}. It is the type {version.key} now.")

    def _reject(self, options: dict[str, Any]) -> None:
        version = decisions.proposal_reject(command_caller(), _proposal(options), options["number"], options["comment"])
        self.stdout.write(f"Rejected: {version}.")

    def _retire(self, options: dict[str, Any]) -> None:
        proposal = _proposal(options)
        decisions.proposal_retire(command_caller(), proposal)
        self.stdout.write(f"Retired: {proposal.key}.")


def _proposal(options: dict[str, Any]) -> Proposal:
    return selectors.proposal_get(command_caller(), options["proposal"])
