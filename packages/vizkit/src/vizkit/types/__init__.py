"""The catalogue: which visualization types there are, and what each takes. One file is one type."""
