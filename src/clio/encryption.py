"""Encryption at rest of a run's private zone, with a key that its owner holds and Clio never stores.

A passphrase, from a command or the variable CLIO_KEY, and a salt of the run's own give the key by scrypt (RFC 7914). Parquet files are
encrypted by Parquet's modular encryption, footers included, each with a data key of its own that is stored wrapped; all else by
AES-256-GCM. ``cryptography`` is an extra and is imported only where there is a key.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import secrets
from importlib import import_module
from pathlib import Path
from typing import Any

from clio.errors import ModelError, RunError

VARIABLE = "CLIO_KEY"
#: the file of a private zone that tells how its key is made; without it nothing can be decrypted
HEADER = "encryption"
_SHORTEST = 12  # characters of a passphrase
_SALT_BYTES = 16
_NONCE_BYTES = 12
# OWASP's first choice of 2024 for scrypt: 128 MiB and some tenths of a second for each guess
_SCRYPT = {"n": 1 << 17, "r": 8, "p": 1, "maxmem": 1 << 28, "dklen": 32}


def passphrase(command: str | None) -> str | None:
    """What a command prints on its first line, else the variable CLIO_KEY, else None: no encryption is wanted.

    Raises:
        RunError: the command fails or prints nothing; never quotes what it printed.
    """
    if not command:
        return os.environ.get(VARIABLE) or None
    from clio.models import access

    try:
        return access.key(VARIABLE, "", VARIABLE, command)
    except ModelError:
        raise RunError(
            "setting 'encryption_key_command': it failed or printed nothing; run it by hand to see why"
        ) from None


class Cipher:
    """Encrypts and decrypts what is in a private zone.

    ``key`` is 32 random or derived bytes; keys for different uses are derived from it by HMAC-SHA256, so that none serves two.

    Raises:
        RunError: the extra is not installed.
    """

    def __init__(self, key: bytes) -> None:
        try:
            aead = import_module("cryptography.hazmat.primitives.ciphers.aead")
            parquet = import_module("pyarrow.parquet.encryption")
        except ImportError:
            raise RunError(
                "encryption of the private folder needs more: run `pip install 'clio-insights[encryption]'`"
            ) from None
        self._sealing: Any = aead.AESGCM(hmac.digest(key, b"clio seal", "sha256"))
        self._marking = hmac.digest(key, b"clio mark", "sha256")
        self._parquet = parquet
        self._factory = parquet.CryptoFactory(
            _wrapping(parquet, aead.AESGCM(hmac.digest(key, b"clio wrap", "sha256")))
        )

    def seal(self, content: bytes, about: bytes) -> bytes:
        """A text encrypted, bound to what it is ``about``: a random nonce of 12 bytes, the ciphertext, a tag of 16 bytes."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + bytes(self._sealing.encrypt(nonce, content, about))

    def unseal(self, sealed: bytes, about: bytes) -> bytes:
        """The text that was sealed.

        Raises:
            RunError: it was sealed with another key or about something else, or was changed.
        """
        from cryptography.exceptions import InvalidTag

        try:
            return bytes(self._sealing.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about))
        except (InvalidTag, ValueError):
            raise RunError(
                "an encrypted value does not fit its key; it was changed or is of another run"
            ) from None

    def mark(self, name: bytes) -> bytes:
        """A keyed hash, 32 bytes: the same for the same name, and nothing to try guesses on without the key."""
        return hmac.digest(self._marking, name, "sha256")

    def writing(self) -> Any:
        """How one Parquet file is to be encrypted (``encryption_properties``): all columns and the footer, AES-256-GCM."""
        how = self._parquet.EncryptionConfiguration(
            "clio",
            uniform_encryption=True,
            encryption_algorithm="AES_GCM_V1",
            double_wrapping=False,
            data_key_length_bits=256,
        )
        return self._factory.file_encryption_properties(self._parquet.KmsConnectionConfig(), how)

    def reading(self) -> Any:
        """How one Parquet file is decrypted (``decryption_properties``)."""
        return self._factory.file_decryption_properties(self._parquet.KmsConnectionConfig())


def _wrapping(parquet: Any, wrap: Any) -> Any:
    """What Parquet calls a client of a key service: it wraps the data key of each file with ours, in this process."""

    from cryptography.exceptions import InvalidTag

    class Keys(parquet.KmsClient):  # type: ignore[misc]  # pyarrow has no types
        def wrap_key(self, data_key: bytes, name: str) -> bytes:
            nonce = secrets.token_bytes(_NONCE_BYTES)
            return nonce.hex().encode() + bytes(wrap.encrypt(nonce, data_key, name.encode())).hex().encode()

        def unwrap_key(self, wrapped: str | bytes, name: str) -> bytes:
            sealed = bytes.fromhex(wrapped if isinstance(wrapped, str) else wrapped.decode())
            try:
                return bytes(wrap.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode()))
            except InvalidTag:
                raise OSError("a file of another key") from None

    return lambda _config: Keys()


def begun(phrase: str) -> tuple[bytes, Cipher]:
    """A new private zone's header (JSON: version, salt, check) and what encrypts it.

    Raises:
        RunError: the passphrase is short, or the extra is not installed.
    """
    if len(phrase) < _SHORTEST:
        raise RunError(
            f"the key of the private folder has fewer than {_SHORTEST} characters; "
            "take a longer one, such as `openssl rand -base64 32` prints"
        )
    salt = secrets.token_bytes(_SALT_BYTES)
    key = _key(phrase, salt)
    header = {"version": 1, "salt": salt.hex(), "check": _check(key)}
    return json.dumps(header).encode(), Cipher(key)


def unlocked(private: Path, command: str | None) -> Cipher | None:
    """What decrypts a private zone; None if it was made without a key.

    Args:
        private: the folder.
        command: that prints the passphrase; without one it is CLIO_KEY.

    Raises:
        RunError: the key is missing or wrong, the header cannot be read, or the extra is not installed.
    """
    try:
        content = (private / HEADER).read_bytes()
    except FileNotFoundError:
        return None
    try:
        header = json.loads(content)
        salt, check = bytes.fromhex(header["salt"]), str(header["check"])
        known = header["version"] == 1
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise RunError(
            f"{private / HEADER}: cannot be read, so nothing here can be decrypted; clio purge {private.parent} starts anew"
        )
    phrase = passphrase(command)
    if phrase is None:
        raise RunError(
            f"{private}: is encrypted and no key is given; set {VARIABLE}, or encryption_key_command to a command that prints it"
        )
    key = _key(phrase, salt)
    if not hmac.compare_digest(check, _check(key)):
        raise RunError(
            f"{private}: the key is not the one it was encrypted with; give that one, or start anew with: clio purge {private.parent}"
        )
    return Cipher(key)


def _key(phrase: str, salt: bytes) -> bytes:
    made: bytes = hashlib.scrypt(phrase.encode("utf-8", "surrogateescape"), salt=salt, **_SCRYPT)
    return made


def _check(key: bytes) -> str:
    """What shows that a key is the right one; tells nothing of it."""
    return hmac.digest(key, b"clio check", "sha256").hex()


class Pieces(io.RawIOBase):
    """The bytes that a Parquet file holds, one binary value a row group, as a file that can be sought; one piece is in memory at a time.

    ``file`` is a ``pyarrow.parquet.ParquetFile``, and ``piece`` the length of each piece but the last, in bytes.
    """

    def __init__(self, file: Any, piece: int) -> None:
        self._file, self._piece = file, piece
        self._at, self._number, self._held = 0, -1, b""
        last = file.num_row_groups - 1
        self._length = 0 if last < 0 else last * piece + len(self._read(last))

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place; returns it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer up to the end of a piece; returns how many bytes."""
        if self._at >= self._length:
            return 0
        number, start = divmod(self._at, self._piece)
        chunk = self._read(number)[start : start + len(buffer)]
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()

    def _read(self, number: int) -> bytes:
        if number != self._number:
            self._held = self._file.read_row_group(number)["piece"][0].as_py()
            self._number = number
        return self._held
