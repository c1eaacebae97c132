"""Certificates for a server, made on the spot, and the contexts of clients that trust them."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from .server import Server


@dataclass
class Certificate:
    """PEM files of a self-signed certificate for 127.0.0.1 and localhost, and its key."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, name="server", kind="ec", password: bytes = None) -> "Certificate":
        folder.mkdir(parents=True, exist_ok=True)
        key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        encryption = (
            serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        )
        files = cls(folder / f"{name}.crt", folder / f"{name}.key")
        files.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        )
        return files

    @property
    def flags(self) -> tuple:
        return "--tls-cert", self.certificate, "--tls-key", self.key

    def replace_with(self, other: "Certificate"):
        self.certificate.write_bytes(other.certificate.read_bytes())
        self.key.write_bytes(other.key.read_bytes())

    def trust(self, alpn=("http/1.1",), version=None, ciphers=None) -> ssl.SSLContext:
        """A client's context that trusts this certificate and no other."""
        context = ssl.create_default_context(cafile=self.certificate)
        if ciphers:
            context.set_ciphers(ciphers)
        if version:
            context.minimum_version = context.maximum_version = version
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context


class TLSServer(Server):
    """A server that is reached over TLS, with a certificate."""

    def __init__(self, data, certificate: Certificate, *flags, env=None):
        super().__init__(data, *certificate.flags, *flags, env=env)
        self.certificate = certificate
        self.verify = str(certificate.certificate)
        self.ssl = certificate.trust()

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"wss://{self.host}:{self.port}/api/v1/ws"
