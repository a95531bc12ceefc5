"""An HTTPS server on loopback that hands out one file as a real one does, and misbehaves when told to."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def write_certificate(path: Path) -> None:
    """A key and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us hangs up; that is what the test is about."""


class Shelf:
    """The server. `cuts` are the bytes after which the next answers break off; `asked` the ranges asked for."""

    def __init__(self, content: bytes, folder: Path) -> None:
        self.content = content
        self.asked: list[str | None] = []
        self.cuts: list[int] = []
        self.knows_ranges = True
        self.status: int | None = None
        self.redirect: str | None = None
        certificate = folder / "server.pem"
        write_certificate(certificate)
        self.tls = ssl.create_default_context(cafile=str(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_address[1]}/model.onnx"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shelf = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep quiet."""

            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                shelf.asked.append(wanted)
                if shelf.redirect is not None and self.path == "/model.onnx":
                    self.send_response(302)
                    self.send_header("Location", shelf.redirect)
                    self.end_headers()
                    return
                if shelf.status is not None:
                    self.send_error(shelf.status)
                    return
                start = int(wanted[len("bytes=") : -1]) if wanted and shelf.knows_ranges else 0
                if start >= len(shelf.content):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(shelf.content) - 1}/{len(shelf.content)}")
                body = shelf.content[start:]
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if shelf.cuts:
                    self.wfile.write(body[: shelf.cuts.pop(0)])
                    self.wfile.flush()
                    self.connection.close()
                else:
                    self.wfile.write(body)

        return Handler
