"""Moving an installation: every row to another database, every result to another store, and proof that both agree."""
