"""From scripts to numbers: what the renderer needs to know of each frame, continuous across segment borders.

Everything is a closed form of the frame's index, in float64 on the CPU: any window of an episode can be drawn
alone and equals the same frames of the whole, on every device.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from arlon_core.world import light, staging
from arlon_core.world.script import Script
from arlon_core.world.vocabulary import COLOURS, PLACES, SUBJECTS, TIMES, WEATHERS, split_second

# frames that a change takes (12 frames a second; our choice)
EASE, TURN, TIME_EASE, WEATHER_EASE, COLOUR_EASE, PLACE_EASE, SECOND_EASE = 15, 9, 42, 30, 20, 40, 36
LAYERS = 4  # far, middle, near, front
PARALLAX = (0.10, 0.28, 0.60, 1.15)
LAYER_TILT = (0.25, 0.45, 0.80, 1.25)
LAYER_ZOOM = (0.40, 0.62, 0.85, 1.15)
FAR_AWAY = 10**9


@dataclass(frozen=True)
class Timeline:
    """The scripts as padded arrays [B, K]; padding segments start at FAR_AWAY and repeat the last values."""

    starts: Tensor  # float64
    values: dict[str, Tensor]  # [B, K] float64 or, for indices, int64
    episode: dict[str, Tensor]  # [B, 1] constants of each episode


def smooth(u: Tensor) -> Tensor:
    """Smoothstep of u, clamped to 0..1."""
    u = u.clamp(0, 1)
    return u * u * (3 - 2 * u)


def ramp_weights(timeline: Timeline, t: Tensor, duration: float) -> Tensor:
    """[B, T, K] weights, summing to one, of each segment's value at frames t [B, T]."""
    begun = smooth((t[..., None] - timeline.starts[:, None]) / duration)
    begun[..., 0] = 1.0
    return begun - torch.cat([begun[..., 1:], torch.zeros_like(begun[..., :1])], dim=-1)


def travelled(timeline: Timeline, t: Tensor, velocity: Tensor) -> Tensor:
    """[B, T] the integral over time of velocities [B, K] with eased changes."""
    since = t[..., None] - timeline.starts[:, None]
    u = (since / EASE).clamp(0, 1)
    way = EASE * (u**3 - 0.5 * u**4) + (since - EASE).clamp(min=0)
    way[..., 0] = since[..., 0] - EASE / 2
    after = torch.cat([way[..., 1:], torch.zeros_like(way[..., :1])], dim=-1)
    return ((way - after) * velocity[:, None]).sum(-1)


def timeline_of(scripts: Sequence[Script]) -> Timeline:
    """The scripts as arrays."""
    most = max(len(script.segments) for script in scripts)
    starts: list[list[float]] = []
    rows: list[list[dict[str, float]]] = []
    episodes: list[dict[str, float]] = []
    for script in scripts:
        row = _segment_rows(script)
        padding = most - len(row)
        rest = {name: 0.0 if name.startswith("v_") else value for name, value in row[-1].items()}
        starts.append(
            [float(segment.start_frame) for segment in script.segments] + [float(FAR_AWAY)] * padding
        )
        rows.append(row + [rest] * padding)
        episodes.append(_episode_row(script))
    names = rows[0][0]
    return Timeline(
        starts=torch.tensor(starts, dtype=torch.float64),
        values={n: torch.tensor([[s[n] for s in row] for row in rows], dtype=torch.float64) for n in names},
        episode={n: torch.tensor([[e[n]] for e in episodes], dtype=torch.float64) for n in episodes[0]},
    )


def _segment_rows(script: Script) -> list[dict[str, float]]:
    stage = staging.opening(script.seed)
    rows = []
    for segment in script.segments:
        attributes = segment.attributes
        stage, velocity = staging.advance(stage, attributes, segment.stop_frame - segment.start_frame)
        row = {f"v_{name}": getattr(velocity, name) for name in ("x", "y", "tilt", "size", "zoom", "scroll")}
        row.update(
            facing=stage.facing,
            bounce=float(attributes.action == "bounce"),
            circle=float(attributes.action == "circle"),
            still=float(attributes.action == "still"),
            second=float(attributes.second_subject is not None),
            colour=float(list(COLOURS).index(attributes.colour)),
            place=float(list(PLACES).index(attributes.place)),
            time=float(list(TIMES).index(attributes.time_of_day)),
            weather=float(list(WEATHERS).index(attributes.weather)),
        )
        rows.append(row)
    return rows


def _episode_row(script: Script) -> dict[str, float]:
    stage = staging.opening(script.seed)
    rng = random.Random(f"motion/{script.seed}")
    names = {segment.attributes.second_subject for segment in script.segments} - {None}
    colour, second = split_second(min(names)) if names else ("red", "bird")  # type: ignore[type-var]
    row = {
        "x": stage.x, "y": stage.y, "size": stage.size, "zoom": stage.zoom,
        "subject": float(list(SUBJECTS).index(script.segments[0].attributes.subject)),
        "second_subject": float(list(SUBJECTS).index(second)),
        "second_colour": float(list(COLOURS).index(colour)),
        "side": -1.0 if stage.x > 0 else 1.0,
        "second_facing": rng.choice((-1.0, 1.0)),
        "second_rise": rng.uniform(-26, 26),
    }  # fmt: skip
    row.update({f"phase_{i}": rng.uniform(0, 2 * math.pi) for i in range(4)})
    row.update({f"offset_{i}": float(rng.randrange(4096)) for i in range(LAYERS + 4)})
    row["warmth"] = rng.uniform(-1, 1)
    return row


def frame_values(timeline: Timeline, t: Tensor) -> dict[str, Tensor]:
    """Every per-frame value by name, [B, T] float64, at frames t [B, T]."""
    out: dict[str, Tensor] = {"t": t}
    _air(timeline, t, out)
    _camera(timeline, t, out)
    _places(timeline, t, out)
    _subject(timeline, t, out)
    _second(timeline, t, out)
    return out


def _mixed(timeline: Timeline, t: Tensor, name: str, duration: float, table: Tensor) -> Tensor:
    """[B, T, C]: rows of `table` chosen by the index `name`, mixed over changes."""
    return ramp_weights(timeline, t, duration) @ table[timeline.values[name].long()]


def _air(timeline: Timeline, t: Tensor, out: dict[str, Tensor]) -> None:
    air = _mixed(timeline, t, "time", TIME_EASE, light.air_table())
    out.update(zip(light.air_names(), air.unbind(-1), strict=True))
    weather = _mixed(timeline, t, "weather", WEATHER_EASE, light.weather_table()).unbind(-1)
    out.update(zip(("overcast", "fair", "dense", "rain", "snow", "fog"), weather, strict=True))
    warmth = timeline.episode["warmth"]
    for name in ("middle", "horizon", "haze"):
        out[f"{name}_r"] = out[f"{name}_r"] * (1 + 0.03 * warmth)
        out[f"{name}_b"] = out[f"{name}_b"] * (1 - 0.04 * warmth)
    light.under_clouds(out, out["overcast"])
    for channel, bright in zip("rgb", (0.82, 0.87, 0.94), strict=True):
        haze = out[f"haze_{channel}"]
        out[f"haze_{channel}"] = haze + 0.32 * out["fog"] * (bright - haze)
    out["stars"] = out["stars"] * (1 - 1.2 * out["overcast"]).clamp(min=0)


def _camera(timeline: Timeline, t: Tensor, out: dict[str, Tensor]) -> None:
    scroll = travelled(timeline, t, timeline.values["v_scroll"])
    tilt = travelled(timeline, t, timeline.values["v_tilt"])
    zoom = timeline.episode["zoom"] + travelled(timeline, t, timeline.values["v_zoom"])
    for layer in range(LAYERS):
        out[f"scroll_{layer}"] = scroll * PARALLAX[layer] + timeline.episode[f"offset_{layer}"]
        out[f"tilt_{layer}"] = tilt * LAYER_TILT[layer]
        out[f"inverse_zoom_{layer}"] = torch.exp(-zoom * LAYER_ZOOM[layer])
    wind = 0.35 * t
    out["cloud_x_0"] = scroll * 0.04 + 0.6 * wind + timeline.episode["offset_4"]
    out["cloud_x_1"] = scroll * 0.07 + wind + timeline.episode["offset_5"]
    out["cloud_tilt"] = tilt * 0.15
    out["zoom"] = torch.exp(zoom)
    out["fall_scroll"] = scroll
    out["star_offset"] = timeline.episode["offset_6"].expand_as(t)
    out["fog_drift"] = 0.02 * t + timeline.episode["phase_3"]


def _places(timeline: Timeline, t: Tensor, out: dict[str, Tensor]) -> None:
    """The two places that are in sight, and how far the second has come, layer by layer."""
    starts, places = timeline.starts, timeline.values["place"]
    changed = torch.zeros_like(places, dtype=torch.bool)
    changed[:, 1:] = places[:, 1:] != places[:, :-1]
    seen = (t[..., None] >= starts[:, None]) & changed[:, None]
    order = torch.arange(places.shape[1]).expand_as(seen)
    latest = torch.where(seen, order, -1).amax(-1)  # the segment of the latest change, or -1
    known = latest.clamp(min=0)
    after = places.gather(1, known)
    before = places.gather(1, (known - 1).clamp(min=0))
    begun = starts.gather(1, known)
    until = torch.where(changed[:, None] & (order > latest[..., None]), starts[:, None], FAR_AWAY).amin(-1)
    u = (t - begun) / torch.minimum(until - begun, torch.tensor(float(PLACE_EASE), dtype=torch.float64))
    u = torch.where(latest < 0, torch.ones_like(u), u.clamp(0, 1))
    out["place_before"], out["place_after"] = before, after
    way = timeline.values["v_scroll"].gather(1, known)
    out["wipe_side"] = torch.where(way < 0, -1.0, 1.0).to(torch.float64)
    for layer in range(LAYERS):
        out[f"wipe_{layer}"] = (u * 1.24 - 0.08 * layer).clamp(0, 1)
    sea = torch.tensor([float(name == "sea") for name in PLACES], dtype=torch.float64)
    wave = smooth(out["wipe_1"]) * sea[after.long()] + (1 - smooth(out["wipe_1"])) * sea[before.long()]
    for layer in range(1, LAYERS):
        phase = t * (2 * math.pi / (52 + 14 * layer)) + timeline.episode[f"phase_{layer}"]
        out[f"scroll_{layer}"] = out[f"scroll_{layer}"] + wave * (3 + 2 * layer) * torch.sin(phase)
        out[f"tilt_{layer}"] = out[f"tilt_{layer}"] + wave * (0.8 + 0.5 * layer) * torch.cos(phase)


def _subject(timeline: Timeline, t: Tensor, out: dict[str, Tensor]) -> None:
    values, episode = timeline.values, timeline.episode
    eased = ramp_weights(timeline, t, EASE)
    bounce, circle, still = ((eased * values[n][:, None]).sum(-1) for n in ("bounce", "circle", "still"))
    x = episode["x"] + travelled(timeline, t, values["v_x"])
    y = episode["y"] + travelled(timeline, t, values["v_y"])
    out["calm_x"], out["calm_y"] = x, y
    turn = t * (2 * math.pi / 60)
    hop = torch.sqrt(torch.sin(t * (math.pi / 24)) ** 2 + 0.03) - 0.17
    bob = torch.sin(t * (2 * math.pi / 44) + episode["phase_0"])
    sway = torch.sin(t * (2 * math.pi / 57) + episode["phase_1"])
    x = x + 27 * circle * torch.sin(turn)
    y = y - 17 * circle * torch.cos(turn) - 27 * bounce * hop + 2.4 * (1 - 0.5 * still) * bob
    size = episode["size"] + travelled(timeline, t, values["v_size"])
    climb = (eased * values["v_y"][:, None]).sum(-1)
    drift = (eased * (values["v_x"] + values["v_scroll"])[:, None]).sum(-1)
    facing = (ramp_weights(timeline, t, TURN) * values["facing"][:, None]).sum(-1)
    out["x"], out["y"], out["size"] = x, y, size
    out["facing"] = facing
    out["lean"] = 0.035 * drift.clamp(-2, 2) + 0.035 * sway + 0.05 * circle * torch.cos(turn)
    out["pitch"] = 0.13 * climb.clamp(-1.5, 1.5)
    out["subject"] = episode["subject"].expand_as(t)
    out["beat"] = t / 8 + episode["phase_2"] / (2 * math.pi)
    tint = _mixed(timeline, t, "colour", COLOUR_EASE, light.colour_table())
    for channel, value in zip("rgb", tint.unbind(-1), strict=True):
        out[f"tint_{channel}"] = value


def _second(timeline: Timeline, t: Tensor, out: dict[str, Tensor]) -> None:
    episode = timeline.episode
    here = (ramp_weights(timeline, t, SECOND_EASE) * timeline.values["second"][:, None]).sum(-1)
    side = episode["side"]
    bob = torch.sin(t * (2 * math.pi / 38) + episode["phase_3"])
    near_x = 0.5 * out["calm_x"] + side * 118 * torch.exp(0.4 * out["size"])
    near_y = 0.6 * out["calm_y"] + 0.4 * 112 + episode["second_rise"] + 3 * bob
    out["second_x"] = side * 330 + (near_x - side * 330) * here
    out["second_y"] = near_y - 50 * (1 - here)
    out["second_size"] = out["size"] * 0.7 - 0.30
    facing = (ramp_weights(timeline, t, TURN) * timeline.values["facing"][:, None]).sum(-1)
    out["here"] = here
    out["second_facing"] = facing
    out["second_pitch"] = torch.zeros_like(t)
    out["second_lean"] = 0.05 * torch.sin(t * (2 * math.pi / 49) + episode["phase_1"])
    out["second_subject"] = episode["second_subject"].expand_as(t)
    out["second_beat"] = t / 8 + episode["phase_3"] / (2 * math.pi)
    tint = light.colour_table()[episode["second_colour"].long()]  # [B, 1, 3]
    for channel, value in zip("rgb", tint.unbind(-1), strict=True):
        out[f"second_tint_{channel}"] = value.expand_as(t)
