"""The wire of ML Metadata: the few messages and the gRPC-Web frames a Kubeflow lineage read needs.

The portal reads it and localkfp writes it; neither imports the other, so what they share stands here.
"""
