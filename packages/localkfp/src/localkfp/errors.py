"""The API's errors, in the shape Kubeflow gives them."""

from __future__ import annotations

from typing import Any, Final

_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 413: 3, 500: 13}


class ApiError(Exception):
    """A request that gets an error answer.

    Attributes:
        status: the HTTP status.
        message: for people; becomes `details[0].message`.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, Any]:
        """Returns the JSON body of a grpc-gateway error."""
        code = _CODES.get(self.status, 2)
        return {
            "error": self.message,
            "code": code,
            "message": self.message,
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.Status",
                    "code": code,
                    "message": self.message,
                }
            ],
        }

    def upload_body(self) -> dict[str, str]:
        """Returns the JSON body of a refused upload, which is no gRPC call.

        Source: kubeflow/pipelines, backend/src/apiserver/server/pipeline_upload_server.go.
        """
        return {"error_message": self.message, "error_details": self.message}


def bad_request(message: str) -> ApiError:
    """Returns the error for a request that can never work."""
    return ApiError(400, message)


def not_found(kind: str, name: str) -> ApiError:
    """Returns the error for a thing that is not there."""
    return ApiError(404, f"{kind} {name} not found.")
