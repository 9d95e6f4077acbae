"""A browser for tests that look at pages as a person would."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_SECONDS = 120
_DARK = "--blink-settings=preferredColorScheme=0"


@dataclass(frozen=True)
class Browser:
    """An installed Chromium, driven by its command line: nothing else needs to be installed."""

    program: str
    profile: Path

    def dom(self, url: str, *, settle_ms: int = 2_000) -> str:
        """The page as it is after its scripts have run."""
        return self._run(url, "--dump-dom", f"--virtual-time-budget={settle_ms}")

    def screenshot(
        self,
        url: str,
        file: Path,
        *,
        width: int = 1400,
        height: int = 900,
        dark: bool = False,
        settle_ms: int = 2_000,
    ) -> Path:
        """A picture of the top of the page, as PNG."""
        look = [_DARK] if dark else []
        size = f"--window-size={width},{height}"
        budget = f"--virtual-time-budget={settle_ms}"
        self._run(url, f"--screenshot={file}", size, budget, *look)
        return file

    def _run(self, url: str, *options: str) -> str:
        command = [
            self.program,
            "--headless",
            "--no-sandbox",  # the user may be root, as in most containers
            "--disable-gpu",
            "--disable-background-networking",
            "--hide-scrollbars",
            "--no-first-run",
            f"--user-data-dir={self.profile}",
            *options,
            url,
        ]
        ended = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
        return ended.stdout.decode()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium, or Google Chrome")
    return Browser(program, tmp_path_factory.mktemp("browser"))
