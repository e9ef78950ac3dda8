"""The reader of tabular files, which all types and previews use.

`read` detects the format of a source's files (text, JSON, columnar; packed or not), and returns their rows as one
`Table`. It needs polars; packed or columnar files that polars does not support need pyarrow.
"""

from ..dialect import How
from ..headers import MISSING
from .json_text import load_json
from .table import Table, read, read_files
from .values import floats, typed

__all__ = ["MISSING", "How", "Table", "floats", "load_json", "read", "read_files", "typed"]
