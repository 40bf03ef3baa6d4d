"""A server in front of a service, or alone: publishes further keys, counts, and can fall silent."""

import http.client
import json
import ssl
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

_MAKE = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


class Key:
    """A signing key of the tests."""

    def __init__(self, algorithm: str = "ES256") -> None:
        self.algorithm = algorithm
        self.private = _MAKE[algorithm]()
        self.id = uuid.uuid4().hex
        public = get_default_algorithms()[algorithm].to_jwk(self.private.public_key(), as_dict=True)
        self.jwk = {**public, "kid": self.id, "alg": algorithm, "use": "sig"}
        self.jwk.pop("key_ops", None)

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        headers = {"typ": "at+jwt", "kid": self.id, **header}
        headers = {name: value for name, value in headers.items() if value is not None}
        return jwt.encode(claims, self.private, self.algorithm, headers)


def claims_of(issuer: str, **changed: Any) -> dict[str, Any]:
    """The claims of a token; those that are changed to `None` are left out."""
    now = int(time.time())
    claims = {
        "iss": issuer,
        "aud": "sallyport",
        "sub": str(uuid.uuid4()),
        "client_id": "sallyport",
        "sid": str(uuid.uuid4()),
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 900,
        "auth_time": now,
        "amr": ["pwd"],
        "token_type": "access",
        "role": "USER",
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


class Front:
    def __init__(self, port: int | None = None, tls: ssl.SSLContext | None = None) -> None:
        """`port` is that of the service, if there is one."""
        self.keys: list[Key] = []
        self.backend = port
        self.counts = {"keys": 0, "streams": 0, "operations": 0}
        # While it is set, connections stay open, and nothing moves on them.
        self.is_silent = False
        front = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                front.counts["keys"] += 1
                front.wait()
                keys = [key.jwk for key in front.keys]
                if front.backend:
                    keys += json.loads(front.pass_on("GET", self.path, None, {}).read())["keys"]
                body = json.dumps({"keys": keys}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_stream = self.headers["Accept"] == "text/event-stream"
                front.counts["streams" if is_stream else "operations"] += 1
                front.wait()
                headers = {name: value for name, value in self.headers.items() if name != "Connection"}
                answer = front.pass_on("POST", self.path, body, headers)
                self.send_response_only(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Date", answer.headers["Date"])
                self.end_headers()
                while part := answer.read1(65536):
                    front.wait()
                    try:
                        self.wfile.write(part)
                    except OSError:
                        answer.close()
                        return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # Errors of connections that the other side closed.
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self.server.server_port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            # The handshake is made by the thread of the connection.
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def pass_on(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.backend)
        connection.request(method, path, body, headers)
        return connection.getresponse()

    def wait(self) -> None:
        while self.is_silent:
            time.sleep(0.01)

    def stop(self) -> None:
        self.is_silent = False
        self.server.shutdown()
        self.server.server_close()
