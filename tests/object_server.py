"""A small server with the interface of S3: objects in memory, listings, copies and uploads of several parts."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from datetime import datetime, timezone
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

TIME = "%Y-%m-%dT%H:%M:%S.000Z"


class ObjectServer:
    """The objects of one bucket, and the requests that were made."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.requests: list[tuple[str, str]] = []
        self.failures = 0
        self.lock = threading.Lock()

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content, datetime.now(timezone.utc)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: ObjectServer

    def _serve(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        key = unquote(address.path).removeprefix("/bucket").lstrip("/")
        body = self._body()
        with self.state.lock:
            self.state.requests.append((self.command, key))
            if "AWS4-HMAC-SHA256 Credential=key/" not in self.headers.get("Authorization", ""):
                self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
            elif self.state.failures:
                self.state.failures -= 1
                self._answer(403, b"<Error><Code>Failure</Code></Error>")
            else:
                getattr(self, f"_{self.command.lower()}")(key, query, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the names that the server calls

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _get(self, key, query, _body) -> None:
        if "list-type" in query:
            return self._list(query.get("prefix", ""))
        if key not in self.state.objects:
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        content, modified = self.state.objects[key]
        headers = {"ETag": tag(content), "Last-Modified": modified.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if found:
            start, end = int(found[1]), min(int(found[2]) + 1, len(content))
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
            return self._answer(206, content[start:end], **headers)
        return self._answer(200, content, **headers)

    _head = _get

    def _list(self, prefix: str) -> None:
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{modified.strftime(TIME)}</LastModified>"
            f"<ETag>{escape(tag(content))}</ETag><Size>{len(content)}</Size></Contents>"
            for key, (content, modified) in sorted(self.state.objects.items())
            if key.startswith(prefix)
        )
        self._answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode())

    def _put(self, key, query, body) -> None:
        if "partNumber" in query:
            self.state.parts[query["uploadId"]][int(query["partNumber"])] = body
        elif source := self.headers.get("x-amz-copy-source"):
            body = self.state.objects[unquote(source).removeprefix("/").removeprefix("bucket/")][0]
            self.state.put(key, body)
            return self._answer(200, b"<CopyObjectResult></CopyObjectResult>")
        else:
            self.state.put(key, body)
        return self._answer(200, b"", ETag=tag(body))

    def _post(self, key, query, body) -> None:
        if "uploads" in query:
            upload = f"upload-{len(self.state.parts)}"
            self.state.parts[upload] = {}
            name = "InitiateMultipartUploadResult"
            return self._answer(200, f"<{name}><UploadId>{upload}</UploadId></{name}>".encode())
        if "delete" in query:
            names = [name.decode() for name in re.findall(rb"<Key>(.*?)</Key>", body)]
            for name in names:
                self.state.objects.pop(name, None)
            rows = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
            return self._answer(200, f"<DeleteResult>{rows}</DeleteResult>".encode())
        parts = self.state.parts.pop(query["uploadId"])
        self.state.put(key, b"".join(parts[number] for number in sorted(parts)))
        result = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
        return self._answer(200, result.encode())

    def _delete(self, key, query, _body) -> None:
        if "uploadId" in query:
            self.state.parts.pop(query["uploadId"], None)
        self.state.objects.pop(key, None)
        self._answer(204, b"")

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_arguments) -> None:
        pass


def tag(content: bytes) -> str:
    return f'"{md5(content, usedforsecurity=False).hexdigest()}"'


@contextmanager
def serving_objects():
    """Yield a server and its address, which end with the block."""
    state = ObjectServer()
    handler = type("StateHandler", (Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
