"""Pictures out of PyAV's frames and into them, without threads of FFmpeg's own.

PyAV converts with a scaler that it keeps for each thread, and a scaler has worker threads unless it is told
otherwise. A forked process has none of these threads, but drops the scalers of all other threads at once, and
waits for their workers for ever. ZeroGPU forks the studio at every call. Pictures of our size gain nothing by
workers anyhow.
"""

from __future__ import annotations

import av
import numpy as np

BT709 = 1  # the number of BT.709 in H.264's tables


def to_rgb(frame: av.VideoFrame) -> np.ndarray:
    """uint8 [H, W, 3]."""
    return frame.to_ndarray(format="rgb24", threads=1)


def to_yuv420p(picture: np.ndarray) -> av.VideoFrame:
    """A frame as H.264 wants it, of uint8 [H, W, 3]; H and W even."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace=BT709, threads=1)
