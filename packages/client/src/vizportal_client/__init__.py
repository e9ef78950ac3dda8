"""vizportal for notebooks, scripts and pipeline steps. Start here: `Client(url, token)`."""

from vizportal_client.client import Client
from vizportal_client.errors import PortalError, RenderFailedError, WaitedTooLongError
from vizportal_client.result import Result

__all__ = ["Client", "PortalError", "RenderFailedError", "Result", "WaitedTooLongError"]
