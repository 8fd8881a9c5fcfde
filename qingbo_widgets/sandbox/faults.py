"""The service's bad days, on demand: for tests, and for lessons on what a client has to survive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """What goes wrong in a sandbox; nothing, by default.

    `Sandbox(faults=Faults(rate_limit_every=3))` from the start, or `sandbox.faults = Faults(no_balance=True)`
    in the middle of a lesson. Requests for video files are never disturbed.

    Attributes:
        fail: Tasks end `failed` with this error code, for example `upstream_unavailable`; empty for none.
        fail_prompt: Only tasks whose prompt holds this text fail; empty for all of them.
        no_balance: Submitting answers 402: the account is empty.
        rate_limit_every: Every n-th request answers 429; 0 for none.
        retry_after: Seconds that a 429 asks to wait, in its `Retry-After`.
        server_error_every: Every n-th request answers 500, and is not carried out; 0 for none.
        html_every: Every n-th request *is* carried out, but a gateway answers 502 with a page of HTML: the
            case in which a client must not submit again by itself. 0 for none.
        latency: Seconds that every answer is late.
    """

    fail: str = ""
    fail_prompt: str = ""
    no_balance: bool = False
    rate_limit_every: int = 0
    retry_after: int = 1
    server_error_every: int = 0
    html_every: int = 0
    latency: float = 0.0

    def fails(self, prompts: list[str]) -> bool:
        """Whether a task with these prompts, one for each shot, is to fail."""
        return bool(self.fail) and any(self.fail_prompt in prompt for prompt in prompts)


def falls_on(every: int, count: int) -> bool:
    """Whether the request number `count`, from 1, is one of every n-th."""
    return every > 0 and count % every == 0
