"""HTTP to the service: requests with a short answer, and subscriptions as server-sent events."""

import http.client
import json
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

# A session's end has about 300 bytes, and a set of keys a few kilobytes.
MAX_BODY = 256 * 1024
MAX_LINE = 64 * 1024


class TransportError(Exception):
    """The service did not answer, or not as it should. The text has no secrets."""


class Refused(TransportError):
    """The service refused an operation, with this code."""

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        super().__init__(f"refused with {code}")
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True)
class Reply:
    status: int
    etag: str | None
    body: bytes


@dataclass(frozen=True)
class Event:
    """A server-sent event. A comment has the name `comment`."""

    name: str
    data: str


class Service:
    """A running service at its URL. `timeout` is in seconds, for each step of a request."""

    def __init__(self, url: str, *, timeout: float = 2.0, ssl_context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not the URL of a service: {url!r}")
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout
        self._tls = (ssl_context or ssl.create_default_context()) if parts.scheme == "https" else None

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        connection = self._connect()
        try:
            connection.request("GET", self._prefix + path, headers={"Connection": "close", **(headers or {})})
            return _read(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def execute(self, query: str, variables: Mapping[str, Any], token: str | None = None) -> dict[str, Any]:
        """The data of an operation."""
        connection = self._connect()
        try:
            self._post(connection, query, variables, token, "application/json")
            reply = _read(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        return data_of(reply.body, reply.status)

    def subscribe(self, query: str, variables: Mapping[str, Any], token: str) -> "EventStream":
        """Returns as soon as the service has answered with a stream."""
        connection = self._connect()
        try:
            connection.connect()
            line: socket.socket = connection.sock
            self._post(connection, query, variables, token, "text/event-stream")
            response = connection.getresponse()
            content_type = response.headers.get_content_type()
            if response.status != 200 or content_type != "text/event-stream":
                raise TransportError(f"no event stream, but HTTP {response.status} with {content_type}")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise TransportError(f"{type(error).__name__}: {error}") from error
        except TransportError:
            connection.close()
            raise
        return EventStream(connection, line, response)

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)

    def _post(
        self,
        connection: http.client.HTTPConnection,
        query: str,
        variables: Mapping[str, Any],
        token: str | None,
        accept: str,
    ) -> None:
        headers = {"Content-Type": "application/json", "Accept": accept, "Connection": "close"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps({"query": query, "variables": dict(variables)})
        connection.request("POST", f"{self._prefix}/graphql", body.encode(), headers)


class EventStream:
    """An open stream of server-sent events, without their fields `id` and `retry`, which are not used."""

    def __init__(
        self, connection: http.client.HTTPConnection, line: socket.socket, response: http.client.HTTPResponse
    ) -> None:
        self._connection = connection
        self._line = line
        self._response = response
        self.service_time = _date(response.headers.get("Date"))
        """Seconds since 1970 on the clock of the service when the stream began, if it told."""

    def __enter__(self) -> "EventStream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, timeout: float) -> Event | None:
        """The next event; `None` if none came within these seconds. After that, the stream cannot be read."""
        name, data = "", []
        try:
            self._line.settimeout(max(timeout, 0.001))
            while True:
                raw = self._response.readline(MAX_LINE + 1)
                if not raw:
                    raise TransportError("the stream broke off")
                if len(raw) > MAX_LINE:
                    raise TransportError("the line of an event is too long")
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                if line.startswith(":"):
                    return Event("comment", "")
                if line:
                    field, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        data.append(value)
                elif name or data:
                    return Event(name, "\n".join(data))
        except TimeoutError:
            return None
        except (OSError, ValueError, AttributeError, http.client.HTTPException) as error:
            # A stream that another thread closes while it is read raises any of these.
            raise TransportError(f"{type(error).__name__}: {error}") from error

    def interrupt(self) -> None:
        """Lets a thread that reads this stream return at once."""
        try:
            self._line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def abandon(self) -> None:
        """Closes the connection in a child of the process whose thread reads it: its locks may be held here."""
        os.close(self._line.detach())

    def close(self) -> None:
        self._response.close()
        self._connection.close()
        self._line.close()


def data_of(body: bytes | str, status: int = 200) -> dict[str, Any]:
    """The data of a GraphQL response."""
    try:
        response = json.loads(body)
    except ValueError as error:
        raise TransportError(f"no JSON, with HTTP {status}") from error
    if not isinstance(response, dict):
        raise TransportError("no GraphQL response")
    errors = response.get("errors")
    if isinstance(errors, list) and errors:
        extensions = errors[0].get("extensions") if isinstance(errors[0], dict) else None
        code = extensions.get("code") if isinstance(extensions, dict) else None
        raise Refused(str(code))
    data = response.get("data")
    if not isinstance(data, dict):
        raise TransportError(f"no data, with HTTP {status}")
    return data


def _read(response: http.client.HTTPResponse) -> Reply:
    body = response.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise TransportError("the answer is too large")
    return Reply(response.status, response.headers.get("ETag"), body)


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
