"""What obstore's errors mean, in words. Its own have URLs and replies, which may have secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from obstore import exceptions

from itemstore.archive.objects import Hindered
from itemstore.eventlog.past import PastUnavailable

_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role of the machine",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or a service account of the machine",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or a managed identity",
}
"""What each cloud's credentials are taken from, by the scheme of the URL."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What it means that an error's text has a sign, and whether it may pass by itself."""

    sign: str
    sentence: str
    is_passing: bool = False


# The first one that fits counts. {place} is the archive's URL, {code} what the server said.
_MEANINGS = [
    _Meaning(
        "NoSuchBucket|ContainerNotFound|specified bucket does not exist",
        "There is no bucket for the archive {place}: make it, or correct the URL.",
    ),
    _Meaning(
        "PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|TemporaryRedirect"
        "|redirect without LOCATION|incorrectly configured region",
        "The bucket of the archive {place} is in another region: set AWS_REGION to that.",
    ),
    _Meaning(
        "RequestTimeTooSkewed|RequestExpired",
        "The archive {place} refuses this machine's time{code}: set its clock.",
        is_passing=True,
    ),
    _Meaning(
        r"169\.254\.169\.254|169\.254\.170\.2|metadata\.google|/metadata/identity|No credentials"
        "|Missing(Region|Credential|Account)|Account must be specified",
        "No credentials for the archive {place} were found: {credentials}.",
    ),
    _Meaning(
        "InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|AuthenticationFailed"
        "|status code: 401|Unauthenticated|invalid_grant",
        "The archive {place} does not accept the credentials{code}: {credentials}.",
    ),
    _Meaning(
        "status code: 403|AccessDenied|AuthorizationFailure|PermissionDenied",
        "The archive {place} forbids it{code}: its credentials must be allowed to list, read, "
        "write and delete there.",
    ),
    _Meaning(
        "dns error|failed to lookup address",
        "The host of the archive {place} is not found: correct the URL or its endpoint.",
        is_passing=True,
    ),
    _Meaning(
        r"certificate|InvalidContentType|UnknownIssuer|allow_http|URL scheme is not allowed",
        "There is no safe connection to the archive {place}: is its endpoint https://, with a "
        "certificate that this machine knows?",
    ),
    _Meaning(
        "ConnectionRefused|kind: Connect",
        "The archive {place} can't be reached: nothing answers there.",
        is_passing=True,
    ),
    _Meaning(
        "SlowDown|status code: (429|5[0-9][0-9])|ConditionalRequestConflict|OperationAborted",
        "The archive {place} is busy or broken{code}.",
        is_passing=True,
    ),
    _Meaning("status code: [34]", "The archive {place} refuses a request{code}."),
]

_LOST = _Meaning("", "The connection to the archive {place} was lost{code}.", is_passing=True)

_STATUS = re.compile(r"status code: (\d{3})")

_CODE = re.compile(r"<Code>(\w{1,64})</Code>")


def meaning_of(error: Exception, place: str) -> PastUnavailable:
    """What an error means that is not about one object. None of its own words are repeated."""
    text = str(error)
    if isinstance(error, exceptions.UnauthenticatedError):
        text += " Unauthenticated"
    elif isinstance(error, exceptions.PermissionDeniedError):
        text += " PermissionDenied"
    meaning = next((each for each in _MEANINGS if re.search(each.sign, text)), _LOST)
    found = [match[1] for match in (_STATUS.search(text), _CODE.search(text)) if match]
    sentence = meaning.sentence.format(
        place=place,
        code=f" ({' '.join(found)})" if found else "",
        credentials=_CREDENTIALS.get(place.partition(":")[0], "see the environment"),
    )
    return (Hindered if meaning.is_passing else PastUnavailable)(sentence)


def is_of_the_bucket(error: Exception) -> bool:
    """Whether what was not found is the bucket, and not one object in it."""
    return re.search(_MEANINGS[0].sign, str(error)) is not None


def is_beyond_the_end(error: Exception) -> bool:
    """Whether a range begins at or after the end of an object."""
    return re.search(r"status code: 416|StartTooLarge|InvalidRange", str(error)) is not None
