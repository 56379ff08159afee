"""Draws episodes, slab after slab of frames, layer over layer; each layer is one compiled kernel on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from arlon_core.models.compiling import any_length
from arlon_core.world import motion, painting
from arlon_core.world.atlas import build_atlas
from arlon_core.world.frames import Layer, Layers, frame_layers
from arlon_core.world.painting import Page
from arlon_core.world.script import Script

PAGE_HEIGHT = 256.0  # units
# Drawn at a time: bounded memory on a CPU; on a GPU so many that drawing takes longer than launching it.
CPU_PIXELS, CUDA_PIXELS = 1 << 17, 1 << 26
KERNELS = (
    painting.sky, painting.clouds, painting.land, painting.wiping_land, painting.subject, painting.fog_banks,
    painting.falling, painting.finish, painting.masks,
)  # fmt: skip


@dataclass(frozen=True)
class WorldFrames:
    """frames: uint8 [B, T, 3, H, W]; masks uint8 [B, T, H, W], 255 where subjects cover the page.

    `subject_mask` covers the main and the second subject, `main_mask` the main one only.
    """

    frames: Tensor
    subject_mask: Tensor
    main_mask: Tensor


class StoryworldRenderer:
    """Renders windows of scripts, height x width pixels, on `device`.

    Raises ValueError for sizes that are not positive and for windows outside an episode.
    """

    def __init__(
        self, height: int = 256, width: int = 448, device: str | torch.device = "cpu", compile: bool = False
    ) -> None:
        if height < 16 or width < 16:
            raise ValueError(f"a page of {height}x{width} pixels is too small; 16x16 is the least")
        self.height, self.width, self.device = height, width, torch.device(device)
        pixels = CUDA_PIXELS if self.device.type == "cuda" else CPU_PIXELS
        self.slab = max(1, pixels // (height * width))  # frames
        self.atlas = build_atlas(height / PAGE_HEIGHT)
        self.page = Page.of(self.atlas, height, width, self.device)
        # kernels long enough to be fused whole; indices are right by construction
        options: dict[str, Any] = {"max_fusion_size": 512, "assert_indirect_indexing": False}
        self._kernels: dict[str, Callable[..., Any]] = {
            function.__name__: _any_count(torch.compile(function, fullgraph=True, options=options))
            if compile
            else function
            for function in KERNELS
        }

    def render(
        self, scripts: Sequence[Script], start: int | Sequence[int] = 0, frames: int | None = None
    ) -> WorldFrames:
        """Frames start .. start+frames of each script (`start` one for all, or one each)."""
        starts = [start] * len(scripts) if isinstance(start, int) else list(start)
        if not scripts or len(starts) != len(scripts):
            raise ValueError(f"{len(scripts)} scripts with {len(starts)} start frames cannot be drawn")
        count = (
            min(s.frames - first for s, first in zip(scripts, starts, strict=True))
            if frames is None
            else frames
        )
        for script, first in zip(scripts, starts, strict=True):
            if first < 0 or count < 1 or first + count > script.frames:
                raise ValueError(
                    f"frames {first} to {first + count} are outside an episode of {script.frames}"
                )
        t = torch.tensor(starts, dtype=torch.float64)[:, None] + torch.arange(count, dtype=torch.float64)
        values = motion.frame_values(motion.timeline_of(scripts), t)
        layers = frame_layers(values, self.atlas, self.width / self.height).on(self.device)
        picture, mask, main = self._draw(layers, t.numel())
        shape = (len(scripts), count)
        return WorldFrames(picture.unflatten(0, shape), mask.unflatten(0, shape), main.unflatten(0, shape))

    @torch.no_grad()
    def _draw(self, layers: Layers, total: int) -> tuple[Tensor, Tensor, Tensor]:
        picture = torch.empty(total, 3, self.height, self.width, dtype=torch.uint8, device=self.device)
        mask = torch.empty(total, self.height, self.width, dtype=torch.uint8, device=self.device)
        main = torch.empty_like(mask)
        for first in range(0, total, self.slab):
            here = slice(first, min(first + self.slab, total))
            planes, mask[here], main[here] = self._slab(layers, here)
            for channel, plane in enumerate(planes):
                picture[here, channel] = plane
        return picture, mask, main

    def _slab(self, layers: Layers, here: slice) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor, Tensor]:
        """uint8 red, green, blue and masks of the frames `here`; layers that none shows are skipped."""
        colour = self._kernels["sky"](self.page, *layers.sky.rows(here))

        def over(name: str, layer: Layer) -> Any:
            return self._kernels[name](self.page, *colour, *layer.rows(here))

        for cloud in layers.clouds:
            if cloud.shows(here):
                colour = over("clouds", cloud)
        ground = "wiping_land" if bool(layers.wiping[here].any()) else "land"
        for strip in layers.land[:-1]:
            colour = over(ground, strip)
        second = None
        if layers.second.shows(here):
            *colour, second = over("subject", layers.second)
        *colour, main = over("subject", layers.main)
        colour = over(ground, layers.land[-1])
        if layers.fog.shows(here):
            colour = over("fog_banks", layers.fog)
        for drops in layers.falling:
            if drops.shows(here):
                colour = over("falling", drops)
        both, only = self._kernels["masks"](main, torch.zeros_like(main) if second is None else second)
        return self._kernels["finish"](self.page, *colour), both, only


def _any_count(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled layer that serves any number of frames."""

    def draw(*inputs: Any) -> Any:
        for value in inputs:
            if isinstance(value, Tensor):
                any_length(value, 0)
        return kernel(*inputs)

    return draw
