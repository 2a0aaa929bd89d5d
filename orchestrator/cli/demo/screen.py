"""What the demo shows: each step with its time as it happens, then what to try by hand."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from orchestrator.cli.qr import draw_qr


class Screen:
    """Prints steps with the seconds since the start and since the step before."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.perf_counter) -> None:
        self._console = console
        self._clock = clock
        self._started_at = self._last_at = clock()

    def step(self, what: str, detail: str = "") -> None:
        """Show something that has just happened."""
        now = self._clock()
        line = Text()
        line.append(f"{now - self._started_at:7.2f} s ", style="dim")
        line.append(f"{(now - self._last_at) * 1000:+8.0f} ms  ", style="cyan")
        line.append(what)
        if detail:
            line.append(f"  {detail}", style="dim")
        self._console.print(line, soft_wrap=True)
        self._last_at = now

    def qr(self, content: str) -> None:
        """Show a QR code."""
        self._console.print(draw_qr(content), highlight=False, markup=False, soft_wrap=True)

    def success(self, what: str) -> None:
        """Show that the story came to its end."""
        self._console.print(f"[bold green]{what}[/bold green]")

    def failure(self, what: str) -> None:
        """Show why it did not."""
        self._console.print(Text(what, style="bold red"))

    def try_by_hand(self, links: dict[str, str], curl: str) -> None:
        """Show addresses, keys and a command to paste."""
        self._console.rule("Try it by hand", align="left")
        width = max(map(len, links))
        for name, value in links.items():
            # Without wrapping, so that it can be copied; so is the command below.
            self._console.print(Text.assemble((name.ljust(width + 2), "bold"), value), soft_wrap=True)
        self._console.print("Send another text; the answer is its status after WhatsApp's acknowledgement:")
        self._console.print(Text(curl), soft_wrap=True)
        self._console.print("Ctrl-C stops everything.")
