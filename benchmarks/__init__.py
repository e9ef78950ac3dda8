"""Measures rendering: the portal's own path against cold nbclient, and whole requests through a running portal."""
