"""Words that people use for what Storyworld shows, and that its captions do not: no torch.

Captions draw from `vocabulary`, and a small text encoder knows no words but those of its captions. Two uses:
to measure how prompts in such words are obeyed, and to tell a person the word that the world has for theirs.
Only words with the same meaning stand here, or of a narrower one ("sparrow" for a bird).
"""

from __future__ import annotations

SUBJECTS: dict[str, tuple[str, ...]] = {
    "balloon": ("aerostat", "montgolfier"),
    "airship": ("aerial cruiser",),
    "paper plane": ("paper dart", "paper glider"),
    "aeroplane": ("aircraft", "biplane", "jet"),
    "rocket": ("spacecraft", "starship", "shuttle"),
    "bird": ("sparrow", "robin", "finch", "swallow"),
    "butterfly": ("monarch", "swallowtail"),
    "whale": ("humpback", "cachalot"),
    "dragon": ("wyvern", "wyrm"),
    "robot": ("android", "automaton", "droid"),
    "elephant": ("pachyderm", "tusker"),
    "lantern": ("lampion", "lamp"),
}

COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("ruby", "vermilion", "maroon"),
    "orange": ("amber", "apricot"),
    "yellow": ("canary", "mustard", "saffron"),
    "green": ("jade", "olive", "lime"),
    "turquoise": ("cyan", "aquamarine"),
    "blue": ("navy", "azure", "cobalt"),
    "purple": ("lilac", "mauve", "lavender"),
    "pink": ("magenta", "fuchsia", "salmon"),
    "white": ("ivory", "chalky"),
}

PLACES: dict[str, tuple[str, ...]] = {
    "meadow": ("grassland", "pastures", "the fields", "the prairie"),
    "sea": ("the waters", "the bay", "the Atlantic"),
    "mountains": ("the Alps", "the summits", "the highlands"),
    "desert": ("the Sahara", "the wasteland"),
    "forest": ("woodland", "the pines", "the treetops"),
    "city": ("a metropolis", "the skyline", "downtown"),
    "garden": ("an orchard", "the sakura"),
    "ice": ("the glacier", "the tundra", "Antarctica"),
}

TIMES: dict[str, tuple[str, ...]] = {
    "dawn": ("at sunup", "at cockcrow"),
    "day": ("at midday", "in the afternoon"),
    "dusk": ("at sundown", "in the gloaming"),
    "night": ("at midnight", "in darkness"),
}

TIME_NOUNS: dict[str, tuple[str, ...]] = {
    "dawn": ("sunup",),
    "day": ("midday", "afternoon"),
    "dusk": ("sundown",),
    "night": ("midnight", "darkness"),
}

WEATHERS: dict[str, tuple[str, ...]] = {
    "clear": ("in cloudless weather", "under a cloudless sky"),
    "cloudy": ("under an overcast sky", "in overcast weather"),
    "rain": ("in a drizzle", "in a downpour", "in a shower"),
    "snow": ("in a blizzard", "in a flurry", "in a snowstorm"),
    "fog": ("in a haze", "in hazy weather"),
}

WEATHER_CLAUSES: dict[str, tuple[str, ...]] = {
    "clear": ("the sky is cloudless",),
    "cloudy": ("the sky is overcast",),
    "rain": ("it is drizzling", "it is pouring"),
    "snow": ("it is sleeting", "a blizzard blows"),
    "fog": ("it is hazy", "haze covers everything"),
}

# As in `vocabulary`: third person, and the -ing form.
ACTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "left": (("heads left", "heading left"), ("sails to the left", "sailing to the left")),
    "right": (("heads right", "heading right"), ("sails to the right", "sailing to the right")),
    "rise": (("soars", "soaring"), ("gains height", "gaining height"), ("mounts", "mounting")),
    "sink": (("drops", "dropping"), ("dips", "dipping"), ("plunges", "plunging")),
    "still": (("pauses", "pausing"), ("lingers", "lingering"), ("halts", "halting")),
    "bounce": (("jumps", "jumping"), ("jiggles", "jiggling"), ("skips", "skipping")),
    "circle": (("orbits", "orbiting"), ("whirls", "whirling"), ("twirls", "twirling")),
    "closer": (("nears us", "nearing us"), ("advances", "advancing")),
    "away": (("departs", "departing"), ("retreats", "retreating"), ("vanishes", "vanishing")),
}

CAMERAS: dict[str, tuple[str, ...]] = {
    "still": ("the camera is fixed", "the camera is steady"),
    "pan left": ("the camera sweeps left", "the camera swings left"),
    "pan right": ("the camera sweeps right", "the camera swings right"),
    "zoom in": ("the camera magnifies", "the camera dollies in"),
    "zoom out": ("the camera widens", "the camera dollies out"),
}

# British, American. Both spellings of most are in the captions.
SPELLINGS: tuple[tuple[str, str], ...] = (
    ("aeroplane", "airplane"),
    ("centre", "center"),
    ("colour", "color"),
    ("colours", "colors"),
    ("favourite", "favorite"),
    ("grey", "gray"),
    ("leftwards", "leftward"),
    ("neighbour", "neighbor"),
    ("rightwards", "rightward"),
    ("towards", "toward"),
    ("travelled", "traveled"),
    ("travelling", "traveling"),
)
