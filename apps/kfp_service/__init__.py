"""Kubeflow's own visualization protocol: its form on a listener of its own, its JSON on the portal.

`protocol` reads requests, `waiting` carries one out and waits for its end, `ends` reads what came of it, `app` is the
listener and `portal` the portal's address.
"""
