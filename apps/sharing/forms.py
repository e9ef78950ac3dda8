"""The form of a new link."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from apps.sharing.services import days_clean

LATEST = "latest"
PINNED = "pinned"


class ShareForm(forms.Form):
    """A link's target, its duration, and the origins that may frame it."""

    what = forms.ChoiceField(label="Shows", required=False)
    days = forms.IntegerField(label="Days until it ends", min_value=1)
    origins = forms.CharField(
        label="Pages that may embed it",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "https://wiki.example.com"}),
        help_text="One origin per line. Empty: no other site may embed it.",
    )

    def __init__(self, data: Any = None, *, render_number: int | None = None) -> None:
        """Offers the render with this number as well as the latest; None for a report."""
        super().__init__(data, initial={"days": days_clean(None), "what": LATEST})
        most = settings.VIZPORTAL_SHARE_MAX_DAYS
        self.fields["days"].help_text = f"1 to {most}. You can revoke it earlier."
        self.fields["days"].widget.attrs["max"] = most
        if render_number is None:
            del self.fields["what"]
        else:
            choices = [(LATEST, "always the latest result"), (PINNED, f"this result, render {render_number}")]
            self.fields["what"] = forms.ChoiceField(label="Shows", choices=choices)
