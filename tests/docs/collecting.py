"""Collects the fenced blocks of the documents, and records which of them a test executes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "packages/*/README.md")
    for path in ROOT.glob(pattern)
)
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. Its key is its document and its first 60 characters without a comment."""

    document: str
    language: str
    text: str

    @property
    def key(self) -> str:
        first = re.split(r"\s{2,}#", self.text.lstrip().splitlines()[0])[0]
        return f"{self.document}: {first[:60].strip()}"


def _read() -> dict[str, Block]:
    found: dict[str, Block] = {}
    for document in DOCUMENTS:
        for indent, language, text in _FENCE.findall((ROOT / document).read_text()):
            block = Block(str(document), language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))
            assert block.key not in found, f"two blocks begin alike: {block.key}"
            found[block.key] = block
    return found


BLOCKS = _read()
executed: set[str] = set()


def executes(*keys: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declares that the decorated test executes these blocks. It gets each block's text as argument `block`."""
    missing = [key for key in keys if key not in BLOCKS]
    assert not missing, f"no document has {missing}; known are {sorted(BLOCKS)}"
    executed.update(keys)
    return pytest.mark.parametrize("block", [BLOCKS[key].text for key in keys], ids=keys)


def changed(text: str, **values: str) -> str:
    """Returns a block with parts of it replaced. Each part must exist.

    Args:
        values: replacements for the keys of PLACEHOLDERS.
    """
    for name, value in values.items():
        assert PLACEHOLDERS[name] in text, f"{PLACEHOLDERS[name]} is not in the block"
        text = text.replace(PLACEHOLDERS[name], value)
    return text


# Parts that a reader replaces, and ports, which differ only in tests.
PLACEHOLDERS = {
    "token": "vzp_...",
    "portal": "http://127.0.0.1:8000",
    "portal_kubeflow": "http://127.0.0.1:8001",
    "localkfp": "http://127.0.0.1:8888",
    "localkfp_port": "--port 8888",
    "bind": "127.0.0.1:8888",
    "repository": "<this repository>",
}
