"""Contract §2: the key that signs tokens, and what others can check with its public part.

PyJWT and `cryptography` are the judges: they share no code with the server.
"""

import base64
import hashlib
import hmac
import json
import stat
import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from harness.api import Api, admin, problem_of
from harness.server import SCRYPT, free_port, wattloop

pytestmark = pytest.mark.usefixtures("program")

USAGE = 64  # sysexits.h
PKCS8 = serialization.PrivateFormat.PKCS8
SEC1 = serialization.PrivateFormat.TraditionalOpenSSL
# How the key file came to be: the algorithm that follows from it, the key's maker, its form.
KEYS = {
    "ec-pkcs8": ("ES256", lambda: ec.generate_private_key(ec.SECP256R1()), PKCS8),
    "ec-sec1": ("ES256", lambda: ec.generate_private_key(ec.SECP256R1()), SEC1),
    "ed25519": ("EdDSA", ed25519.Ed25519PrivateKey.generate, PKCS8),
}


def private_pem(key, form=PKCS8, password=None) -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, form, encryption)


def public_pem(key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_set(server) -> requests.Response:
    return requests.get(server.url + "/.well-known/jwks.json", timeout=5)


def check(token, key, algorithm) -> dict:
    """The claims, as a service that trusts the key set would find them."""
    return jwt.decode(token, key, algorithms=[algorithm], audience="wattloop", issuer="wattloop")


def claims_of(token) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def compact(header: dict, claims: dict, sign) -> str:
    """A token of any kind; `sign` gets the bytes that are signed."""
    message = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    return f"{message}.{encode(sign(message.encode()))}"


def is_let_in(server, token) -> bool:
    answer = Api(server, token).get("/users/me")
    if answer.status_code != 200:
        problem_of(answer, 401)
    return answer.status_code == 200


class KeyServer:
    """A server with a private key of ours, and its administrator's token."""

    def __init__(self, kind, serve, directory):
        self.algorithm, make, form = KEYS[kind]
        self.key = make()
        self.file = directory / "key.pem"
        self.file.write_bytes(private_pem(self.key, form))
        self.server = serve("--jwt-key", self.file)
        self.token = admin(self.server).token


@pytest.fixture(params=KEYS)
def keyed(request, serve, tmp_path) -> KeyServer:
    return KeyServer(request.param, serve, tmp_path)


@pytest.fixture
def es256(serve, tmp_path) -> KeyServer:
    return KeyServer("ec-pkcs8", serve, tmp_path)


@pytest.fixture
def eddsa(serve, tmp_path) -> KeyServer:
    return KeyServer("ed25519", serve, tmp_path)


# The key set


def test_a_token_is_checked_with_the_served_key(keyed):
    answer = key_set(keyed.server)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/jwk-set+json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    keys = jwt.PyJWKSet.from_dict(answer.json())
    key = keys[jwt.get_unverified_header(keyed.token)["kid"]]
    claims = check(keyed.token, key, keyed.algorithm)
    me = Api(keyed.server, keyed.token).get("/users/me").json()
    assert (claims["sub"], claims["role"]) == (me["id"], "admin")
    with pytest.raises(jwt.InvalidSignatureError):
        last = "A" if keyed.token[-20] != "A" else "B"
        check(keyed.token[:-20] + last + keyed.token[-19:], key, keyed.algorithm)


def test_the_key_set_holds_the_public_part_alone(keyed):
    [key] = key_set(keyed.server).json()["keys"]
    expected = {"kty", "crv", "x", "use", "alg", "kid"} | ({"y"} if keyed.algorithm == "ES256" else set())
    assert set(key) == expected
    assert (key["use"], key["alg"]) == ("sig", keyed.algorithm)
    served = jwt.PyJWK(key).key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert served == public_pem(keyed.key)
    required = {name: key[name] for name in ("crv", "kty", "x", "y") if name in key}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":")).encode()
    assert key["kid"] == encode(hashlib.sha256(canonical).digest()), "RFC 7638"


def test_the_header_says_what_the_key_is(keyed):
    [key] = key_set(keyed.server).json()["keys"]
    header = jwt.get_unverified_header(keyed.token)
    assert header == {"alg": keyed.algorithm, "typ": "at+jwt", "kid": key["kid"]}


def test_the_key_set_answers_head_and_no_other_method(eddsa):
    url = eddsa.server.url + "/.well-known/jwks.json"
    head = requests.head(url, timeout=5)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(key_set(eddsa.server).content))
    problem_of(requests.post(url, timeout=5), 405)


def test_a_secret_is_in_no_key_set(server):
    problem_of(key_set(server), 404)


# Tokens of others' making


def test_a_token_that_the_key_signed_elsewhere_is_taken(keyed):
    claims = claims_of(keyed.token)
    for header in ({"typ": "at+jwt"}, {"typ": "at+jwt", "kid": "another name for the same key"}):
        token = jwt.encode(
            claims | {"exp": int(time.time()) + 60}, keyed.key, keyed.algorithm, headers=header
        )
        assert is_let_in(keyed.server, token)


def test_the_command_line_signs_with_the_same_key(keyed):
    done = wattloop("token", "admin", "--data", keyed.server.data, "--jwt-key", keyed.file)
    assert done.returncode == 0, done.stderr
    token = done.stdout.strip()
    assert is_let_in(keyed.server, token)
    check(token, jwt.PyJWKSet.from_dict(key_set(keyed.server).json()).keys[0], keyed.algorithm)


def test_tokens_outlive_a_restart_with_the_same_key(keyed):
    before = key_set(keyed.server).json()
    keyed.server.stop()
    keyed.server.start()
    assert key_set(keyed.server).json() == before
    assert is_let_in(keyed.server, keyed.token)


def test_the_stores_own_secret_is_plain_hs256(serve):
    running = serve()
    file = running.data / "jwt.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = decode(file.read_text().strip())
    assert len(secret) == 32
    token = admin(running).token
    claims = check(token, secret, "HS256")
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt"}
    mine = jwt.encode(
        claims | {"exp": int(time.time()) + 60}, secret, "HS256", headers={"typ": "at+jwt"}
    )
    assert is_let_in(running, mine)
    theirs = jwt.encode(claims, bytes(32), "HS256", headers={"typ": "at+jwt"})
    assert not is_let_in(running, theirs)


# Algorithm confusion (RFC 8725 §2.1)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "ES256", "EdDSA", "none", "None", ""])
def test_the_public_key_is_no_secret(keyed, algorithm):
    claims = claims_of(keyed.token)
    [served] = key_set(keyed.server).json()["keys"]
    secrets = [
        public_pem(keyed.key),
        public_pem(keyed.key).strip(),
        decode(served["x"]),
        served["x"].encode(),
        json.dumps(served).encode(),
    ]
    for secret in secrets:
        for kid in ({}, {"kid": served["kid"]}):
            header = {"alg": algorithm, "typ": "at+jwt"} | kid
            token = compact(
                header, claims, lambda message: hmac.digest(secret, message, hashlib.sha256)
            )
            assert not is_let_in(keyed.server, token)


def test_an_unsigned_token_is_no_token(keyed):
    claims = claims_of(keyed.token)
    for algorithm in ("none", keyed.algorithm):
        assert not is_let_in(
            keyed.server, compact({"alg": algorithm, "typ": "at+jwt"}, claims, lambda _: b"")
        )


def test_a_key_in_the_header_is_not_used(keyed):
    """RFC 7515 §4.1.2 to §4.1.5 let a header bring or point to a key of the attacker's."""
    attacker = KEYS["ed25519"][1]() if keyed.algorithm == "EdDSA" else KEYS["ec-pkcs8"][1]()
    algorithm = jwt.get_algorithm_by_name(keyed.algorithm)
    jwk = json.loads(algorithm.to_jwk(attacker.public_key()))
    for extra in ({"jwk": jwk}, {"jku": keyed.server.url + "/.well-known/jwks.json"}, {}):
        header = {"typ": "at+jwt", "kid": jwt.get_unverified_header(keyed.token)["kid"]} | extra
        token = jwt.encode(claims_of(keyed.token), attacker, keyed.algorithm, headers=header)
        assert not is_let_in(keyed.server, token)


def test_one_kind_of_key_takes_no_token_of_another(es256, serve, tmp_path):
    directory = tmp_path / "other"
    directory.mkdir()
    eddsa = KeyServer("ed25519", serve, directory)
    assert not is_let_in(eddsa.server, es256.token)
    assert not is_let_in(es256.server, eddsa.token)


def test_es256_takes_64_bytes_and_nothing_else(es256):
    claims = claims_of(es256.token)
    header = {"alg": "ES256", "typ": "at+jwt"}

    def der(message):
        return es256.key.sign(message, ec.ECDSA(jwt.get_algorithm_by_name("ES256").hash_alg()))

    def raw(message):
        r, s = decode_dss_signature(der(message))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    zero = bytes(32)
    assert is_let_in(es256.server, compact(header, claims, raw))
    bad = {
        "DER": der,
        "a byte more": lambda message: raw(message) + b"\0",
        "a byte less": lambda message: raw(message)[:-1],
        "r is zero": lambda message: zero + raw(message)[32:],
        "s is zero": lambda message: raw(message)[:32] + zero,
        "both are": lambda message: zero + zero,
        "the halves change places": lambda message: raw(message)[32:] + raw(message)[:32],
    }
    taken = [name for name, sign in bad.items() if is_let_in(es256.server, compact(header, claims, sign))]
    assert taken == []


def test_eddsa_takes_64_bytes_and_nothing_else(eddsa):
    claims = claims_of(eddsa.token)
    header = {"alg": "EdDSA", "typ": "at+jwt"}
    assert is_let_in(eddsa.server, compact(header, claims, eddsa.key.sign))
    for sign in (
        lambda message: eddsa.key.sign(message) + b"\0",
        lambda message: eddsa.key.sign(message)[:-1],
        lambda message: bytes(64),
        # The identity as R and 0 as S: a forgery for anything, under a key of small order.
        lambda message: b"\1" + bytes(63),
        lambda message: eddsa.key.sign(message + b"."),
    ):
        assert not is_let_in(eddsa.server, compact(header, claims, sign))


# Keys that are refused


def p256_pem(**options) -> bytes:
    return private_pem(ec.generate_private_key(ec.SECP256R1()), **options)


REFUSED = {
    "rsa": lambda: private_pem(rsa.generate_private_key(65537, 2048)),
    "rsa-traditional": lambda: private_pem(rsa.generate_private_key(65537, 2048), form=SEC1),
    "p384": lambda: private_pem(ec.generate_private_key(ec.SECP384R1())),
    "secp256k1": lambda: private_pem(ec.generate_private_key(ec.SECP256K1())),
    "ed448": lambda: private_pem(ed448.Ed448PrivateKey.generate()),
    "encrypted": lambda: p256_pem(password=b"secret"),
    "encrypted-traditional": lambda: p256_pem(form=SEC1, password=b"secret"),
    "public": lambda: public_pem(ec.generate_private_key(ec.SECP256R1())),
    "cut": lambda: p256_pem()[:-60],
    "garbage-pem": lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "der": lambda: ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER, PKCS8, serialization.NoEncryption()
    ),
    "short-secret": lambda: encode(bytes(31)).encode(),
    "huge": lambda: b"A" * 10_000_000,
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_any_other_key_ends_with_64_and_one_line_that_names_the_setting(tmp_path, make):
    file = tmp_path / "key"
    file.write_bytes(make())
    done = wattloop(
        "serve", "--port", free_port(), "--data", tmp_path / "data", *SCRYPT, "--jwt-key", file, timeout=15
    )
    assert done.returncode == USAGE
    assert done.stdout == ""
    [line] = [line for line in done.stderr.splitlines() if line.strip()]
    assert "--jwt-key" in line and str(file) in line
    assert "BEGIN" not in line
