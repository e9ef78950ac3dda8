"""Measures whole renders through Kubeflow's visualization protocol, of the portal and another server."""
