"""Words and turns of phrase that people use and captions do not, and what they name in the world (no torch).

Phrases of the vocabulary and of `everyday` are whole ones. Here stand single words, such as "hills" and
"descends", the nearest colour for those that the world lacks, and turns that seem to name something and do
not.
"""

from __future__ import annotations

NOTHING = ""

# attribute -> value -> words and phrases. A longer phrase is preferred to a shorter one within it.
PLAIN: dict[str, dict[str, str]] = {
    "subject": {"aeroplane": "plane"},
    "colour": {
        "yellow": "gold, golden", "white": "grey, gray, silver", "blue": "black", "orange": "brown, bronze",
    },
    "place": {
        "meadow": "hill, meadow, countryside, field",
        "sea": "sea, ocean, wave, seaside, shore, coast, beach, lake",
        "mountains": "mountain, peak, snowy mountain, snowy peak, valley, cliff",
        "desert": "desert, dune, cactus, cacti",
        "forest": "forest, woods, fir, tree",
        "city": "city, town, rooftop, roof, skyscraper, street",
        "garden": "garden, blossom, cherry tree, cherry trees",
        "ice": "ice, iceberg, arctic, antarctic",
    },
    "time_of_day": {
        "dawn": "dawn, sunrise, daybreak, morning, sun rises, sun comes up",
        "day": "day, daytime, noon, daylight, sunny, sunshine, sun climbs",
        "dusk": "dusk, sunset, evening, twilight, sun sets, sun sinks, sun goes down",
        "night": "night, nightfall, moon, moonlit, moonlight, star, starry, dark, moon rises, moon comes up",
    },
    "weather": {
        "clear": "clear sky, clear skies, blue sky, rain stops, rain ends, snow stops, snow ends, fog lifts, "
        "mist lifts, storm passes, no rain, no more rain, no snow, no more snow, no fog, no more fog",
        "cloudy": "cloudy, overcast, under clouds",
        "rain": "rain, rainy, raining, storm, storm comes up, stormy, drizzle, downpour",
        "snow": "snow, snowy, snowing, snowfall, snowflake, blizzard",
        "fog": "fog, foggy, mist, misty, haze, hazy",
    },
    "action": {
        "left": "left, leftward, leftwards, right to left, from the right",
        "right": "right, rightward, rightwards, left to right, from the left",
        "rise": "climb, ascend, up, upward, upwards",
        "sink": "descend, down, downward, downwards",
        "still": "hover, hang, rest, wait, stay, motionless",
        "bounce": "bounce, bob, hop",
        "circle": "circle, loop, orbit",
        "closer": "approach, closer, nearer, toward us, towards us, toward the camera, towards the camera",
        "away": "away, into the distance",
    },
    "camera": {
        "pan left": "pan left, pan to the left, camera moves left, camera moves to the left",
        "pan right": "pan right, pan to the right, camera moves right, camera moves to the right",
        "zoom in": "zoom in", "zoom out": "zoom out",
    },
    NOTHING: {
        NOTHING: "right above, right over, right behind, right beside, right next, right below, right under, "
        "right here, right there, right now, right away, all right, left alone, left its, left his, "
        "left her, left the, left behind, on the left, on the right, to the left of, to the right of, up in, "
        "high up, up high, up there, up and down, down there, down below, far away, one day, some day, "
        "every day, all day, above the clouds, left for, is left, close by, close to, "
        "stays as, stay as, stays with, stay with"
    },
}  # fmt: skip
# Said of how a thing is done.
MANNERS = frozenset(
    ("slowly", "gently", "softly", "quietly", "calmly", "quickly", "silently", "smoothly", "steadily")
)


def plain_phrases() -> list[tuple[str, str, str]]:
    """(attribute, value, phrase) of all of PLAIN."""
    return [
        (name, value, phrase.strip())
        for name, values in PLAIN.items()
        for value, phrases in values.items()
        for phrase in phrases.split(",")
    ]
