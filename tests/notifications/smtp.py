"""A small SMTP server for tests, which accepts mail or refuses an address."""

import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mails:
    """The received messages, and the recipients to refuse with their answers."""

    port: int = 0
    messages: list = field(default_factory=list)
    refused: dict = field(default_factory=dict)


@contextmanager
def smtp_server():
    found = Mails()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.say("220 test")
            while line := self.rfile.readline().decode().strip():
                word = line[:4].upper()
                if word == "DATA":
                    self.say("354 go on")
                    found.messages.append(self.data())
                    self.say("250 taken")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                elif word == "RCPT":
                    address = line.partition("<")[2].partition(">")[0]
                    self.say(found.refused.get(address, "250 ok"))
                else:
                    self.say("250 ok")

        def data(self):
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            return b"".join(lines)

        def say(self, text):
            self.wfile.write(f"{text}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
