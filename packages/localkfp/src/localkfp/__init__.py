"""A small Kubeflow Pipelines API for a machine without a cluster: pipelines run as local processes.

It answers like Kubeflow 2.17 (REST, lineage over gRPC-Web, artifact bytes, logs), so clients that work with it also
work with a cluster. Start it with `python -m localkfp`; docs/localkfp.md lists its abilities and limits.
"""
