"""Where traces are sent, if anywhere: OpenTelemetry's variables, else the project's settings.

The variables are those of OpenTelemetry's specification, and what is not decided here (headers,
certificates, compression, time limits) its exporters read from them by themselves.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit

from linenotes.project import Project, ProjectError, without_credentials

Protocol = Literal["grpc", "http/protobuf"]

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_GRPC_PORT = ":4317"
_PATH = "/v1/traces"


@dataclass(frozen=True)
class OtlpTarget:
    """A collector that takes traces."""

    endpoint: str
    """The whole address that is written to."""
    protocol: Protocol

    @property
    def shown(self) -> str:
        """The address without what it may hold of passwords and keys."""
        return self.hide_secrets(self.endpoint)

    def hide_secrets(self, text: str) -> str:
        """Return `text`, which may quote the address, without what must not be shown of it."""
        address = self.endpoint if "//" in self.endpoint else f"//{self.endpoint}"
        parts = urlsplit(address)
        user, at, _ = parts.netloc.rpartition("@")
        for secret in (user + at, f"?{parts.query}" if parts.query else ""):
            text = text.replace(secret, "") if secret else text
        return text


def otlp_target(
    project: Project, *, endpoint: str | None = None, protocol: str | None = None
) -> OtlpTarget | None:
    """Return the collector of a project, or None when none is named.

    Args:
        project: its settings are used where the environment says nothing.
        endpoint: a collector over both.
        protocol: how to speak to it, over both. Where nobody says, gRPC on its own port 4317,
            and HTTP elsewhere.

    Raises:
        ProjectError: a protocol or an address that cannot be used.
    """
    if endpoint is None and _is_switched_off():
        return None
    settings = project.settings.otlp
    whole = os.environ.get(_TRACES_ENDPOINT) if endpoint is None else None
    base = endpoint or os.environ.get(_ENDPOINT) or settings.endpoint
    address = (whole or base or "").strip()
    if not address:
        return None
    _check_parts(address)
    named = protocol or next(filter(None, map(os.environ.get, _PROTOCOLS)), settings.protocol)
    spoken = _protocol(named, address)
    if spoken == "http/protobuf":
        address = address if whole else _with_path(address)
        _check_address(address)
    return OtlpTarget(address, spoken)


def _is_switched_off() -> bool:
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return disabled or os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"


def _protocol(name: str | None, address: str) -> Protocol:
    if not name:
        return "grpc" if urlsplit(address).netloc.endswith(_GRPC_PORT) else "http/protobuf"
    spoken = name.strip().lower()
    if spoken not in ("grpc", "http/protobuf"):
        raise ProjectError(
            f"Traces cannot be sent by {name!r}. "
            "Set OTEL_EXPORTER_OTLP_PROTOCOL to grpc or http/protobuf."
        )
    return cast("Protocol", spoken)


def _with_path(address: str) -> str:
    plain, query, rest = address.partition("?")
    plain = plain.rstrip("/")
    return (plain if plain.endswith(_PATH) else plain + _PATH) + query + rest


def _check_parts(address: str) -> None:
    try:
        _ = urlsplit(address if "//" in address else f"//{address}").port
    except ValueError:
        raise _no_address(address) from None


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise _no_address(address)


def _no_address(address: str) -> ProjectError:
    return ProjectError(
        f"{without_credentials(address)!r} is not the address of a collector. "
        "Name one as http://HOST:PORT in OTEL_EXPORTER_OTLP_ENDPOINT."
    )
