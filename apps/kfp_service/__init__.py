"""Kubeflow's visualization protocol: its form on a separate listener, its JSON on the portal.

`protocol` parses requests, `waiting` carries one out and waits for its end, `ends` reads the result, `app` is the
listener and `portal` the portal's endpoint.
"""
