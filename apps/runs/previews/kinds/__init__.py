"""One file per preview kind; `registry` finds them. Each defines `KIND`, a `PreviewKind`."""
