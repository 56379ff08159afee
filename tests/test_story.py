"""Laws of stories: text, JSON and objects say the same; every bad line raises with its place and mend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arlon_core.errors import StoryError
from arlon_core.story import (
    MAX_SEED,
    Segment,
    Story,
    format_story,
    parse_story,
    read_story,
    segment_texts,
    story_from_json,
    story_to_json,
)

# A machine that is busy with something else is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

EXAMPLE = """title: The balloon at the edge of the sea
style: calm, wide view
seed: 7

[4s] A red hot-air balloon rises over green hills at dawn.
[6s] The sun climbs and the balloon drifts right over the sea.
[4s seed=11] Night falls and snow begins to fall.
"""

# Any text at all, with the characters that could confuse the grammar made frequent.
_text = st.text(
    alphabet=st.one_of(st.sampled_from("[]\\#:s=4 \t\n\u2028"), st.characters(codec="utf-8"))
).filter(lambda text: not any(c < " " or "\x7f" <= c <= "\x9f" for c in " ".join(text.split())))
_marked = st.tuples(st.sampled_from(["", "[", "[4s] ", "\\", "# ", "title: ", "Seed:", "\ufeff"]), _text).map(
    "".join
)
_seeds = st.integers(0, MAX_SEED)
_segments = st.builds(
    Segment,
    prompt=_marked.filter(lambda text: 0 < len(" ".join(text.split())) <= 2000),
    seconds=st.floats(0.5, 30.0),
    seed=st.none() | _seeds,
)
_stories = st.builds(
    Story,
    segments=st.lists(_segments, min_size=1, max_size=6).map(tuple),
    title=_marked.map(lambda text: text[:150]),
    style=_marked.map(lambda text: text[:150]),
    seed=_seeds,
)


@patient
@given(_stories)
def test_text_is_lossless(story: Story):
    assert parse_story(format_story(story)) == story


@patient
@given(_stories)
def test_text_survives_a_byte_order_mark_and_windows_line_ends(story: Story):
    assert parse_story("\ufeff" + format_story(story).replace("\n", "\r\n")) == story


@patient
@given(_stories)
def test_json_is_lossless(story: Story):
    assert story_from_json(json.loads(json.dumps(story_to_json(story), allow_nan=False))) == story


@patient
@given(_marked)
def test_a_line_is_one_segment_or_one_sentence(line: str):
    """Whatever is typed, nothing but a StoryError comes out, and it names the line."""
    line = " ".join(line.split())
    message = ""
    try:
        segments = parse_story("[4s] first\n" + line).segments
    except StoryError as error:
        message, segments = str(error), ()
    if message:
        assert message.startswith("story, line 2: ")
        assert message.endswith(".")
    else:
        assert len(segments) == (1 if not line or line.startswith("#") else 2)


def test_the_example_reads_as_written():
    story = parse_story(EXAMPLE)
    assert (story.title, story.style, story.seed) == (
        "The balloon at the edge of the sea",
        "calm, wide view",
        7,
    )
    assert [segment.seconds for segment in story.segments] == [4.0, 6.0, 4.0]
    assert [story.segment_seed(index) for index in range(3)] == [7, 7, 11]
    assert story.seconds == 14.0
    assert format_story(story) == EXAMPLE


@pytest.mark.parametrize(
    ("line", "prompt", "seconds", "seed"),
    [
        ("A balloon.", "A balloon.", 4.0, None),
        ("Then: night falls", "Then: night falls", 4.0, None),
        ("titles: none", "titles: none", 4.0, None),
        ("title", "title", 4.0, None),
        (r"\title: a prompt", "title: a prompt", 4.0, None),
        (r"\[4s] a prompt", "[4s] a prompt", 4.0, None),
        (r"\# a prompt", "# a prompt", 4.0, None),
        (r"\\ a prompt", r"\ a prompt", 4.0, None),
        ("[2.5s]  two \t words ", "two words", 2.5, None),
        ("[4s seed=0] [aside] a [4s] b", "[aside] a [4s] b", 4.0, 0),
        ("[4s] # not a comment", "# not a comment", 4.0, None),
        ("  [4s] indented", "indented", 4.0, None),
    ],
)
def test_lines_of_the_grammar(line: str, prompt: str, seconds: float, seed: int | None):
    assert parse_story(line).segments == (Segment(prompt, seconds, seed),)


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("[0s] x", '"[0s]" asks for zero seconds; give at least 0.5.'),
        ("[-4s] x", "give at least 0.5"),
        ("[0.4s] x", "give at least 0.5"),
        ("[3601s] x", "give at most 3600"),
        ("[1" + "0" * 400 + "s] x", "give at most 3600"),
        ("[nans] x", 'write "[4s]"'),
        ("[infs] x", 'write "[4s]"'),
        ("[4] x", 'write "[4s]"'),
        ("[] x", 'write "[4s]"'),
        ("[seed=4] x", 'write "[4s]"'),
        ("[4s seed=4 more] x", 'write "[4s]"'),
        ("[4s seed=] x", 'write "[4s]"'),
        ("[4s x", "never closes"),
        ("[4s seed=-1] x", "from 0 to 2^63-1"),
        ("[4s seed=1.5] x", "from 0 to 2^63-1"),
        (f"[4s seed={2**63}] x", "from 0 to 2^63-1"),
        ("[4s seed=" + "9" * 9000 + "] x", "from 0 to 2^63-1"),
        ("[4s]", "write what happens"),
        ("\\", "write what happens"),
        ("x" * 2001, "2,001 characters; at most 2,000"),
        ("a\x07b", "U+0007"),
        ("title: late", "move it above"),
        ("seed: 3", "move it above"),
    ],
)
def test_a_bad_line_names_file_line_and_mend(line: str, mend: str):
    with pytest.raises(StoryError) as caught:
        parse_story(f"# comment\nseed: 1\n\n\n[4s] first\n\n{line}\n", "story.txt")
    message = str(caught.value)
    assert message.startswith("story.txt, line 7: ")
    assert mend in message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 250


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "story has no segments"),
        ("# only this\ntitle: x\n", "story has no segments"),
        ("title: a\nTITLE: b\nx", "story, line 2: .* given twice"),
        ("seed: seven\nx", "story, line 1: .*whole number"),
        ("seed:\nx", "story, line 1: .*whole number"),
        ("style: " + "x" * 501 + "\nx", "story, line 1: .*at most 500"),
        ("x\n" * 501, "story, line 501: .*500 segments"),
        ("[3600s] x\n[3600s] x\n[1s] x", "story, line 3: .*two hours"),
    ],
)
def test_a_bad_story_is_refused(text: str, message: str):
    with pytest.raises(StoryError, match=message):
        parse_story(text)


@pytest.mark.parametrize(
    "seconds", [float("nan"), float("inf"), -float("inf"), -1, 0, 0.1, 1e9, True, "4", None]
)
def test_seconds_of_every_wrong_kind_are_refused(seconds: object):
    with pytest.raises(StoryError, match=r"give .*0\.5|give at most 3600"):
        Segment("x", seconds)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 2**63, 10**400, 1.0, True, "1", float("nan")])
def test_seeds_of_every_wrong_kind_are_refused(seed: object):
    for make in (lambda: Segment("x", 4.0, seed), lambda: Story((Segment("x"),), seed=seed)):  # type: ignore[arg-type]
        with pytest.raises(StoryError, match="from 0 to 2"):
            make()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1: this is not JSON"),
        ('{"segments": [{"prompt": "x"}],\n "speed": 4}', '"speed" is not a known key'),
        (
            '{"segments": [{"prompt": "x"}, {"prompt": "x", "secs": 4}]}',
            'segment 2: "secs" is not a known key',
        ),
        ('{"segments": [{"seconds": 4}]}', 'segment 1: .*no "prompt"'),
        ('{"segments": [{"prompt": ""}]}', "segment 1: the prompt is empty"),
        ('{"segments": [{"prompt": 5}]}', "segment 1: the prompt 5 is not text"),
        ('{"segments": [{"prompt": "\\ud800"}]}', "segment 1: .*U\\+D800"),
        ('{"segments": [{"prompt": "x", "seconds": NaN}]}', "NaN is not a JSON number"),
        ('{"segments": [{"prompt": "x", "seconds": 1e999}]}', "segment 1: .*at most 3600"),
        ('{"segments": [{"prompt": "x", "seconds": true}]}', "segment 1: .*True are not a number"),
        ('{"segments": [{"prompt": "x", "seconds": 4, "seconds": 5}]}', "given twice"),
        ('{"segments": "x"}', "not a list"),
        ('{"segments": ["x"]}', "segment 1: "),
        ('{"segments": []}', "no segments"),
        ("{}", "no segments"),
        ("[]", "the story is \\[\\]"),
        ('{"segments": [{"prompt": "x"}], "title": null}', "the title None is not text"),
        ('{"segments": [{"prompt": "x"}], "seed": 1.5}', "whole number"),
        ('{"segments": [{"prompt": "x"}], "seed": ' + "9" * 9000 + "}", "not a story in JSON"),
        ("[" * 100000, "not a story in JSON"),
    ],
)
def test_bad_json_is_refused_by_name(tmp_path: Path, text: str, message: str):
    path = tmp_path / "story.json"
    path.write_text(text)
    with pytest.raises(StoryError, match=message) as caught:
        read_story(path)
    assert str(caught.value).startswith("story.json")
    assert len(str(caught.value)) < 250


def test_files_are_read_by_suffix_and_content(tmp_path: Path):
    story = parse_story(EXAMPLE)
    as_json = json.dumps(story_to_json(story))
    for name, text in [
        ("a.txt", EXAMPLE),
        ("a.json", as_json),
        ("a.JSON", as_json),
        ("a", EXAMPLE),
        ("b", as_json),
    ]:
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
        assert read_story(tmp_path / name) == story


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("[4s] ok\n[4s] caf\xe9".encode("latin-1"), "bad.txt, line 2: this is not UTF-8"),
        ("[4s] a".encode("utf-16"), "bad.txt is UTF-16"),
        (b"\x89PNG\0\0", "bad.txt is not a text file"),
        (b"x" * (17 * 2**20), "bad.txt is larger than"),
        (b"", "bad.txt has no segments"),
    ],
)
def test_files_that_hold_no_story(tmp_path: Path, data: bytes, message: str):
    (tmp_path / "bad.txt").write_bytes(data)
    with pytest.raises(StoryError, match=message):
        read_story(tmp_path / "bad.txt")


def test_missing_files_and_folders(tmp_path: Path):
    with pytest.raises(StoryError, match="does not exist"):
        read_story(tmp_path / "none.txt")
    with pytest.raises(StoryError, match="is a folder"):
        read_story(tmp_path)
    with pytest.raises(StoryError, match="cannot be read"):
        read_story("a\0b")


def test_segment_texts_keep_the_last_full_description():
    prompts = ["A fox on a hill.", "then night falls", "Snow begins.", "A boat at sea", "it turns left"]
    assert segment_texts("calm, wide view", prompts, [False, False, False, True, False]) == [
        "calm, wide view. A fox on a hill.",
        "calm, wide view. A fox on a hill. then night falls",
        "calm, wide view. A fox on a hill. Snow begins.",
        "calm, wide view. A boat at sea",
        "calm, wide view. A boat at sea. it turns left",
    ]
    assert segment_texts("", ["A fox"], [True]) == ["A fox"]
    with pytest.raises(ValueError, match="one flag a prompt"):
        segment_texts("", ["a"], [])


@patient
@given(st.lists(st.tuples(_text, st.booleans()), min_size=2))
def test_a_later_prompt_never_changes_an_earlier_text(rows: list[tuple[str, bool]]):
    prompts, full = [row[0] for row in rows], [row[1] for row in rows]
    assert segment_texts("s", prompts, full)[:-1] == segment_texts("s", prompts[:-1], full[:-1])


def test_the_example_stories_are_valid_and_say_what_they_are():
    paths = sorted((Path(__file__).parent.parent / "assets" / "stories").glob("*.txt"))
    assert len(paths) >= 6
    for path in paths:
        story = read_story(path)
        assert story.title
        assert 4 <= len(story.segments) <= 7
        assert 20 <= story.seconds <= 40
        assert parse_story(format_story(story)) == story
    balloon = read_story(paths[0].parent / "balloon.txt")
    assert (len(balloon.segments), balloon.seconds) == (6, 30.0)
