"""Measures whole renders through Kubeflow's visualization protocol, of the portal and of another server beside it."""
