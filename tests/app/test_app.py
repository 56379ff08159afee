"""app.py's flags and troubles: real processes, the tunnel stubbed; one sentence for whatever is wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from app import words
from app.handlers.urls import file_url
from tests.app.real_model import SHIPPED
from tests.app.studio_process import StudioProcess

PUBLIC = "https://studio.example"
USER, PASSWORD = "ada", "calm:wide view"
NO_MODEL = "nowhere/at/all"
# What a browser asks for at the other end of the tunnel comes in under the public name.
TUNNELLED = {"Host": PUBLIC.removeprefix("https://"), "X-Forwarded-Proto": "https"}
LACKING = ("token_transformer", "transformer", "preview_decoder")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., StudioProcess]]:
    """Starts app.py with a model that is not there, which costs the least; other flags may follow."""
    with ExitStack() as stack:

        def make(*flags: object, **options) -> StudioProcess:
            studio = StudioProcess(tmp_path, "--model", NO_MODEL, *flags, **options)
            stack.callback(studio.kill)
            return studio

        yield make


def refusal(studio: StudioProcess) -> str:
    """The one sentence of an app.py that cannot begin."""
    code, output = studio.result()
    assert code == 2, output
    assert output.startswith("error: ")
    assert output.count("\n") == 1
    return output


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(".story-cards li").first).to_be_visible()


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--port", "70000"], "--port: 70000 is not from 1 to 65535"),
        (["--port", "tea"], "'tea' is not a whole number"),
        (["--auth", "ada"], "--auth: give it as USER:PASSWORD"),
        (["--auth", ":secret"], "--auth: give it as USER:PASSWORD"),
        (["--device", "toaster"], "--device: invalid choice: 'toaster'"),
        (["--prot", "8000"], "unrecognized arguments: --prot 8000"),
    ],
)
def test_a_bad_flag_is_one_sentence(start, flags: list[str], sentence: str):
    output = refusal(start(*flags))
    assert sentence in output
    assert "app.py --help" in output


def test_a_port_that_is_taken_is_one_sentence(start):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} of this machine may be taken" in refusal(start(port=port))


def test_a_projects_folder_that_cannot_be_is_one_sentence(start, tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert "give --projects another one" in refusal(start("--projects", tmp_path / "file" / "projects"))


# -- models that are not there, or not whole --------------------------------------------------------------


def test_without_a_model_the_page_opens_and_says_what_is_missing(start, page: Page):
    studio = start().wait()
    open_page(page, studio.url)
    expect(page.locator(".model p")).to_have_attribute("data-state", "failed")
    expect(page.locator(".model p")).to_contain_text(f"{NO_MODEL} does not exist; give --model")
    page.click("#make-animatic")
    expect(page.locator(".progress-display .detail")).to_contain_text("does not exist")


@pytest.fixture
def incomplete(tmp_path: Path) -> Path:
    """The shipped model before its last stages were trained."""
    folder = tmp_path / "half"
    folder.mkdir()
    for path in SHIPPED.iterdir():
        if path.name not in LACKING:
            (folder / path.name).symlink_to(path)
    index = folder / "model_index.json"
    entries = json.loads(index.read_text()) | {name: [None, None] for name in LACKING}
    index.unlink()
    index.write_text(json.dumps(entries))
    return folder


def test_an_incomplete_model_is_told_before_and_after_the_click(start, page: Page, incomplete: Path):
    studio = start("--model", incomplete).wait()
    open_page(page, studio.url)
    expect(page.locator(".headline")).to_have_text(words.INCOMPLETE)
    for place in (".progress-display .detail", ".notice p"):
        expect(page.locator(place)).to_contain_text("python -m arlon_core train")
        assert all(name in page.inner_text(place) for name in LACKING)
        page.click("#render")
    expect(page.locator(".model p")).to_have_text(words.model_incomplete("half"))


# -- who may come in --------------------------------------------------------------------------------------


def test_nothing_is_read_without_the_password(start, page: Page, browser_log, tmp_path: Path):
    studio = start("--auth", f"{USER}:{PASSWORD}").wait()
    secret = studio.projects / "the-fox-0000000000000001" / "film.mp4"
    secret.parent.mkdir()
    secret.write_text("a secret film")
    film = f"{studio.url}/gradio_api/file={secret}"
    for address in (film, f"{studio.url}/config", f"{studio.url}/gradio_api/info"):
        assert httpx.get(address).status_code == 401, address
    assert (
        httpx.post(f"{studio.url}/gradio_api/run/predict", json={"data": [], "fn_index": 0}).status_code
        == 401
    )

    def log_in(password: str) -> None:
        page.get_by_label("username").fill(USER)
        page.get_by_label("password").fill(password)
        page.get_by_role("button", name="Login").click()

    page.goto(studio.url)
    log_in("calm")
    expect(page.get_by_text("Incorrect Credentials")).to_be_visible()
    assert page.locator(".story-cards").count() == 0
    assert page.context.request.get(film).status == 401
    log_in(PASSWORD)
    expect(page.locator(".story-cards li").first).to_be_visible()
    assert page.context.request.get(film).text() == "a secret film"


def test_a_shared_studio_prints_its_link_and_works_behind_it(start, page: Page):
    studio = start("--share", guarded=True, TUNNEL=PUBLIC).wait(PUBLIC)
    open_page(page, studio.url)
    assert studio.outside == []
    config = httpx.get(f"{studio.url}/config", headers=TUNNELLED).json()
    assert config["root"] == PUBLIC
    assert words.TITLE in httpx.get(studio.url, headers=TUNNELLED).text


def test_behind_a_shared_link_films_and_clips_are_for_those_who_have_the_password(start):
    studio = start("--share", "--auth", f"{USER}:{PASSWORD}", guarded=True, TUNNEL=PUBLIC).wait(PUBLIC)
    project = studio.projects / "the-fox-0000000000000001"
    clip, film = project / "artefacts" / "clip" / "00" / "00ab.mp4", project / "film.mp4"
    clip.parent.mkdir(parents=True)
    for file in (clip, film):
        file.write_text(f"a secret {file.stem}")
    urls = [f"{studio.url}{file_url(file)}" for file in (clip, film)]

    def log_in(password: str) -> httpx.Response:
        typed = {"username": USER, "password": password}
        return httpx.post(f"{studio.url}/login", data=typed, headers=TUNNELLED)

    def fetch(url: str, **headers: str) -> httpx.Response:
        return httpx.get(url, headers=TUNNELLED | headers)

    refused = log_in("calm")
    assert refused.status_code == 400
    stranger = "; ".join(f"{name}=guessed" for name in log_in(PASSWORD).cookies)
    for url in (*urls, f"{studio.url}/config"):
        for cookies in ({}, {"Cookie": stranger}, {"Cookie": "; ".join(refused.cookies)}):
            answer = fetch(url, **cookies)
            assert answer.status_code == 401, url
            assert "secret" not in answer.text
    entered = log_in(PASSWORD)
    assert entered.status_code == 200
    mine = {"Cookie": "; ".join(f"{name}={value}" for name, value in entered.cookies.items())}
    assert [fetch(url, **mine).text for url in urls] == ["a secret 00ab", "a secret film"]
    part = fetch(urls[0], Range="bytes=2-7", **mine)  # as players ask
    assert (part.status_code, part.text) == (206, "secret")
    assert studio.outside == []


def test_a_tunnel_that_cannot_be_had_costs_the_link_and_nothing_else(start, page: Page):
    studio = start("--share", guarded=True, TUNNEL="").wait("Could not create share link")
    open_page(page, studio.url)
