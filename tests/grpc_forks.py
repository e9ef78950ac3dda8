"""A plugin for pytest: gRPC leaves children alone that tests fork.

Its fork handlers start threads in them, where what is tested needs a single thread. gRPC reads the variable once, at
its first use, so this is loaded before Django's settings are. Processes that tests start get the environment as it was.
"""

import os
from unittest import mock

with mock.patch.dict(os.environ, GRPC_ENABLE_FORK_SUPPORT="false"):
    import grpc

    grpc.insecure_channel("unix:/nowhere").close()
