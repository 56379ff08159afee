"""Drawings of things that fly: each on 128 x 128 units around (64, 64), looking right."""

from __future__ import annotations

from arlon_core.world.art.canvas import Canvas, blob, ellipse, polygon, stroke

INK = "3a3348"
CREAM = "fff3dc"
WOOD, WOOD_DARK = "b9814d", "85562f"


def balloon(c: Canvas, pose: int) -> None:
    """A striped hot-air balloon with a basket."""
    for x in (52, 60, 68, 76):
        c.fill(stroke(polygon((64 + (x - 64) * 1.5, 78), (64 + (x - 64) * 0.8, 101)), 1.1), "6b5140")
    body = blob((64, 8), (88, 15), (102, 38), (96, 60), (80, 79), (73, 86), (55, 86), (48, 79), (32,
        60), (26, 38),
                (40, 15))  # fmt: skip
    c.fill(body, shade=(1.0, 0.80))
    for left, right in ((-37, -23), (-8, 8), (23, 37)):
        stripe = blob((64 + left * 0.3, 4), (64 + right * 0.3, 4), (64 + right, 40), (64 + right * 0.30, 90),
                      (64 + left * 0.30, 90), (64 + left, 40))  # fmt: skip
        c.fill(stripe, CREAM, "ecd0b4", clip=body)
    c.fill(
        blob((84, 10), (110, 30), (104, 66), (70, 92), (84, 60), (92, 34)),
        "402040",
        opacity=0.16,
        clip=body,
        soft=3,
    )
    c.fill(ellipse(46, 32, 7, 15, 0.35), "ffffff", opacity=0.5, clip=body, soft=2)
    c.fill(blob((55, 86), (73, 86), (71, 90), (57, 90)), shade=0.62)
    c.fill(blob((53, 100), (75, 100), (73, 117), (64, 119), (55, 117)), WOOD, WOOD_DARK)
    for y in (105, 111):
        c.fill(stroke(polygon((54, y), (74, y)), 1.3), WOOD_DARK, opacity=0.7)
    c.fill(stroke(blob((52, 100), (64, 101.5), (76, 100), closed=False), 3.4), "d9a66a")
    c.fill(ellipse(64, 95, 3, 4), "ffd76a", glow=1.0)
    c.light(64, 84, 26, 0.6)


def airship(c: Canvas, pose: int) -> None:
    """A zeppelin with fins, a gondola and a turning propeller."""
    spin = (11, 6, 2.5, 6)[pose]
    c.fill(ellipse(7, 72, 1.8, spin), INK, opacity=0.55)
    c.fill(blob((8, 34), (22, 40), (30, 54), (14, 56)), shade=0.72)
    c.fill(blob((8, 94), (22, 86), (30, 74), (14, 72)), shade=0.60)
    body = blob(
        (6, 64), (22, 47), (52, 39), (86, 42), (112, 54), (121, 63), (112, 73), (86, 84), (52, 88), (22, 80)
    )
    c.fill(body, shade=(1.0, 0.70))
    c.fill(blob((4, 58), (60, 51), (124, 60), (124, 66), (60, 60), (4, 66)), CREAM, clip=body)
    c.fill(ellipse(72, 47, 34, 4.5, 0.03), "ffffff", opacity=0.45, clip=body, soft=1.5)
    c.fill(blob((4, 64), (20, 61), (32, 64), (20, 68)), shade=0.55)
    gondola = blob((46, 86), (86, 84), (82, 97), (76, 101), (56, 101), (49, 97))
    c.fill(gondola, "f3e2c3", "c79a68")
    for x in (55, 64, 73):
        c.fill(ellipse(x, 92, 3.1, 3.1), "5d87a8", glow=1.0)
        c.fill(ellipse(x - 0.8, 91, 1.1, 1.1), "e8fbff")


def kite(c: Canvas, pose: int) -> None:
    """A diamond kite with bows on a waving tail."""
    wave = (0, 3.5, 0, -3.5)[pose]
    tail = blob((60, 82), (50 - wave, 94), (60 + wave, 106), (50 - wave, 120), closed=False)
    c.fill(stroke(tail, 1.5), "7a6a5a")
    for index, colour in ((9, "ffd166"), (19, "7fd1c7"), (28, "ff9fb2")):
        x, y = tail[min(index, len(tail) - 1)]
        c.fill(blob((x, y), (x - 8, y - 5), (x - 8, y + 5)), colour)
        c.fill(blob((x, y), (x + 8, y - 5), (x + 8, y + 5)), colour)
    c.fill(polygon((64, 6), (98, 40), (60, 84), (30, 34)), shade=0.9)
    c.fill(polygon((64, 6), (98, 40), (63, 38)), shade=(1.0, 0.95), lift=0.35)
    c.fill(polygon((63, 38), (98, 40), (60, 84)), shade=(0.88, 0.74))
    c.fill(polygon((64, 6), (63, 38), (30, 34)), shade=1.0)
    c.fill(polygon((30, 34), (63, 38), (60, 84)), CREAM, "f0d3b0")
    c.fill(stroke(polygon((64, 6), (60, 84)), 1.6), "8a6748")
    c.fill(stroke(polygon((30, 34), (98, 40)), 1.6), "8a6748")
    for x in (50, 76):
        c.fill(ellipse(x, 48, 3.2, 4.2), INK)
        c.fill(ellipse(x + 1, 46.5, 1.1, 1.3), "ffffff")
    c.fill(stroke(blob((56, 58), (63, 62), (70, 58), closed=False), 2), INK)


def paper_plane(c: Canvas, pose: int) -> None:
    """A folded paper dart."""
    c.fill(polygon((8, 40), (122, 52), (52, 70)), shade=(1.0, 0.92), lift=0.25)
    c.fill(polygon((52, 70), (122, 52), (58, 98)), shade=0.62)
    c.fill(polygon((52, 70), (122, 52), (76, 78)), shade=0.45)
    c.fill(polygon((122, 52), (76, 75), (102, 92)), shade=0.88)
    c.fill(polygon((8, 40), (122, 52), (46, 49)), "ffffff", opacity=0.35)
    c.fill(stroke(polygon((52, 70), (122, 52)), 1.1), "ffffff", opacity=0.8)


def aeroplane(c: Canvas, pose: int) -> None:
    """A plump propeller plane with a pilot."""
    c.fill(blob((10, 36), (20, 36), (34, 58), (16, 62)), shade=0.85)
    c.fill(ellipse(64, 47, 9.5, 11), "f6c9a0")
    c.fill(blob((54, 46), (56, 36), (66, 34), (74, 40), (66, 43), (58, 50)), "7b4a32")
    c.fill(stroke(polygon((66, 44), (76, 46)), 4.5), "4c5a78")
    c.fill(ellipse(71, 46, 3.6, 3.2), "bfe9f5")
    c.fill(blob((54, 55), (46, 60), (30, 57 + (0, 2, 4, 2)[pose]), (34, 50), (48, 52)), CREAM)
    body = blob(
        (8, 58), (30, 58), (56, 56), (84, 54), (106, 60), (112, 70), (106, 82), (80, 87), (46, 80), (18, 68)
    )
    c.fill(body, shade=(1.0, 0.72))
    c.fill(blob((4, 66), (60, 70), (114, 68), (114, 74), (60, 77), (4, 70)), CREAM, clip=body)
    c.fill(ellipse(70, 60, 32, 3.4, 0.02), "ffffff", opacity=0.4, clip=body, soft=1.2)
    c.fill(blob((44, 72), (76, 72), (62, 90), (34, 92)), shade=(0.92, 0.62))
    c.fill(blob((8, 60), (28, 62), (24, 68), (4, 66)), shade=0.6)
    for x, y in ((82, 96), (64, 99)):
        c.fill(stroke(polygon((x - 2, 84), (x, y)), 2.6), INK)
        c.fill(ellipse(x, y, 6.4, 6.4), INK)
        c.fill(ellipse(x, y, 2.8, 2.8), "d8d2c4")
    c.fill(ellipse(114, 69, 5, 7), "f0c34a", "b98420")
    c.fill(ellipse(119, 69, 2.6, (27, 18, 8, 18)[pose]), INK, opacity=0.5)


def rocket(c: Canvas, pose: int) -> None:
    """A round-nosed rocket with a flickering flame."""
    flame = (0, 4, 7, 3)[pose]
    c.fill(
        blob((28, 54), (6 - flame / 2, 60), (2 - flame / 3, 64), (6 - flame / 2, 68), (28, 74)),
        "ff8a3c",
        glow=1.0,
    )
    c.fill(
        blob((28, 58), (16 - flame / 2, 62), (12 - flame / 2, 64), (16 - flame / 2, 66), (28, 70)),
        "ffe27a",
        glow=1.0,
    )
    c.fill(blob((52, 44), (30, 26), (20, 30), (30, 50)), shade=(0.8, 0.66))
    c.fill(blob((52, 84), (30, 102), (20, 98), (30, 78)), shade=(0.66, 0.5))
    body = blob((28, 48), (60, 40), (92, 46), (120, 64), (92, 82), (60, 88), (28, 80))
    c.fill(body, CREAM, "d8b79a")
    c.fill(blob((90, 36), (130, 52), (130, 76), (90, 92), (96, 64)), shade=(1.0, 0.72), clip=body)
    c.fill(blob((22, 40), (40, 40), (43, 64), (40, 90), (22, 90)), shade=(0.95, 0.66), clip=body)
    c.fill(ellipse(70, 50, 30, 4, 0.04), "ffffff", opacity=0.7, clip=body, soft=1.4)
    c.fill(ellipse(71, 62, 12.5, 12.5), shade=0.72)
    c.fill(ellipse(71, 62, 9, 9), "6ec3e0", "3a78ad", glow=0.8)
    c.fill(ellipse(68, 59, 3, 2.6), "ffffff", opacity=0.85)
    c.fill(blob((58, 72), (32, 78), (22, 86), (38, 86)), shade=0.78)
    c.light(14, 64, 22, 0.7)


def robot(c: Canvas, pose: int) -> None:
    """A tin robot on two little jets."""
    flame = (0, 3, 6, 3)[pose]
    for x in (52, 76):
        c.fill(blob((x - 5, 104), (x + 5, 104), (x + 2, 116 + flame), (x, 120 + flame), (x - 2,
            116 + flame)), "ff9a3c",
               glow=1.0)  # fmt: skip
        c.fill(blob((x - 3, 104), (x + 3, 104), (x, 112 + flame)), "ffe27a", glow=1.0)
    lift = (0, 2, 4, 2)[pose]
    for side in (-1, 1):
        arm = blob(
            (64 + side * 26, 74), (64 + side * 40, 80 - lift), (64 + side * 44, 92 - 2 * lift), closed=False
        )
        c.fill(stroke(arm, 6.5), "aeb6c4")
        c.fill(ellipse(64 + side * 44, 93 - 2 * lift, 6, 6), shade=0.75)
    for x in (52, 76):
        c.fill(blob((x - 8, 92), (x + 8, 92), (x + 7, 105), (x - 7, 105)), "9aa3b4", "6d7688")
    c.fill(
        blob((40, 64), (64, 61), (88, 64), (91, 82), (86, 96), (64, 99), (42, 96), (37, 82)),
        shade=(1.0, 0.74),
    )
    c.fill(ellipse(64, 80, 10, 10), CREAM)
    c.fill(ellipse(64, 80, 6.4, 6.4), "ff7d6b", glow=0.9)
    c.fill(stroke(polygon((64, 24), (64, 12)), 2.4), "8c95a8")
    c.fill(ellipse(64, 10, 4.6, 4.6), "ffd45e", glow=1.0)
    head = blob((38, 28), (64, 23), (90, 28), (94, 44), (89, 59), (64, 62), (39, 59), (34, 44))
    c.fill(head, shade=(1.0, 0.82))
    c.fill(
        blob((42, 34), (64, 31), (86, 34), (88, 45), (84, 54), (64, 56), (44, 54), (40, 45)),
        "2e3550",
        "3f4a6c",
    )
    for x in (53, 75):
        c.fill(ellipse(x, 44, 6.2, 6.8), "b9f5ff", glow=1.0)
        c.fill(ellipse(x + 1.5, 44, 2.8, 3.4), INK)
    c.fill(stroke(blob((59, 51), (64, 53), (69, 51), closed=False), 1.6), "b9f5ff")
    c.fill(ellipse(47, 30, 8, 2.4, -0.12), "ffffff", opacity=0.6, soft=0.8)
    c.light(64, 116, 18, 0.6)


def lantern(c: Canvas, pose: int) -> None:
    """A round paper lantern with ribs, tassel and light within."""
    sway = (0, 2, 0, -2)[pose]
    for offset in (-3, 0, 3):
        c.fill(stroke(blob((64 + offset, 98), (64 + offset + sway / 2, 108), (64 + offset + sway, 120),
            closed=False), 2),
               "e0a93c")  # fmt: skip
    c.fill(ellipse(64, 102, 4.4, 4.4), "f5c95c")
    c.fill(stroke(blob((58, 12), (64, 5), (70, 12), closed=False), 1.8), "7a5a3a")
    body = blob((46, 22), (64, 18), (82, 22), (98, 38), (101, 56), (96, 76), (82, 91), (64, 95), (46,
        91), (32, 76),
                (27, 56), (30, 38))  # fmt: skip
    c.fill(body, shade=(0.96, 0.86), glow=0.75)
    c.fill(ellipse(64, 62, 28, 30), "fff0b8", opacity=0.5, soft=7, glow=1.0, clip=body)
    for half in (12, 25, 34):
        for side in (-1, 1):
            rib = blob(
                (64 + side * half * 0.45, 19),
                (64 + side * half, 57),
                (64 + side * half * 0.45, 94),
                closed=False,
            )
            c.fill(stroke(rib, 1.3), shade=0.62, opacity=0.75, clip=body)
    c.fill(ellipse(46, 42, 5, 13, 0.3), "ffffff", opacity=0.4, soft=1.6, clip=body)
    c.fill(blob((46, 15), (82, 15), (84, 22), (44, 22)), "7a4a34", "5a3426")
    c.fill(blob((46, 91), (82, 91), (80, 98), (48, 98)), "7a4a34", "5a3426")
    c.light(64, 57, 62, 0.75)
