"""Cipher with several keys, so that a new one can be put to use while events of the old ones stay."""

from collections.abc import Sequence

from eventsourcing.cryptography import AESCipher
from eventsourcing.persistence import Cipher
from eventsourcing.utils import Environment


class RotatedCipher(Cipher):
    """The library's AES-GCM, whose states do not name their key: a key that does not fit is noticed by the tag."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Encrypt with the first of the keys, in base64; decrypt with any."""
        self._ciphers = [AESCipher(Environment("", {AESCipher.CIPHER_KEY: key})) for key in keys]

    def encrypt(self, plaintext: bytes) -> bytes:
        return self._ciphers[0].encrypt(plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plain text. Raises ValueError if no key fits, or the text is damaged."""
        *others, last = self._ciphers
        for cipher in others:
            try:
                return cipher.decrypt(ciphertext)
            except ValueError:
                continue
        return last.decrypt(ciphertext)
