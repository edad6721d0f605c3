"""Other people's servers: a name server and a web server with a certificate, on free ports of this machine."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dnslib import CNAME, QTYPE, RCODE, RR, TXT, A, DNSRecord
from dnslib.server import BaseResolver, DNSServer

from app.lib.http_out import Egress
from app.lib.names import Names


class Zone(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    """records: {(name, "TXT" | "A" | "CNAME"): values}. A name in `broken` gets SERVFAIL. turns: one of several
    values for each question, in turn. asked: every question.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.turns: dict[tuple[str, str], list[str]] = {}
        self.broken: set[str] = set()
        self.asked: list[tuple[str, str]] = []

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        self.asked.append((name, kind))
        reply = request.reply()
        if name in self.broken:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        if turning := self.turns.get((name, kind)):
            turning.append(turning.pop(0))
            self.records[(name, kind)] = turning[-1:]
        for _ in range(10):
            for value in self.records.get((name, kind), []):
                reply.add_answer(RR(name, QTYPE.reverse[kind], ttl=1, rdata=_rdata(kind, value)))
            alias = self.records.get((name, "CNAME"))
            if not alias or kind == "CNAME":
                break
            reply.add_answer(RR(name, QTYPE.CNAME, ttl=1, rdata=CNAME(alias[0])))
            name = alias[0]
        if not reply.rr and not any(known == name for known, _ in self.records):
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


def _rdata(kind: str, value: str) -> object:
    if kind == "TXT":
        return TXT([value[at : at + 255].encode() for at in range(0, len(value), 255)])
    return A(value) if kind == "A" else CNAME(value)


@dataclass
class Site:
    """A web server that answers for any host. pages: {(host, path): (status, headers, body)}.

    presented: {host: (name in its certificate, days it is good for)} where that is not the host and 60.
    """

    pages: dict[tuple[str, str], tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    presented: dict[str, tuple[str, int]] = field(default_factory=dict)
    port: int = 0


@dataclass
class Outside:
    """zone, site: what the world says. names, egress: the product's own clients, pointed at it."""

    zone: Zone
    site: Site
    names: Names
    egress: Egress


@contextmanager
def outside(folder: Path) -> Iterator[Outside]:
    """Both servers; every host of the zone resolves to where the test says, 127.0.0.1 being the web server."""
    zone, site = Zone(), Site()
    udp, tcp = _name_servers(zone)
    web = _web_server(site, folder)
    names = Names([("127.0.0.1", udp.server.server_address[1])])
    trusted = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    egress = Egress(resolver=names.resolve, allowed=["127.0.0.1/32"], ports=[site.port], verify=trusted)
    try:
        yield Outside(zone, site, names, egress)
    finally:
        egress.close()
        web.shutdown()
        web.server_close()
        for server in (udp, tcp):
            server.stop()
            server.server.server_close()


def _name_servers(zone: Zone) -> tuple[DNSServer, DNSServer]:
    """One for datagrams and one for streams, on the same port, as name servers are."""
    for _ in range(20):
        udp = DNSServer(zone, address="127.0.0.1", port=0)
        try:
            tcp = DNSServer(zone, address="127.0.0.1", port=udp.server.server_address[1], tcp=True)
        except OSError:
            udp.server.server_close()
            continue
        udp.start_thread()
        tcp.start_thread()
        return udp, tcp
    raise RuntimeError("no port is free for both")


def _web_server(site: Site, folder: Path) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = (self.headers["Host"] or "").partition(":")[0]
            site.asked.append((host, self.path))
            status, headers, body = site.pages.get((host, self.path), (404, {}, b"nothing here"))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):  # who has read enough hangs up
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = make_certificate(folder, "*.com")
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda connection, name, _: _present(connection, folder, site, name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    site.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


def _present(connection: ssl.SSLObject | ssl.SSLSocket, folder: Path, site: Site, name: str | None) -> None:
    """A certificate for the host that is asked for, made when it is first asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown, days = site.presented.get(name or "", (name or "nobody.com", 60))
    context.load_cert_chain(*make_certificate(folder, shown, days=days))
    connection.context = context


def make_certificate(folder: Path, host: str, *, days: int = 60) -> tuple[Path, Path]:
    """(certificate, key) files for a host, signed by the authority in folder/ca.pem, which is made first."""
    authority_key = _key(folder / "ca.key")
    authority = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
    if not (folder / "ca.pem").exists():
        made = _builder(authority, authority, authority_key.public_key(), days=days)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        _save(folder / "ca.pem", made.sign(authority_key, hashes.SHA256()))
    certificate = folder / f"{host.replace('*', '_')}-{days}.pem"
    if not certificate.exists():
        key = _key(folder / "host.key")
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host[:60])])
        made = _builder(subject, authority, key.public_key(), days=days)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        _save(certificate, made.sign(authority_key, hashes.SHA256()))
    return certificate, folder / "host.key"


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, days: int
) -> x509.CertificateBuilder:
    until = datetime.now(UTC) + timedelta(days=days)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(until - timedelta(days=days + 30)).not_valid_after(until)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        plain = serialization.NoEncryption()
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    found = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found


def _save(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
