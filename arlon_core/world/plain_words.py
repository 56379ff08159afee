"""Words and turns of phrase that people use and captions do not, and what they name in the world (no torch).

Phrases of the vocabulary and of `everyday` are whole ones. Here stand single words, such as "hills" and
"descends", the nearest colour for those that the world lacks, and turns that seem to name something and do
not.
"""

from __future__ import annotations

NOTHING = ""
_SUNNY = (
    "sunny, sunshine, sunlight, sunlit, in the sun, under the sun, bright sun, sun shines, sun is out, "
    "sun comes out, sun comes through, sun breaks through, sun returns, sun comes back, sun is back"
)
_CLEAR_NIGHT = "clear night, night is clear, night sky is clear, clear night sky"
_FLYING = ("flies", "floats", "drifts", "glides", "sails", "moves", "heads")


def _flying(way: str) -> str:
    """ "Floats right over the hills" tells a way, where "a kite right over the hills" does not."""
    return ", ".join(f"{verb} {way} {where}" for verb in _FLYING for where in ("over", "above", "across"))


# attribute -> value -> words and phrases. A longer phrase is preferred to a shorter one within it. One that
# stands under two attributes names both.
PLAIN: dict[str, dict[str, str]] = {
    "subject": {
        "balloon": "air balloon",
        "aeroplane": "plane",
        "rocket": "space ship",
        "lantern": "chinese lantern",
        "bird":
            "seagull, gull, eagle, hawk, crow, raven, pigeon, dove, parrot, goose, geese, duck, swan, stork, "
            "birdie, birdy",
        "butterfly": "moth",
    },
    "colour": {
        "red": "dark red, light red, deep red",
        "orange": "brown, bronze, dark orange, sunset orange",
        "yellow": "gold, golden, dark yellow",
        "green": "dark green, forest green, sea green",
        "turquoise": "dark turquoise, dark teal",
        "blue": "black, dark blue, night blue, midnight blue, sea blue, ocean blue, ice blue",
        "purple": "dark purple, dark violet",
        "pink": "dark pink",
        "white": "grey, gray, silver, dark grey, dark gray, ice white",
    },
    "place": {
        "meadow": "hill, meadow, countryside, field, grass, farm",
        "sea":
            "sea, ocean, wave, seaside, shore, coast, beach, sandy beach, sandy shore, lake, river, "
            "harbour, harbor, pacific, mediterranean, caribbean",
        "mountains":
            "mountain, peak, snowy mountain, snowy peak, snow capped mountain, snow capped peak, valley, "
            "cliff, himalayas, everest, andes, rocky mountains",
        "desert": "desert, dune, cactus, cacti, sand, sandy, gobi",
        "forest": "forest, woods, fir, tree, jungle, dark forest, dark woods, black forest",
        "city":
            "city, town, rooftop, roof, skyscraper, street, village, new york, manhattan, london, paris, "
            "berlin, rome, venice, tokyo",
        "garden":
            "garden, blossom, blossoming, blossoming trees, blooming trees, cherry tree, cherry trees, park",
        "ice":
            "ice, iceberg, frozen sea, frozen lake, frozen ocean, frozen land, arctic, antarctic, north "
            "pole, south pole, icy, greenland, freezes over, the sea freezes, the lake freezes, the ocean "
            "freezes, the water freezes",
    },
    "time_of_day": {
        "dawn":
            "dawn, sunrise, daybreak, morning, first light, first rays, gets light, sun rises, sun rose, "
            "sun comes up, sun came up, first sunbeams, new day begins, new day dawns, new day starts, "
            "breakfast time",
        "day":
            "day, daytime, noon, daylight, lunch time, lunchtime, sun climbs, sun is high, sun high, high "
            f"sun, {_SUNNY}",
        "dusk":
            "dusk, sunset, evening, twilight, golden hour, magic hour, blue hour, sun sets, sun sinks, "
            "sun goes down, sun going down, sun went down, sun dips, "
            "sun disappears, sun vanishes, sun is low, low sun",
        "night":
            "night, nightfall, moon, moonlit, moonlight, star, starry, dark, moon rises, moon comes up, "
            f"northern lights, aurora, shooting star, moonshine, overnight, bedtime, {_CLEAR_NIGHT}",
    },
    "weather": {
        "clear":
            "clear sky, clear skies, blue sky, blue skies, sky is blue, weather gets better, clouds break, "
            "weather clears, it clears, it clears up, clears up, sun through, be clear, clear again, "
            f"{_CLEAR_NIGHT}, {_SUNNY}",
        "cloudy":
            "cloud, cloudy, overcast, grey sky, gray sky, grey skies, gray skies, storm clouds, rain "
            "clouds, dark clouds",
        "rain":
            "rain, rainy, raining, storm, storm comes up, stormy, drizzle, downpour, pouring, shower, "
            "raindrop, thunder, thunderstorm, lightning, falling rain, rain pours down, rain comes down",
        "snow":
            "snow, snowy, snowing, snowfall, snowflake, snowstorm, blizzard, falling snow, falling "
            "snowflakes, snow comes down",
        "fog": "fog, foggy, mist, misty, haze, hazy",
    },
    "action": {
        "left":
            "left, leftward, leftwards, to the left, towards the left, right to left, from the right, from "
            "the right to the left, from screen right to screen left, from the right side to the left side, "
            f"{_flying('left')}",
        "right":
            "right, rightward, rightwards, to the right, towards the right, left to right, from the left, "
            "from the left to the right, from screen left to screen right, from the left side to the right "
            f"side, {_flying('right')}",
        "rise":
            "climb, ascend, up, upward, upwards, higher, rose, takes off, took off, lifts off, "
            "blasts off, launch, takes to the air, gains altitude",
        "sink":
            "descend, down, downward, downwards, lower, land, fall, fell, sank, dive, swoop, loses height, "
            "loses altitude, touches down",
        "still":
            "hover, hang, rest, wait, stay, motionless, stop, stops moving, stops flying, stand, stood, "
            "sat, sit, sleep, stationary, does not move, doesn't move, no longer moves, not moving",
        "bounce":
            "bounce, bob, hop, up and down, goes up and down, moves up and down, flies up and down, floats "
            "up and down, jumps up and down",
        "circle": "circle, loop, orbit, in circles, in a circle, round and round, spin, spiral",
        "closer":
            "approach, closer, nearer, comes close, gets close, toward the viewer, towards the viewer, "
            "toward us, towards us, toward the camera, towards the camera, bigger and bigger, larger and "
            "larger, gets bigger, grows bigger, gets larger, grows larger, straight at us, right at us, "
            "up to us, up to the camera, right up to us, right up to the camera, right up to the lens",
        "away":
            "away, into the distance, flies off, flew off, drifts off, moves off, speeds off, has left, "
            "have left, out of sight, out of view, out of frame, goes out, comes and goes, disappears in "
            "the distance, disappears into the distance, towards the horizon, toward the horizon, to the "
            "horizon, smaller and smaller, gets smaller, grows smaller, shrinks, flies home, goes home",
    },
    "camera": {
        "still":
            "still camera, camera still, static camera, camera static, stop zooming, stop panning, camera "
            "no longer moves, camera holds, camera rests, camera waits, locked off, locked camera, tripod, "
            "steady shot, fixed camera, no camera movement, without camera movement, hold the shot",
        "pan left": "pan left, pan to the left, camera left, camera moves to the left",
        "pan right": "pan right, pan to the right, camera right, camera moves to the right",
        "zoom in":
            "zoom in, push in, slow push, dolly in, track in, camera goes in, closer with the camera, nearer "
            "with the camera",
        "zoom out":
            "zoom out, pull back, pull out, dolly out, track out, camera goes back, camera moves back, "
            "camera backs away, camera backs off",
    },
    NOTHING: {
        NOTHING:
            "right above, right over, right behind, right beside, right next, right below, right under, "
            "right here, right there, right now, right away, right across, right through, all right, left "
            "alone, left its, left his, left her, left the, left behind, on the left, on the right, to the "
            "left of, to the right of, up in, high up, up high, up there, down there, down below, far away, "
            "one day, some day, every day, all day, above the clouds, through the clouds, "
            "in the clouds, left for, has left for, have left for, has left the, have left the, is left, "
            "close by, close to, stays as, stay as, stays with, stay with, look up, look down, wake up, die "
            "down, calm down, slow down, pick up, speed up, light up, show up, end up, open up, close up, "
            "up close, stand out, drops of, fall asleep, the land, land of, launch pad, rose garden, "
            "right up, right at, right into, tilts up, tilts down, cranes up, cranes down, swallows the, "
            "swallows up, stays alone, day turns to, day turns into, night turns to, night turns into, day "
            "becomes, night becomes",
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
