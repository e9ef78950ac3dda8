"""Definition of preview kinds: how a kind recognizes a file, and how it reads one."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from apps.runs.entities import Artifact
from apps.runs.previews.file_names import suffix_of
from apps.runs.previews.preview import PEEK_BYTES, Preview
from apps.runs.previews.source import Source
from apps.runs.previews.texts import Text


class Evidence(enum.IntEnum):
    """How a kind recognized a file, weakest first. The kind with the strongest evidence shows the file."""

    NONE = 0
    ANY_BYTES = 1
    ANY_TEXT = 2
    FIRST_LINES = 3
    """The first lines resemble this kind."""
    FIRST_CHARACTERS = 4
    """The text begins like this kind."""
    RECORDS = 5
    """The first line is a complete record of this kind."""
    KEYWORDS = 6
    """The text contains words that only this kind has."""
    MEDIA = 7
    """The first bytes or the gateway's content type name this kind."""
    SUFFIX = 8
    ARTIFACT_TYPE = 9
    SIGNATURE = 10
    """The first bytes are conclusive, whatever the name and the type say."""
    GATEWAY = 11
    """The gateway says that this is a folder, or that it has no bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewFile:
    """A file to preview.

    Attributes:
        artifact: provides the name, the type and the metadata.
        source: the bytes from the start, including `head`; can be read once.
        head: the first 64 kB.
        text: `head` decoded; None for binary data.
        content_type: as the gateway sent it; "" for none.
        size_bytes: of the whole file; None if the gateway did not say.
        is_directory: the gateway packed a folder into a .tar.gz.
        read_member: previews a file of an archive from its name, bytes and size. None for a file from an archive,
            because only one level is opened.
    """

    artifact: Artifact
    source: Source
    head: bytes
    text: Text | None
    content_type: str = ""
    size_bytes: int | None = None
    is_directory: bool = False
    read_member: Callable[[str, Source, int | None], Preview] | None = None

    @property
    def suffix(self) -> str:
        """The suffix in lower case, including the dot; "" for none."""
        return suffix_of(self.artifact)

    @property
    def is_cut(self) -> bool:
        """Whether the file continues after `head`."""
        return len(self.head) >= PEEK_BYTES if self.size_bytes is None else self.size_bytes > len(self.head)

    @property
    def known_size(self) -> int | None:
        """The size of the whole file; also known without the gateway if `head` is the whole file."""
        return self.size_bytes if self.is_cut else len(self.head)

    @property
    def encoding_note(self) -> str:
        """The encoding as a sentence; "" for UTF-8."""
        return f"Read as {self.text.encoding}." if self.text and self.text.encoding else ""


def _nothing(_file: PreviewFile) -> Evidence:
    return Evidence.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewKind:
    """A way to show a file; its template is templates/runs/previews/<key>.html.

    Attributes:
        key: names the kind and its template.
        read: reads as much of a file as its template shows.
        detect: evidence in the content; a suffix or an artifact type of this kind counts without it.
        suffixes: including the dot; a download whose name has no suffix gets the first.
        artifact_types: KFP's types that are always of this kind.
        is_text: whether the file must decode as text; binary data is shown as such.
        text_suffixes: suffixes of text whose content determines the kind.
        largest_bytes: a larger file is not read; None if the beginning is enough.
        media_type: the media type with which a browser displays the file natively; None if it cannot.
        played_type: returns the media type of sound or video for its first bytes, "" for other files; None for kinds
            that browsers cannot play.
    """

    key: str
    read: Callable[[PreviewFile], Preview]
    detect: Callable[[PreviewFile], Evidence] = _nothing
    suffixes: tuple[str, ...] = ()
    artifact_types: frozenset[str] = frozenset()
    is_text: bool = False
    text_suffixes: frozenset[str] = frozenset()
    largest_bytes: int | None = None
    media_type: Callable[[PreviewFile], str] | None = None
    played_type: Callable[[bytes], str] | None = None

    def evidence(self, file: PreviewFile) -> Evidence:
        """Returns the strongest evidence that a file is of this kind."""
        if file.artifact.type in self.artifact_types:
            return max(Evidence.ARTIFACT_TYPE, self.detect(file))
        if file.suffix in self.suffixes:
            return max(Evidence.SUFFIX, self.detect(file))
        return self.detect(file)

    def names_text(self, artifact: Artifact) -> bool:
        """Whether the name or the type of an artifact says that it is text of this kind, in any encoding."""
        suffix = suffix_of(artifact)
        is_named = suffix in self.suffixes or artifact.type in self.artifact_types
        return suffix in self.text_suffixes or (self.is_text and is_named)
