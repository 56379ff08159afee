"""The words of Storyworld: every attribute value, its synonyms, and the labels that a classifier learns.

No torch here. Keys are the canonical values found in `Attributes`; the phrases are what captions may say.
Both American and British spellings occur, since people write both.
"""

from __future__ import annotations

from dataclasses import dataclass

SUBJECTS: dict[str, tuple[str, ...]] = {
    "balloon": ("hot-air balloon", "hot air balloon", "balloon", "balloon with a wicker basket"),
    "airship": ("airship", "zeppelin", "blimp", "dirigible"),
    "kite": ("kite", "paper kite", "kite with a long tail"),
    "paper plane": ("paper plane", "folded paper plane", "paper airplane", "paper aeroplane"),
    "aeroplane": ("aeroplane", "airplane", "propeller plane", "little plane"),
    "rocket": ("rocket", "rocket ship", "toy rocket", "spaceship"),
    "bird": ("bird", "songbird", "little bird"),
    "owl": ("owl", "wise old owl", "round-eyed owl"),
    "butterfly": ("butterfly", "fluttering butterfly", "big butterfly"),
    "whale": ("whale", "flying whale", "gentle whale"),
    "dragon": ("dragon", "little dragon", "friendly dragon"),
    "robot": ("robot", "flying robot", "tin robot"),
    "elephant": ("elephant", "flying elephant", "elephant with big ears"),
    "lantern": ("paper lantern", "lantern", "sky lantern"),
}

COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("red", "bright red", "crimson", "scarlet"),
    "orange": ("orange", "bright orange", "tangerine"),
    "yellow": ("yellow", "golden yellow", "lemon-yellow", "sunny yellow"),
    "green": ("green", "leaf-green", "emerald"),
    "turquoise": ("turquoise", "teal", "aqua"),
    "blue": ("blue", "deep blue", "royal blue"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rose-pink", "soft pink"),
    "white": ("white", "snow-white", "pure white"),
}

PLACES: dict[str, tuple[str, ...]] = {
    "meadow": ("green hills", "a flowery meadow", "rolling meadows", "the green countryside", "farmland"),
    "sea": ("the sea", "the ocean", "blue waves", "the open sea"),
    "mountains": ("the mountains", "snowy peaks", "high mountains", "an alpine valley"),
    "desert": ("the desert", "sandy dunes", "a desert of golden sand", "sand dunes and cacti"),
    "forest": ("a forest", "the woods", "a deep green forest", "tall fir trees"),
    "city": ("the city", "city rooftops", "a town of tall houses", "the roofs of a city"),
    "garden": ("a cherry garden", "blossoming cherry trees", "a garden of pink blossom", "cherry blossoms"),
    "ice": ("the polar ice", "icebergs", "an arctic sea of ice", "the frozen north"),
}

TIMES: dict[str, tuple[str, ...]] = {
    "dawn": ("at dawn", "at sunrise", "at daybreak", "in the early morning", "at first light"),
    "day": ("by day", "in the daytime", "at noon", "in broad daylight", "in the middle of the day"),
    "dusk": ("at dusk", "at sunset", "in the evening", "at twilight"),
    "night": ("at night", "by night", "under the stars", "in the moonlight", "late at night"),
}

TIME_NOUNS: dict[str, tuple[str, ...]] = {
    "dawn": ("dawn", "sunrise", "daybreak", "early morning"),
    "day": ("day", "daytime", "noon", "broad daylight"),
    "dusk": ("dusk", "sunset", "evening", "twilight"),
    "night": ("night", "deep night", "a moonlit night"),
}

WEATHERS: dict[str, tuple[str, ...]] = {
    "clear": ("in clear weather", "under a clear sky", "on a fine, clear day of calm air", "in fine weather"),
    "cloudy": (
        "under a cloudy sky",
        "under heavy clouds",
        "beneath grey clouds",
        "beneath gray clouds",
        "in cloudy weather",
    ),
    "rain": ("in the rain", "in soft rain", "through falling rain", "in rainy weather"),
    "snow": ("in the snow", "in falling snow", "through drifting snowflakes", "in snowy weather"),
    "fog": ("in the fog", "in thick fog", "in the mist", "in foggy weather"),
}

WEATHER_CLAUSES: dict[str, tuple[str, ...]] = {
    "clear": ("the sky is clear", "the air is clear", "the weather is fine"),
    "cloudy": (
        "the sky is cloudy",
        "clouds cover the sky",
        "grey clouds hang overhead",
        "gray clouds hang overhead",
    ),
    "rain": ("it is raining", "rain falls", "a soft rain is falling", "raindrops come down"),
    "snow": ("it is snowing", "snow falls", "snowflakes drift down", "soft snow is falling"),
    "fog": ("it is foggy", "fog hangs in the air", "mist covers everything", "thick fog lies all around"),
}

# third person, and the -ing form, in pairs
ACTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "left": (
        ("drifts left", "drifting left"),
        ("flies to the left", "flying to the left"),
        ("moves left", "moving left"),
        ("glides towards the left", "gliding towards the left"),
        ("travels leftward", "travelling leftward"),
    ),
    "right": (
        ("drifts right", "drifting right"),
        ("flies to the right", "flying to the right"),
        ("moves right", "moving right"),
        ("glides toward the right", "gliding toward the right"),
        ("travels rightward", "traveling rightward"),
    ),
    "rise": (
        ("rises", "rising"),
        ("climbs higher", "climbing higher"),
        ("floats upward", "floating upward"),
        ("ascends slowly", "ascending slowly"),
        ("goes up", "going up"),
    ),
    "sink": (
        ("sinks", "sinking"),
        ("comes down", "coming down"),
        ("floats downward", "floating downward"),
        ("descends slowly", "descending slowly"),
        ("goes lower", "going lower"),
    ),
    "still": (
        ("hovers in place", "hovering in place"),
        ("stays still", "staying still"),
        ("hangs motionless", "hanging motionless"),
        ("rests in the air", "resting in the air"),
        ("waits quietly", "waiting quietly"),
    ),
    "bounce": (
        ("bounces up and down", "bouncing up and down"),
        ("bobs up and down", "bobbing up and down"),
        ("hops in the air", "hopping in the air"),
        ("bounces merrily", "bouncing merrily"),
    ),
    "circle": (
        ("flies in circles", "flying in circles"),
        ("circles around", "circling around"),
        ("loops round and round", "looping round and round"),
        ("moves in a circle", "moving in a circle"),
    ),
    "closer": (
        ("comes closer", "coming closer"),
        ("approaches us", "approaching us"),
        ("draws near", "drawing near"),
        ("flies towards us", "flying towards us"),
        ("grows larger as it comes near", "growing larger as it comes near"),
    ),
    "away": (
        ("moves away", "moving away"),
        ("flies off into the distance", "flying off into the distance"),
        ("drifts farther away", "drifting farther away"),
        ("recedes", "receding"),
        ("grows smaller in the distance", "growing smaller in the distance"),
    ),
}

CAMERAS: dict[str, tuple[str, ...]] = {
    "still": ("the camera stays still", "the camera does not move", "a static shot", "a still camera"),
    "pan left": (
        "the camera pans left",
        "the view pans to the left",
        "the camera moves left",
        "the camera slides left",
    ),
    "pan right": (
        "the camera pans right",
        "the view pans to the right",
        "the camera moves right",
        "the camera slides right",
    ),
    "zoom in": ("the camera zooms in", "the view zooms in slowly", "a slow zoom in", "the camera pushes in"),
    "zoom out": (
        "the camera zooms out",
        "the view zooms out slowly",
        "a slow zoom out",
        "the camera pulls back",
    ),
}

NONE = "none"  # the label of an absent second subject


@dataclass(frozen=True)
class Attributes:
    """What is true during one segment; `second_subject` is "<colour> <subject>" ("blue bird") or None."""

    subject: str
    colour: str
    place: str
    time_of_day: str
    weather: str
    action: str
    camera: str
    second_subject: str | None = None

    def __post_init__(self) -> None:
        for name, value in label_names(self).items():
            if value not in LABELS[name]:
                raise ValueError(f"{value!r} is not a {name}; choose one of {', '.join(LABELS[name])}")


LABELS: dict[str, tuple[str, ...]] = {
    "subject": tuple(SUBJECTS),
    "colour": tuple(COLOURS),
    "place": tuple(PLACES),
    "time_of_day": tuple(TIMES),
    "weather": tuple(WEATHERS),
    "action": tuple(ACTIONS),
    "camera": tuple(CAMERAS),
    "second_subject": (NONE, *SUBJECTS),
    "second_colour": (NONE, *COLOURS),
}


def split_second(second_subject: str | None) -> tuple[str, str]:
    """("blue", "bird") of "blue bird"; ("none", "none") of None."""
    if second_subject is None:
        return NONE, NONE
    colour, _, subject = second_subject.partition(" ")
    return colour, subject


def label_names(attributes: Attributes) -> dict[str, str]:
    """The canonical value of each classifier head in `LABELS`."""
    second_colour, second = split_second(attributes.second_subject)
    return {
        "subject": attributes.subject,
        "colour": attributes.colour,
        "place": attributes.place,
        "time_of_day": attributes.time_of_day,
        "weather": attributes.weather,
        "action": attributes.action,
        "camera": attributes.camera,
        "second_subject": second,
        "second_colour": second_colour,
    }


def label_indices(attributes: Attributes) -> dict[str, int]:
    """The class index of each classifier head in `LABELS`."""
    return {name: LABELS[name].index(value) for name, value in label_names(attributes).items()}
