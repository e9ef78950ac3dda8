"""Copies an installation to other storage, rows to another database, results to another store; then compares both."""
