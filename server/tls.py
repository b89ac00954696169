"""TLS on the server itself, with a certificate that is read again on SIGHUP."""

from __future__ import annotations

import logging
import signal
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from uvicorn import Config

logger = logging.getLogger(__name__)


class NotACertificate(Exception):
    """The files can't be used. The sentence says which of them and why, with no stop at its end."""


@dataclass(frozen=True)
class Certificate:
    """Where a certificate with its chain is, and its key: without one, in the same file. In PEM."""

    certfile: Path
    keyfile: Path | None = None
    password: str | None = field(default=None, repr=False)

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 and 1.3 with this certificate, for HTTP/1.1. Raises NotACertificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Has the connections that come from now on get this certificate.

        Raises NotACertificate; a context that had another one is of no use then.
        """
        key = self._checked()
        is_encrypted = b"ENCRYPTED" in key
        try:
            # Without a password of ours OpenSSL would ask for one at the terminal.
            context.load_cert_chain(self.certfile, self.keyfile, lambda: self.password or "")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                message = f"the key in {self._key} is not that of {self.certfile}"
            elif is_encrypted:
                without = "" if self.password else ", and there is none"
                message = f"the key in {self._key} can't be read with this password{without}"
            else:
                message = f"{self.certfile} with {self._key} can't be used: {_why(error)}"
            raise NotACertificate(message) from None

    @property
    def _key(self) -> Path:
        return self.keyfile or self.certfile

    def _checked(self) -> bytes:
        """The file with the key, if both have what they should. Raises NotACertificate."""
        content = _content(self.certfile)
        if b"-----BEGIN CERTIFICATE-----" not in content:
            message = f"there is no certificate in PEM in {self.certfile}"
            raise NotACertificate(message)
        key = content if self.keyfile is None else _content(self.keyfile)
        if b"PRIVATE KEY-----" not in key:
            message = f"there is no private key in PEM in {self._key}"
            raise NotACertificate(message)
        return key


def reloading_context(
    certificate: Certificate, _config: Config, _default: object
) -> ssl.SSLContext:
    """What uvicorn has each process make: from now on SIGHUP has the files read again.

    For the main thread. Where the new files can't be used, the old certificate stays.
    """
    context = certificate.context()
    named = {"certfile": str(certificate.certfile)}

    def reload(_: int, __: FrameType | None) -> None:
        try:
            certificate.context()  # where that can't be, the one in use is left alone
            certificate.load_into(context)
        except NotACertificate as error:
            logger.error(  # noqa: TRY400 - the sentence says it all
                "The certificate was not read again, and the old one stays",
                extra={**named, "reason": str(error)},
            )
        else:
            logger.warning("The certificate was read again", extra=named)

    signal.signal(signal.SIGHUP, reload)
    return context


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise NotACertificate(message) from None


def _why(error: ssl.SSLError) -> str:
    return (error.reason or "not PEM").replace("_", " ").lower()
