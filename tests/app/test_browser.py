"""Laws of the browser that the page's tests stand on: it is real, it is required, it tells on the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests import browser as browsers


def test_a_missing_chromium_is_one_sentence_with_its_mend(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(browsers.ChromiumMissingError, match="apt-get install -y chromium"):
        browsers.find_chromium()


def test_requests_that_leave_the_machine_are_told_from_those_that_stay():
    log = browsers.BrowserLog(
        ["http://127.0.0.1:7860/", "data:,x", "blob:http://x/1", "https://fonts.example/a"]
    )
    assert log.outside == ["https://fonts.example/a"]


def test_errors_and_requests_of_a_page_are_written_down(chromium: Browser):
    log = browsers.BrowserLog()
    page = browsers.new_page(chromium, log)
    page.set_content("<script>console.error('first'); throw new Error('second')</script>")
    page.evaluate("fetch('http://nowhere.invalid/x').catch(() => null)")
    page.context.close()
    assert log.outside == ["http://nowhere.invalid/x"]
    assert "first" in log.errors[0]
    assert any("second" in error for error in log.errors)


def test_videos_of_the_kind_we_write_can_be_played(page: Page):
    kinds = ['video/mp4; codecs="avc1.4d401e"']
    assert page.evaluate("kinds => kinds.every(kind => MediaSource.isTypeSupported(kind))", kinds)
