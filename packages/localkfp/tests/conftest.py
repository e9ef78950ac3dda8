"""Fixtures: a localkfp in this process whose runs never start, and a real one that runs them."""

import json
import socket
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import uvicorn
from localkfp import experiments_api
from localkfp.app import create_app
from localkfp.places import Places
from localkfp.scheduler import Scheduler
from localkfp.store import Store

from tests.servers import localkfp_server

API = "/apis/v2beta1"


def spec(name="p", **parameters):
    """Returns the smallest compiled pipeline: one task, and the given parameter declarations."""
    return {
        "pipelineInfo": {"name": name},
        "root": {"dag": {"tasks": {"a": {}}}, "inputDefinitions": {"parameters": parameters}},
        "components": {},
        "deploymentSpec": {},
        "schemaVersion": "2.1.0",
    }


def predicates(*found):
    return json.dumps({"predicates": list(found)})


def names(answer, key):
    assert answer.status_code == 200, answer.text
    return [item["display_name"] for item in answer.json().get(key, [])]


def assert_error(answer, status, text):
    """Checks an error in the form of grpc-gateway. People read details[0].message."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["message"] == body["details"][0]["message"]
    assert isinstance(body["code"], int)
    assert text in body["message"]


def assert_upload_error(answer, status, text):
    """Checks an upload's error. Kubeflow's upload server does not use gRPC and has its own form of errors."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"error_message", "error_details"}
    assert text in body["error_message"]


class Http:
    """Serves one application after another on one port, since starting a server for every test would take too long."""

    def __init__(self):
        self.app = None
        # If the protocol is given, asyncio sets TCP_NODELAY, which saves 40 ms per request.
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.listener.bind(("127.0.0.1", 0))
        # From here on, a request waits for the server instead of being refused while the thread starts.
        self.listener.listen()
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(self.serve, interface="asgi3", lifespan="off", log_config=None))
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))
        self.session = requests.Session()
        # Ignore proxy variables of the machine that runs the tests.
        self.session.trust_env = False

    async def serve(self, scope, receive, send):
        await self.app(scope, receive, send)

    def request(self, method, path, **options):
        return self.session.request(method, self.url + path, timeout=30, **options)


@pytest.fixture(scope="session")
def http():
    found = Http()
    found.thread.start()
    yield found
    found.session.close()
    found.server.should_exit = True
    found.thread.join()
    found.listener.close()


@dataclass
class Server:
    """A server in this process. Its scheduler is not started, so that runs keep the state that a test gives them."""

    http: Http
    app: object
    places: Places
    store: Store

    def call(self, method, path, **options):
        self.http.app = self.app
        return self.http.request(method, path, **options)

    def get(self, path, **query):
        return self.call("GET", API + path, params=query)

    def post(self, path, body=None):
        return self.call("POST", API + path, json=body)

    def delete(self, path):
        return self.call("DELETE", API + path)

    def upload(self, path="/pipelines/upload", content=None, **query):
        data = json.dumps(spec()) if content is None else content
        return self.call("POST", API + path, params=query, files={"uploadfile": ("p.yaml", data)})

    def run(self, name="r", **body):
        answer = self.post("/runs", {"display_name": name, "pipeline_spec": spec(), **body})
        assert answer.status_code == 200, answer.text
        return answer.json()


def make_server(http: Http, folder: Path, token="", portal_url=""):
    places = Places(root=folder)
    places.make()
    store = Store(path=places.database)
    store.create()
    experiments_api.default_experiment(store)
    scheduler = Scheduler(store, places, Path("/nonexistent/python"))
    app = create_app(places, store, scheduler, token=token, portal_url=portal_url)
    return Server(http=http, app=app, places=places, store=store)


@pytest.fixture
def server(http, tmp_path):
    made = make_server(http, tmp_path)
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def localkfp(tmp_path_factory):
    """Returns the address of a real server, which runs pipelines."""
    with localkfp_server(tmp_path_factory.mktemp("localkfp")) as host:
        yield host


@pytest.fixture
def client(localkfp, tmp_path, monkeypatch):
    """Returns a kfp.Client of the real server. Its context file stays out of the user's HOME."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import kfp
    monkeypatch.setenv("HOME", str(tmp_path))
    return kfp.Client(host=localkfp)
