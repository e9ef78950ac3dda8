"""The API's errors, in Kubeflow's format."""

from __future__ import annotations

from typing import Any, Final

# The mapping of grpc-gateway. Kubeflow uses 409 both for an object that already exists and for a wrong state.
_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 413: 3, 500: 13, 501: 12}
_ABORTED: Final = 10


class ApiError(Exception):
    """A request that gets an error response.

    Attributes:
        status: the HTTP status.
        message: for people; becomes `details[0].message`.
        code: gRPC's.
    """

    def __init__(self, status: int, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = _CODES.get(status, 2) if code is None else code

    def body(self) -> dict[str, Any]:
        """Returns the JSON body of a grpc-gateway error."""
        return {
            "code": self.code,
            "message": self.message,
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.Status",
                    "code": self.code,
                    "message": self.message,
                }
            ],
        }

    def upload_body(self) -> dict[str, str]:
        """Returns the JSON body of a rejected upload, which is not a gRPC call.

        Source: kubeflow/pipelines, backend/src/apiserver/server/pipeline_upload_server.go.
        """
        return {"error_message": self.message, "error_details": self.message}


def bad_request(message: str) -> ApiError:
    """Returns the error for an invalid request."""
    return ApiError(400, message)


def wrong_state(message: str) -> ApiError:
    """Returns the error for a change that the object's current state does not allow."""
    return ApiError(409, message, _ABORTED)


def not_found(kind: str, name: str) -> ApiError:
    """Returns the error for an object that does not exist."""
    return ApiError(404, f"{kind} {name} not found.")
