"""Artefacts as bytes: how one is named by all that it depends on, and how its damage is noticed.

An artefact is a safetensors file. Its metadata hold ``kind``, ``key``, ``meta`` (JSON of the caller's) and
``checksum``, a SHA-256 of everything else. numpy has no bfloat16: store such tensors as float32 or as uint16.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

# Raise a version whenever the same dependencies come to mean other content; artefacts are then made anew.
FORMAT_VERSIONS: dict[str, int] = {
    "tokens": 1,  # fine token indices of one segment
    "preview": 1,  # small pictures of one segment
    "latents": 1,  # latents of one chunk
    "clip": 1,  # an encoded segment (a video file) and the hash of its frames
}


@dataclass(frozen=True)
class Artefact:
    """Tensors and the JSON values kept with them."""

    tensors: dict[str, np.ndarray]
    meta: dict[str, Any]


def artefact_key(kind: str, version: int, **dependencies: Any) -> str:
    """The name of an artefact: SHA-256 of its kind, version and dependencies in canonical JSON, as hex.

    version: normally FORMAT_VERSIONS[kind]. dependencies: everything the content depends on, as plain JSON
    values (other artefacts by their keys). 4 and 4.0 are different values.
    Raises TypeError or ValueError for values with no canonical form: NaN, arrays, keys that are not strings.
    """
    text = canonical_json({"kind": kind, "version": version, "dependencies": dependencies})
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, ASCII. Tuples count as lists."""
    _check_plain(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def pack(kind: str, key: str, tensors: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> bytes:
    """An artefact as the bytes of its file; the same content gives the same bytes."""
    arrays = {
        name: np.ascontiguousarray(tensors[name]).reshape(tensors[name].shape) for name in sorted(tensors)
    }
    text = canonical_json(dict(meta))
    # One metadata entry: safetensors does not keep the order of several, which would change the bytes.
    record = {"checksum": checksum(kind, key, arrays, text), "key": key, "kind": kind, "meta": text}
    return save(arrays, {"arlon": canonical_json(record)})


def unpack(kind: str, key: str, data: bytes) -> Artefact | None:
    """The artefact in ``data``, or None when it is damaged or is another one than ``key`` of ``kind``."""
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        record = json.loads(header["__metadata__"]["arlon"])
        tensors = load(data)
        meta = json.loads(record["meta"])
        whole = record["checksum"] == checksum(kind, key, tensors, record["meta"])
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Artefact(tensors, meta) if whole else None


def checksum(kind: str, key: str, tensors: Mapping[str, np.ndarray], meta: str) -> str:
    """SHA-256 over kind, key, meta and each tensor's name, dtype, shape and little-endian bytes."""
    digest = hashlib.sha256(canonical_json([kind, key, meta]).encode("ascii"))
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])  # makes 0-d arrays 1-d: the shape is the original's
        digest.update(
            canonical_json([name, array.dtype.newbyteorder("<").str, list(tensors[name].shape)]).encode(
                "ascii"
            )
        )
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _check_plain(value: Any) -> None:
    """Refuse what JSON would change silently or cannot hold."""
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise TypeError(f"Got the key {key!r}; keys must be strings.")
            _check_plain(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            _check_plain(each)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"Got {value!r}; only finite numbers have a canonical form.")
    elif value is not None and not isinstance(value, (str, int, bool)):
        raise TypeError(f"Got a {type(value).__name__}; give plain JSON values.")
