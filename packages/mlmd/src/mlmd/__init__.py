"""ML Metadata's protocol: the few messages and the gRPC-Web frames that reading Kubeflow's lineage requires.

The portal reads lineage and localkfp serves it. Neither imports the other, so this package contains what they share.
"""
