"""Markup from a hostile service or prompt, which is shown as text and never run."""

from __future__ import annotations

from harness import PATIENCE, Notebook
from playwright.sync_api import expect

from tests.faults.server import Exchange, FaultServer, answer
from tests.faults.service import Service

HOSTILE = (
    "\"'><script>window.pwned=1</script><img src=x onerror=window.pwned=2><svg/onload=window.pwned=3>"
    "<a href='javascript:window.pwned=4'>x</a></style></textarea></code>"
    "<iframe srcdoc='<script>top.pwned=5</script>'>"
)


class HostileService(Service):
    """A service that puts markup into every text field of its responses; the prompt selects the response."""

    def serve(self, exchange: Exchange) -> bool:
        request = exchange.request
        body: dict[str, object] = {"task_id": "task-1", "status": "queued", "progress": 0}
        if b"refused" in request.body:
            return answer({"error": {"message": HOSTILE, "code": HOSTILE, "param": HOSTILE}}, 400)(exchange)
        if request.method == "GET" and request.path.endswith("failed"):
            error = {"message": HOSTILE, "code": HOSTILE}
            return answer({**body, "task_id": "failed", "status": "failed", "error": error})(exchange)
        if request.method == "GET" and request.path.endswith("odd"):
            odd = {"task_id": "odd", "status": HOSTILE, "model": HOSTILE, "progress": HOSTILE}
            return answer({**body, **odd})(exchange)
        link = {"url": "javascript:window.pwned=6", "expires_at": HOSTILE}
        return answer({**body, "status": "completed", "result": {"videos": [link, {"url": HOSTILE}]}})(
            exchange
        )


def test_hostile_markup_is_shown_as_text(notebook: Notebook) -> None:
    """Cards, studio, gallery and the static copies show markup as text, and no script runs."""
    with FaultServer(otherwise=HostileService()) as server:
        page = notebook(
            [
                f"import qingbo_widgets as qw\nmanager = qw.connect('some-key', base_url='{server.url}/v1')\n"
                f"manager.poll_interval = 0.1\nHOSTILE = {HOSTILE!r}",
                "qw.generate('refused' + HOSTILE)",
                "manager.resume('failed')",
                "manager.resume('odd')",
                "qw.generate('completed' + HOSTILE)",
                "studio = qw.VideoStudio(prompt='refused' + HOSTILE, negative_prompt=HOSTILE)\n"
                "studio.generate_button.click()\nstudio",
                "gallery = qw.Gallery(manager)\ngallery",
            ]
        ).run_all()
        for cell in (1, 2, 3, 4, 5, 6):
            expect(page.output(cell)).to_contain_text("window.pwned", timeout=PATIENCE)
        page.screenshot("strangers")
        assert page.page.evaluate("typeof window.pwned") == "undefined"
        assert (
            page.page.locator(
                ".jp-OutputArea script, .jp-OutputArea iframe, .jp-OutputArea [onerror*=pwned]"
            ).count()
            == 0
        )
        assert page.page.locator(".jp-OutputArea a[href^='javascript']").count() == 0

        page.save().shutdown_kernel().reload()
        for cell in (1, 2, 4):
            expect(page.output(cell)).to_contain_text("window.pwned", timeout=PATIENCE)
        assert page.page.evaluate("typeof window.pwned") == "undefined"
        assert page.page.locator(".jp-OutputArea iframe, .jp-OutputArea [onerror*=pwned]").count() == 0
    assert not [path for path in page.path.parent.rglob("*") if path.suffix in (".mp4", ".part")]
