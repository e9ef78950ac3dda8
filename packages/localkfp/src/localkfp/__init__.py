"""A small Kubeflow Pipelines API for a machine without a cluster: pipelines run as its processes.

It answers as Kubeflow 2.17 does (REST, lineage over gRPC-Web, artifact bytes, logs), so what works against it works
against a cluster. Start it with `python -m localkfp`; docs/localkfp.md says what it can and cannot do.
"""
