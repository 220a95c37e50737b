"""Ed25519 signatures (RFC 8032) of archives."""

import hashlib
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from procvars.adapters.archives.errors import UnusableKey

_PURPOSE = b"procvars archive\n"
"""Beginning of what is signed, so that no other signature with the same key can be taken for one of an archive."""


def private_key(pem: str) -> Ed25519PrivateKey:
    """Return the key of a PEM text (PKCS #8, without a password). Raises UnusableKey."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableKey("It has to be the PEM text of an Ed25519 private key, without a password.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableKey("It is a private key, but none of Ed25519.")
    return key


def public_key(pem: bytes) -> Ed25519PublicKey:
    """Return the key of a PEM text. Raises UnusableKey."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey("It has to be the PEM text of an Ed25519 public key.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UnusableKey("It is a public key, but none of Ed25519.")
    return key


def pem_of(key: Ed25519PublicKey) -> str:
    """Return the PEM text of the key."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_id(key: Ed25519PublicKey) -> str:
    """Return 16 hexadecimal digits that tell two keys apart."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def signature(key: Ed25519PrivateKey, text: bytes) -> str:
    """Return the signature of the text, in base64."""
    return b64encode(key.sign(_PURPOSE + text)).decode()


def is_signed(key: Ed25519PublicKey, text: bytes, signed: str) -> bool:
    """Return whether that is the key's signature of the text."""
    try:
        key.verify(b64decode(signed, validate=True), _PURPOSE + text)
    except (InvalidSignature, ValueError):
        return False
    return True
