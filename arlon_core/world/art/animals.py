"""Drawings of creatures: each on 128 x 128 units around (64, 64), looking right; poses are wing beats."""

from __future__ import annotations

from arlon_core.world.art.canvas import Canvas, blob, ellipse, polygon, stroke, turned

INK = "3a3348"
CREAM = "fff3dc"
BEAK = "f2a93b"


def eye(c: Canvas, x: float, y: float, size: float) -> None:
    """A dark, shining eye."""
    c.fill(ellipse(x, y, size, size * 1.1), INK)
    c.fill(ellipse(x + size * 0.3, y - size * 0.35, size * 0.38, size * 0.38), "ffffff")


def blush(c: Canvas, x: float, y: float, size: float) -> None:
    """A rosy cheek."""
    c.fill(ellipse(x, y, size * 1.3, size), "ff8f8f", opacity=0.5, soft=0.8)


def bird(c: Canvas, pose: int) -> None:
    """A round songbird with beating wings."""
    angle, stretch = ((0.05, 1.0), (-0.5, 0.9), (-0.25, -0.9), (-0.75, 0.85))[pose]
    wing = blob((-6, 2), (-14, -18), (-34, -47), (-18, -48), (4, -32), (17, -12), (18, 3), (6, 8)) * (
        1,
        stretch,
    )
    wing = turned(wing, 0, 0, angle * (1 if stretch > 0 else -1))
    c.fill(wing * 0.86 + (72, 60), shade=0.60)
    c.fill(blob((34, 70), (8, 56), (3, 64), (12, 70), (4, 78), (14, 82), (36, 80)), shade=(0.82, 0.64))
    body = blob(
        (24, 72), (44, 54), (70, 42), (94, 36), (108, 46), (108, 60), (98, 78), (78, 90), (52, 90), (32, 82)
    )
    c.fill(body, shade=(1.0, 0.80))
    c.fill(
        blob((50, 84), (76, 74), (98, 62), (112, 62), (104, 84), (74, 100), (48, 98)),
        CREAM,
        clip=body,
        soft=1.2,
    )
    c.fill(polygon((106, 48), (125, 54), (105, 59)), BEAK, "d9822b")
    eye(c, 95, 49, 4.4)
    blush(c, 98, 59, 3.4)
    near = wing + (59, 66)
    c.fill(near, shade=(0.92, 0.72) if stretch > 0 else (0.88, 0.68))
    c.fill((near - near.mean(0)) * 0.55 + near.mean(0) + (2, 4 * stretch), "ffffff", opacity=0.2, soft=1.5)


def owl(c: Canvas, pose: int) -> None:
    """A wide-eyed owl seen from the front, wings spread."""
    tip = (34, 52, 86, 58)[pose]
    for side in (-1, 1):
        wing = blob((64 + side * 18, 58), (64 + side * 36, 48 + (tip - 60) * 0.2), (64 + side * 58, tip),
                    (64 + side * 50, tip + 16), (64 + side * 40, 76 + (tip - 60) * 0.3),
                    (64 + side * 20, 88))  # fmt: skip
        c.fill(wing, shade=(0.82, 0.62))
        tips = blob((64 + side * 44, 60 + (tip - 60) * 0.5), (64 + side * 58, tip), (64 + side * 51,
            tip + 15),
                    (64 + side * 42, 74 + (tip - 60) * 0.4))  # fmt: skip
        c.fill(tips, CREAM, opacity=0.5, clip=wing)
    c.fill(blob((54, 104), (74, 104), (72, 120), (64, 123), (56, 120)), shade=0.62)
    body = blob(
        (42, 28), (64, 24), (86, 28), (92, 52), (90, 82), (78, 104), (64, 109), (50, 104), (38, 82), (36, 52)
    )
    c.fill(body, shade=(1.0, 0.80))
    for side in (-1, 1):
        c.fill(blob((64 + side * 12, 29), (64 + side * 27, 10), (64 + side * 29, 38)), shade=(0.9, 0.85))
    c.fill(blob((48, 72), (64, 66), (80, 72), (78, 96), (64, 104), (50, 96)), CREAM, "ecd2ae")
    for row, y in enumerate((78, 86, 94)):
        for step in range(-2 + row % 2, 3):
            x = 64 + step * 8 - (4 if row % 2 else 0)
            if abs(x - 64) < 15 - 2 * row:
                c.fill(blob((x - 3, y - 2), (x + 3, y - 2), (x, y + 3)), shade=0.8, opacity=0.8)
    for side in (-1, 1):
        c.fill(ellipse(64 + side * 12.5, 49, 14.5, 15), CREAM)
        c.fill(ellipse(64 + side * 11.5, 49, 9.4, 9.8), "f6c445", "e79a2c", glow=0.35)
        eye(c, 64 + side * 11, 49, 6.2)
    c.fill(blob((60, 55), (68, 55), (64, 66)), BEAK, "c97a24")
    for x in (56, 72):
        c.fill(blob((x - 5, 106), (x + 5, 106), (x + 4, 113), (x - 4, 113)), BEAK)


def butterfly(c: Canvas, pose: int) -> None:
    """A butterfly from the side, wings opening and closing."""
    wide = (1.0, 0.72, 0.36, 0.72)[pose]

    def wing(near: bool) -> None:
        side = 1.0 if near else -0.72
        dark = 1.0 if near else 0.74

        def at(x: float, y: float) -> tuple[float, float]:
            return 66 - (x if near else x * 0.9) * wide * side, y

        upper = blob(at(0, 62), at(10, 26), at(40, 8), at(58, 16), at(56, 44), at(30, 66))
        lower = blob(at(0, 66), at(30, 66), at(50, 78), at(48, 102), at(30, 112), at(10, 90))
        for shape, light in ((lower, 0.86), (upper, 1.0)):
            c.fill(shape, shade=0.42 * dark)
            middle = shape.mean(0)
            c.fill((shape - middle) * 0.84 + middle, shade=(light * dark, 0.82 * light * dark))
        for x, y, r in ((42, 24, 6.5), (48, 38, 4.5), (36, 92, 6.0), (40, 80, 3.6)):
            px, py = at(x, y)
            c.fill(ellipse(px, py, r * wide, r), CREAM, opacity=0.9 if near else 0.6)
        px, py = at(24, 44)
        c.fill(ellipse(px, py, 8 * wide, 12, 0.5), "ffffff", opacity=0.28, soft=1.4)

    wing(False)
    for bend in (4, 10):
        feeler = blob((72, 46), (80 + bend, 34), (86 + bend, 26), closed=False)
        c.fill(stroke(feeler, 1.5), INK)
        c.fill(ellipse(86 + bend, 26, 2.2, 2.2), INK)
    body = blob((66, 44), (76, 42), (80, 50), (74, 66), (66, 88), (60, 92), (60, 70))
    c.fill(body, "5a4558", "3a2c40")
    c.fill(ellipse(73, 49, 8.6, 8.6), "6a5266")
    eye(c, 76, 48, 3.2)
    wing(True)


def whale(c: Canvas, pose: int) -> None:
    """A gentle whale that swims through the air."""
    tail = (0, -5, 0, 5)[pose]
    c.fill(blob((28, 66), (18, 54 + tail), (2, 40 + tail), (3, 56 + tail), (10, 62 + tail), (2, 76 + tail),
                (18, 74 + tail), (32, 80)), shade=(0.86, 0.68))  # fmt: skip
    body = blob(
        (16, 66), (34, 54), (60, 40), (90, 37), (114, 48), (122, 64), (116, 82), (96, 93), (66, 92), (38, 84)
    )
    c.fill(body, shade=(1.0, 0.80))
    belly = blob((30, 84), (60, 79), (92, 76), (126, 68), (122, 92), (90, 102), (50, 100))
    c.fill(belly, CREAM, "e6cfbb", clip=body)
    for index in range(6):
        x = 54 + index * 11
        c.fill(stroke(blob((x, 83 - index), (x + 3, 89 - index), (x + 10, 95 - index), closed=False),
            1.4), "c9ad9c",
               opacity=0.7, clip=belly)  # fmt: skip
    c.fill(ellipse(80, 46, 26, 5, -0.05), "ffffff", opacity=0.36, soft=1.8, clip=body)
    for x, y, r in ((48, 60, 2.4), (56, 54, 1.8), (42, 68, 1.7), (62, 62, 1.5)):
        c.fill(ellipse(x, y, r, r), "ffffff", opacity=0.55)
    eye(c, 100, 65, 4.2)
    blush(c, 95, 73, 3.8)
    c.fill(stroke(blob((104, 77), (112, 76), (118, 70), closed=False), 1.8), INK, opacity=0.7)
    c.fill(blob((70, 78), (84, 78), (74, 98 + tail * 0.6), (58, 106 + tail), (60, 94)), shade=(0.80, 0.62))
    for side in (-1, 1):
        drop = blob(
            (92, 37),
            (92 + side * 5, 26),
            (92 + side * 13, 24 + abs(tail) * 0.4),
            (92 + side * 12, 30),
            closed=False,
        )
        c.fill(stroke(drop, 3.6, 2.0), "d9f3ff", opacity=0.95)


def dragon(c: Canvas, pose: int) -> None:
    """A small friendly dragon."""
    angle, stretch = ((0.0, 1.0), (-0.62, 0.9), (-0.15, -0.72), (-0.8, 0.78))[pose]
    span = blob((0, 2), (-9, -26), (-12, -58), (4, -46), (14, -50), (20, -33), (31, -28), (17, 4)) * (
        1,
        stretch,
    )
    span = turned(span, 0, 0, angle)
    c.fill(span * 0.82 + (72, 60), shade=0.55)
    tail = blob((44, 80), (24, 92), (10, 84), (8, 68), (16, 62), (15, 76), (24, 82), (42, 70))
    c.fill(tail, shade=(0.82, 0.66))
    c.fill(blob((16, 66), (4, 64), (10, 50), (22, 58)), "ffcf5a", "e79a2c")
    for x in (52, 72):
        c.fill(blob((x - 6, 88), (x + 7, 88), (x + 6, 106), (x - 4, 107)), shade=0.68)
        c.fill(blob((x - 4, 103), (x + 9, 102), (x + 9, 108), (x - 4, 108)), shade=0.6)
    spikes = ((38, 66), (47, 58), (57, 53), (67, 50), (77, 42))
    for x, y in spikes:
        c.fill(blob((x - 5, y + 6), (x - 3, y - 7), (x + 6, y + 4)), "ffcf5a", "e79a2c")
    body = blob(
        (34, 76),
        (48, 60),
        (68, 54),
        (80, 40),
        (92, 28),
        (108, 30),
        (110, 46),
        (98, 60),
        (92, 82),
        (74, 96),
        (48, 94),
    )
    c.fill(body, shade=(1.0, 0.78))
    c.fill(
        blob((56, 100), (60, 84), (80, 74), (90, 58), (100, 62), (96, 86), (76, 102)),
        CREAM,
        "f0d7a4",
        clip=body,
    )
    head = blob((84, 30), (96, 22), (108, 26), (122, 38), (124, 47), (112, 54), (94, 52), (84, 42))
    c.fill(head, shade=(1.0, 0.84))
    for x, lean in ((92, -7), (101, -3)):
        c.fill(blob((x - 4, 27), (x + lean, 10), (x + 4, 25)), "fff0cc", "e6bf84")
    eye(c, 103, 36, 4.2)
    blush(c, 104, 46, 3.2)
    c.fill(ellipse(119, 40, 1.3, 1.6), INK)
    c.fill(stroke(blob((108, 50), (115, 50), (121, 46), closed=False), 1.6), INK, opacity=0.7)
    wing = span + (57, 66)
    c.fill(wing, shade=(0.86, 0.72))
    c.fill((wing - wing.mean(0)) * 0.74 + wing.mean(0) + (1, 1), "ffd98a", "f2b35e", opacity=0.8, clip=wing)
    c.fill(stroke(wing[:21], 4.0, 2.0), shade=0.66)


def elephant(c: Canvas, pose: int) -> None:
    """A small elephant that flies with its ears."""
    flap = (-9, -2, 14, 3)[pose]
    c.fill(blob((76, 44), (88, 24 + flap), (104, 18 + flap), (104, 40 + flap * 0.6), (92, 52)), shade=0.60)
    c.fill(stroke(blob((22, 72), (12, 76), (8, 86), closed=False), 3, 2), shade=0.66)
    c.fill(ellipse(8, 88, 3, 4), shade=0.45)
    swing = (0, 3, 0, -3)[pose]
    for x, dark, way in ((34, 0.60, -1), (68, 0.60, 1), (44, 0.76, 1), (78, 0.76, -1)):
        leg = blob((x - 8, 82), (x + 8, 82), (x + 7 + way * swing, 108), (x - 7 + way * swing, 108))
        c.fill(leg, shade=(dark + 0.08, dark))
        for toe in (-4, 0, 4):
            c.fill(ellipse(x + way * swing + toe, 106, 1.9, 2.2), CREAM)
    body = blob((20, 70), (30, 50), (54, 42), (80, 48), (92, 66), (88, 88), (64, 98), (34, 94))
    c.fill(body, shade=(1.0, 0.76))
    blanket = blob((40, 40), (62, 38), (72, 48), (72, 72), (54, 78), (38, 72), (34, 50))
    c.fill(blanket, CREAM, "f2cf9a", clip=body)
    for x, y in ((43, 71), (50, 74), (57, 75), (64, 73), (70, 70)):
        c.fill(ellipse(x, y, 2.6, 2.6), "ff9d76")
    c.fill(ellipse(54, 57, 6.5, 6.5), "7cc6c0")
    trunk = blob((100, 58), (110, 70), (110, 86), (116, 96), (123, 92), closed=False)
    c.fill(stroke(trunk, 17, 7.5), shade=0.86)
    head = blob((74, 46), (84, 34), (98, 34), (109, 46), (110, 62), (100, 72), (84, 70), (74, 60))
    c.fill(head, shade=(1.0, 0.86))
    c.fill(blob((96, 68), (104, 70), (112, 80), (108, 84), (98, 76)), "fffaf0")
    eye(c, 99, 50, 4.0)
    blush(c, 96, 60, 3.6)
    ear = blob(
        (84, 44),
        (78, 26 + flap),
        (62, 14 + flap),
        (46, 20 + flap),
        (46, 42 + flap * 0.6),
        (60, 58 + flap * 0.3),
        (78, 62),
    )
    c.fill(ear, shade=(0.90, 0.72))
    c.fill((ear - ear.mean(0)) * 0.72 + ear.mean(0), "ffb3b3", "f08f97", opacity=0.7)
