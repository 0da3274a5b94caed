"""A loopback mail server that says the password it was given wherever it can."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

USER = "agent@example.org"


@dataclass(slots=True)
class Clerk:
    """``said`` is what it was sent outside of signing in; ``signed_in`` are the passwords.

    ``refuses`` is the command that is answered with an error that repeats the password.
    """

    port: int
    password: str
    offers: str = "PLAIN"
    refuses: str = ""
    said: list[bytes] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)

    def serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb", buffering=0) as wire:
            wire.write(b"220 mx.example.org\r\n")
            while line := wire.readline():
                verb = line[:4].upper().decode("latin-1")
                if verb == "AUTH":
                    self._sign_in(wire, line)
                    self._answer(wire, verb, b"235 welcome\r\n")
                    continue
                self.said.append(line)
                if verb == "EHLO":
                    wire.write(b"250-mx.example.org\r\n250 AUTH %s\r\n" % self.offers.encode())
                elif verb == "DATA" and self.refuses != "DATA":
                    wire.write(b"354 go on\r\n")
                    while (line := wire.readline()) not in {b".\r\n", b""}:
                        self.said.append(line)
                    self._answer(wire, "END", b"250 2.0.0 queued\r\n")
                else:
                    self._answer(wire, verb, b"250 fine\r\n")

    def _sign_in(self, wire: socket.SocketIO, line: bytes) -> None:
        _, mechanism, *first = line.split()
        if mechanism == b"LOGIN":
            if not first:
                wire.write(b"334 VXNlcm5hbWU6\r\n")
                wire.readline()
            wire.write(b"334 UGFzc3dvcmQ6\r\n")
            self.signed_in.append(base64.b64decode(wire.readline()).decode())
        else:
            _, user, password = base64.b64decode(first[0]).split(b"\0")
            assert user == USER.encode()
            self.signed_in.append(password.decode())

    def _answer(self, wire: socket.SocketIO, verb: str, fine: bytes) -> None:
        if self.refuses == f"{verb}, in no words of SMTP":
            wire.write(f"what is {self.password}?\r\n".encode())
        elif self.refuses == verb:
            plain = base64.b64encode(f"\0{USER}\0{self.password}".encode()).decode()
            login = base64.b64encode(self.password.encode()).decode()
            wire.write(f"554-5.7.8 not {self.password}, {USER}:{self.password}\r\n".encode())
            wire.write(f"554-5.7.8 nor AUTH PLAIN {plain}\r\n554 5.7.8 nor {login}\r\n".encode())
        else:
            wire.write(fine)


@contextmanager
def clerk(password: str) -> Iterator[Clerk]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = Clerk(server.getsockname()[1], password)
        threads: list[threading.Thread] = []

        def serve(connection: socket.socket) -> None:
            with suppress(OSError):
                serving.serve(connection)

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield serving
        finally:
            server.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join()
