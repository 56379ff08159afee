"""Where things move: each place of a frame is matched with those around it some frames later and earlier.

Local correlation of features is how networks for optical flow see motion (FlowNet, Dosovitskiy et al. 2015).
A softmax over it is a distribution of displacements, from which the layer after it reads speed and direction.
Convolutions alone have to find motion in differences of colour first, and find it late. How it is put
together is our own choice.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

GAP = 4  # frames of a window
RADIUS = 2  # cells: on a page of 56, what the world's fastest subject goes within a gap
_COMPARED = 12  # channels of what is compared
_SHARPNESS = 30.0  # at first: untrained features tell a pan to the left from one to the right at it


class FrameMatching(nn.Module):
    """Adds to each place of each frame where it goes, and where it came from."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(math.gcd(8, channels), channels)
        self.features = nn.Conv2d(channels, _COMPARED, 1)
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(_SHARPNESS)))
        self.out = nn.Conv2d(2 * (2 * RADIUS + 1) ** 2, channels, 1)

    def forward(self, x: Tensor, batch: int) -> Tensor:
        """(B*T, C, h, w) -> the same."""
        shares = self.displacements(x, batch)
        centred = shares.shape[2] * shares - 1  # 0 where all displacements are as likely
        return x + self.out(centred.flatten(1, 2).to(x.dtype))

    def displacements(self, x: Tensor, batch: int) -> Tensor:
        """(B*T, C, h, w) -> shares of displacements (B*T, 2, (2 RADIUS + 1)^2, h, w), which sum to 1.

        First towards the frame GAP later, or the window's last one, then towards that GAP earlier, or its
        first. Displacements go row by row, from RADIUS cells up and left to RADIUS down and right.
        """
        # In fp32 whatever the precision around: a tenth of a cell is a motion.
        with torch.autocast(x.device.type, enabled=False):
            features = F.normalize(self.features(F.silu(self.norm(x.float()))), dim=1)
            frames = rearrange(features, "(b t) c h w -> b t c h w", b=batch)
            around = F.pad(frames, (RADIUS,) * 4)
            last = frames.shape[1] - 1
            later = [min(t + GAP, last) for t in range(last + 1)]
            earlier = [max(t - GAP, 0) for t in range(last + 1)]
            alike = torch.stack([_alike(frames, around[:, others]) for others in (later, earlier)], 2)
            shares = (self.log_sharpness.exp() * alike).softmax(3)
        return shares.flatten(0, 1)


def _alike(here: Tensor, around: Tensor) -> Tensor:
    """Cosines (B, T, (2 RADIUS + 1)^2, h, w) of unit features (B, T, C, h, w) and padded others."""
    height, width = here.shape[-2:]
    side = range(2 * RADIUS + 1)
    shifted = (around[..., y : y + height, x : x + width] for y in side for x in side)
    return torch.stack([(here * there).sum(2) for there in shifted], 2)
