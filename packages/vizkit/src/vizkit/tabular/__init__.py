"""The reader of tabular files: what every type and every preview takes rows from.

`read` finds out what a source's files are (text, JSON, columns; packed or not), and returns their rows as one `Table`.
It needs polars; packed or columnar files that polars does not know need pyarrow.
"""

from ..dialect import How
from ..headers import MISSING
from .json_text import load_json
from .table import Table, read, read_files
from .values import floats, typed

__all__ = ["MISSING", "How", "Table", "floats", "load_json", "read", "read_files", "typed"]
