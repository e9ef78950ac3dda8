"""Turns a shell's output into the cells of a notebook without sockets, by passing ipykernel's messages to nbclient.

The shell is ipykernel's own, the messages are those of the Jupyter protocol, and nbclient's code turns them into
outputs (display updates, `clear_output`, widget state). Only the transport between the two is replaced.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import comm
import nbformat
from comm.base_comm import BaseComm
from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session
from nbclient import NotebookClient

# A stream's text is delivered in larger pieces, because one message per `print` would slow long loops down.
_PIECE: Final = 64 * 1024


class Recorder:
    """Adds messages to the outputs of the running cell.

    Attributes:
        on_overflow: called when all outputs together exceed `max_bytes`; does not return.
    """

    def __init__(self) -> None:
        self.session = _Session(self._deliver)
        self.streams: tuple[Any, ...] = ()
        self.max_bytes = 0
        self.on_overflow: Callable[[], None] = lambda: None
        self.client = NotebookClient(nbformat.v4.new_notebook(), store_widget_state=True)
        self.client.kc = SimpleNamespace(session=self.session, shell_channel=SimpleNamespace(send=self._answer))
        self._answers: list[dict[str, Any]] = []
        self._cell: Any = None
        self._index = 0
        self._bytes = 0

    def begin(self, notebook: Any) -> None:
        """Starts a notebook and discards all state of an earlier one."""
        self.client.nb = notebook
        self.client.reset_execution_trackers()
        self._bytes = 0

    def open_cell(self, cell: Any, index: int) -> dict[str, Any]:
        """Makes a cell the current one; returns the request that its output answers."""
        self._cell, self._index = cell, index
        self.client.clear_before_next_output = False
        return {"header": {"msg_id": f"cell-{index}", "msg_type": "execute_request", "session": "", "username": ""}}

    def close_cell(self) -> None:
        """Collects the text that the streams still hold, and tells the kernel side what widgets captured."""
        for stream in self.streams:
            stream.flush()
        answers, self._answers = self._answers, []
        for message in answers:
            target = comm.get_comm_manager().get_comm(message["content"]["comm_id"])
            if target is not None:
                target.handle_msg(message)
        self._cell.outputs = _joined(self._cell.outputs)

    def finish(self) -> None:
        """Writes the widgets' state into the notebook."""
        self.client.set_widgets_metadata()

    def _deliver(self, message: dict[str, Any]) -> None:
        if self._cell is None:
            return
        _encode(message["content"])
        self._count(message["content"])
        self.client.process_message(message, self._cell, self._index)

    def _count(self, content: dict[str, Any]) -> None:
        texts = content.get("data") or content
        if isinstance(texts, dict):
            self._bytes += sum(len(text) for text in texts.values() if isinstance(text, str))
        if self.max_bytes and self._bytes > self.max_bytes:
            self.max_bytes = 0
            self.on_overflow()

    def _answer(self, message: dict[str, Any]) -> None:
        self._answers.append(message)


def _encode(content: dict[str, Any]) -> None:
    """Encodes the data of an output as a kernel's transport would: bytes become base64, dates become text."""
    data = content.get("data")
    if not isinstance(data, dict):
        return
    for mime, value in data.items():
        if isinstance(value, bytes | bytearray | memoryview):
            data[mime] = base64.b64encode(value).decode("ascii")
        elif not isinstance(value, str):
            data[mime] = json.loads(json.dumps(value, default=json_default))


def _joined(outputs: list[Any]) -> list[Any]:
    """Returns the outputs with adjacent outputs of the same stream merged."""
    found: list[Any] = []
    texts: list[str] = []
    for output in outputs:
        is_more = found and output.output_type == "stream" == found[-1].output_type and output.name == found[-1].name
        if is_more:
            texts.append(output.text)
            continue
        if texts:
            found[-1].text = "".join(texts)
        texts = [output.text] if output.output_type == "stream" else []
        found.append(output)
    if texts:
        found[-1].text = "".join(texts)
    return found


class _Session(Session):  # type: ignore[misc]
    """Replaces ipykernel's session, which signs, packs and sends messages, by one that passes them on."""

    def __init__(self, deliver: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(key=b"")
        self._deliver = deliver

    def msg(
        self, msg_type: str, content: Any = None, parent: Any = None, header: Any = None, metadata: Any = None
    ) -> dict[str, Any]:
        """Returns a message without the identity, which only a network transport needs."""
        above = parent.get("header", parent) if parent else {}
        return {
            "header": header or {"msg_type": msg_type},
            "msg_type": msg_type,
            "parent_header": above,
            "content": content or {},
            "metadata": metadata or {},
            "buffers": [],
        }

    def send(self, _stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, **more: Any) -> Any:
        """Delivers immediately, in the calling thread."""
        message = msg_or_type
        if not isinstance(message, dict):
            message = self.msg(msg_or_type, content, parent, more.get("header"), more.get("metadata"))
        message["buffers"] = more.get("buffers") or message["buffers"]
        self._deliver(message)
        return message


class Comm(BaseComm):  # type: ignore[misc]
    """The kernel's end of a widget's channel; nbclient has the other end."""

    session: _Session
    shell: Any

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        """Delivers a message of the channel."""
        # Round trip through JSON as on a network: the other end modifies lists, which may be tuples here.
        content = json.loads(json.dumps({"data": data or {}, "comm_id": self.comm_id, **keys}, default=json_default))
        self.session.send(None, msg_type, content, self.shell.get_parent(), metadata=metadata, buffers=buffers)


class Stream:
    """Python's half of stdout or stderr. Output that bypasses Python is read from `raw_fd`.

    Attributes:
        other: the other stream, flushed first to keep the order.
        log: receives each piece of text as it is written.
    """

    encoding = "UTF-8"
    errors = "strict"
    newlines = None
    closed = False

    def __init__(self, name: str, session: _Session, number: int) -> None:
        self.name = name
        self.mode = "w"
        self.other: Stream | None = None
        self.log: Callable[[str], None] = lambda _text: None
        self.raw_fd = -1
        self.parent: dict[str, Any] = {}
        self._session, self._number = session, number
        self._parts: list[str] = []
        self._size = 0
        self._taken = 0

    def write(self, text: str) -> int:
        """Writes text.

        Raises:
            TypeError: the argument is not text.
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if text:
            if self.other is not None and self.other.holds:
                self.other.flush()
            self.log(text)
            self._parts.append(text)
            self._size += len(text)
            if self._size > _PIECE:
                self.flush()
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Writes several texts."""
        for line in lines:
            self.write(line)

    @property
    def holds(self) -> bool:
        """Whether text is waiting to be delivered."""
        return bool(self._parts)

    def flush(self) -> None:
        """Delivers the written text, preceded by what arrived in the descriptor."""
        self._take_raw()
        if self._parts:
            text, self._parts, self._size = "".join(self._parts), [], 0
            self._send(text)

    def _take_raw(self) -> None:
        if self.raw_fd < 0:
            return
        while os.fstat(self.raw_fd).st_size > self._taken:
            piece = os.pread(self.raw_fd, 1024 * 1024, self._taken)
            if not piece:
                return
            self._taken += len(piece)
            text = piece.decode("utf-8", "replace")
            self.log(text)
            self._send(text)

    def _send(self, text: str) -> None:
        self._session.send(None, "stream", {"name": self.name, "text": text}, self.parent)

    def set_parent(self, parent: dict[str, Any]) -> None:
        """Sets the request that subsequent output answers."""
        self.flush()
        self.parent = parent

    def fileno(self) -> int:
        """The descriptor that this stream stands for. What others write to it is captured too."""
        return self._number

    def isatty(self) -> bool:
        """Always False."""
        return False

    def readable(self) -> bool:
        """Always False."""
        return False

    def writable(self) -> bool:
        """Always True."""
        return True

    def seekable(self) -> bool:
        """Always False."""
        return False

    def close(self) -> None:
        """Does nothing: as in ipykernel, a cell that closes stdout can still print."""
