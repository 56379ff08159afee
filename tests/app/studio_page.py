"""A served studio and a page in Chromium that shows it, for tests of what people do and see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, Route, expect

from app import words
from arlon_core.story import parse_story
from tests.app.studio_desk import Bench

STORY = (
    "title: The fox\nstyle: calm\n\n[1s] A fox sits.\n# then\n[1.5s seed=11] It runs.\n[1s] Night falls.\n"
)

# The page's own stories as the browser keeps them.
KEPT = """() => Object.entries(localStorage).filter(([key]) => key.startsWith('arlon-story-'))
    .map(([key, story]) => JSON.parse(story))"""


@dataclass
class Studio:
    """A served studio and one page that shows it."""

    bench: Bench
    page: Page
    url: str

    def open(self, page: Page | None = None) -> Studio:
        """Show the studio, in another page where one is given, until the browser's own story is there."""
        self.page = page = page or self.page
        page.goto(self.url)
        expect(page.locator(".story-cards li").first).to_be_visible()
        expect(page.locator(".model p")).to_have_attribute("data-state", "ready")
        expect(page.locator("#story-choice option").first).to_be_attached()
        expect(page.locator("#story-text")).to_be_editable()
        return self

    def begin(self, text: str = STORY, view: str = "text") -> Studio:
        """Open the page and write a good story, until cards and text both show it; then turn to that view."""
        self.open()
        self.write(text)
        prompts = [segment.prompt for segment in parse_story(text).segments]
        self.until(lambda: self.prompts() == prompts)
        self.page.click(f"#tab-{view}")
        return self

    def tab(self) -> Studio:
        """Another tab of the same browser."""
        return Studio(self.bench, self.page.context.new_page(), self.url).open()

    def write(self, text: str) -> None:
        """Put a story into the text view."""
        self.page.click("#tab-text")
        self.page.fill("#story-text", text)

    def prompts(self) -> list[str]:
        return self.page.eval_on_selector_all(".story-cards .prompt", "all => all.map(each => each.value)")

    def text(self) -> str:
        return self.page.eval_on_selector("#story-text", "text => text.value")

    def until(self, true: Callable[[], object]) -> None:
        """As `Bench.until`, with the page kept alive meanwhile."""

        def look() -> object:
            self.page.wait_for_timeout(20)
            return true()

        self.bench.until(look)


def open_settings(page: Page) -> None:
    """Open the settings and wait until they can be typed in as fast as a test does.

    Gradio makes the fields only now, and some moments later writes into them what the server told meanwhile.
    """
    page.click(f"text={words.SETTINGS}")
    expect(page.get_by_label(words.SETTING["steps"])).to_be_editable()
    page.evaluate("() => new Promise(done => setTimeout(() => requestAnimationFrame(done), 300))")


def kept_texts(page: Page) -> set[str]:
    return {story["text"] for story in page.evaluate(KEPT)}


def own_titles(page: Page) -> list[str]:
    return page.locator(f"#story-choice optgroup[label='{words.EDITOR['mine']}'] option").all_inner_texts()


def hold_events(page: Page, told: str = "") -> list[Route]:
    """Events that tell `told` do not reach the server from now on; the requests, to be let go or dropped."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        data = (route.request.post_data or "").replace(" ", "")
        held.append(route) if told in data else route.continue_()

    page.route("**/gradio_api/run/**", hold)
    return held


def hold_typing(page: Page) -> list[Route]:
    """The same of what is typed."""
    return hold_events(page, '"event_data":{"rev"')
