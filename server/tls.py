"""TLS on the server itself, with a certificate that is read again on SIGHUP."""

from __future__ import annotations

import logging
import signal
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from uvicorn import Config

logger = logging.getLogger(__name__)

_OUT_OF_DATE = (9, 10)
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


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

    def out_of_date(self) -> str | None:
        """Why clients don't take it at this time, None where they do. It is used all the same.

        Python tells the dates of a certificate only to who is shown it, so it is shown to a client
        that trusts it and sends nothing.
        """
        asked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        asked.check_hostname = False
        asked.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        asking, answering = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = self.context().wrap_bio(asking, answering, server_side=True)
        try:
            asked.load_verify_locations(self.certfile)
            client = asked.wrap_bio(answering, asking)
            for end in (client, server, client):
                with suppress(ssl.SSLWantReadError):
                    end.do_handshake()
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in _OUT_OF_DATE:
                return error.verify_message
        except OSError:  # of the file, or of TLS: whatever else is wrong is for clients to say
            pass
        return None

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
    _warn_of_dates(certificate)

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
            _warn_of_dates(certificate)

    signal.signal(signal.SIGHUP, reload)
    return context


def _warn_of_dates(certificate: Certificate) -> None:
    if (why := certificate.out_of_date()) is not None:
        told = {"certfile": str(certificate.certfile), "reason": why}
        logger.warning("Clients don't take the certificate at this time", extra=told)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise NotACertificate(message) from None


def _why(error: ssl.SSLError) -> str:
    return (error.reason or "not PEM").replace("_", " ").lower()
