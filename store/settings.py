"""Every setting: an environment variable `ITEMSTORE_*`, and an option of the same name."""

from __future__ import annotations

from ipaddress import ip_address

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from itemstore.engine.acknowledgement import Acknowledgement
from itemstore.store.setting_fields import PREFIX, SettingFields


class Settings(BaseSettings, SettingFields):
    """The settings, from the environment where they are not passed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, extra="forbid", defer_build=False
    )

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that make a process have the same settings.

        Those that are not set are empty, so that a variable which this process does not go by does
        not count there either.
        """
        values = self.model_dump().items()
        return {f"{PREFIX}{name.upper()}": _text(value) for name, value in values}

    @property
    def acknowledgement(self) -> Acknowledgement:
        """What the store waits for, after a write, before it answers."""
        return Acknowledgement.of(self.durability)

    @property
    def may_be_open(self) -> bool:
        """Whether a store without tokens may be served to every client that reaches it."""
        return self.insecure_no_auth or self.uds is not None or _is_loopback(self.host)


def _text(value: object) -> str:
    """A value as an environment variable has it: empty where there is none."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
