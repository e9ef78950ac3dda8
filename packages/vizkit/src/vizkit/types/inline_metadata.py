"""PEP 723: the block of TOML at the top of a script."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any, Final

# The reference implementation's expression: https://packaging.python.org/en/latest/specifications/inline-script-metadata/
_BLOCK: Final = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")

_OPENS: Final = re.compile(r"(?m)^# /// ")
# Each of these lines is tried against all that follow: tens of thousands of them would take a minute.
_MOST_OPENINGS: Final = 50


class InlineMetadataError(ValueError):
    """A script has more than one block, or one that is no TOML; the text says which."""


@dataclass(frozen=True, slots=True)
class InlineMetadata:
    """A script's block.

    Attributes:
        values: the TOML's.
        end: where the script goes on behind the block.
    """

    values: dict[str, Any]
    end: int

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The requirements it asks for.

        Raises:
            InlineMetadataError: no list of texts.
        """
        found = self.values.get("dependencies", [])
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise InlineMetadataError('`dependencies` must be a list of requirements, such as ["humanize>=4"]')
        return tuple(found)


def read_inline_metadata(text: str) -> InlineMetadata | None:
    """Returns a script's `# /// script` block, None where it has none.

    Raises:
        InlineMetadataError: see there.
    """
    if len(_OPENS.findall(text)) > _MOST_OPENINGS:
        raise InlineMetadataError("too many lines begin with `# ///`, which marks a header")
    blocks = [match for match in _BLOCK.finditer(text) if match["type"] == "script"]
    if not blocks:
        return None
    if len(blocks) > 1:
        raise InlineMetadataError(f"needs exactly one `# /// script` block (PEP 723), found {len(blocks)}")
    lines = blocks[0]["content"].splitlines()
    content = "\n".join(line[2:] if line.startswith("# ") else line[1:] for line in lines)
    try:
        return InlineMetadata(tomllib.loads(content), blocks[0].end())
    except ValueError as error:  # a number of thousands of digits is one as well
        raise InlineMetadataError(f"the header is not valid TOML: {error}") from error
    except RecursionError:
        raise InlineMetadataError("the header is nested too deeply") from None
