"""Laws of artefacts: named by all they depend on, the same bytes for the same content, damage is noticed."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arlon_core.store.artefacts import FORMAT_VERSIONS, artefact_key, canonical_json, pack, unpack

# A machine that is busy with something else is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TENSORS = {
    "latents": np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7,
    "tokens": np.array([[1, 4095]], np.int64),
    "mask": np.array([True, False]),
    "scale": np.array(0.5, np.float16),
    "none": np.zeros((0, 3), np.uint8),
}
META = {"seed": 7, "text": "a fox, café", "seconds": [4.0, 0.5], "take": None}
KEY = artefact_key("latents", 1, seed=7)

# (key, file) of fixed dependencies and content. Where one of these fails, code changed what a kind means or
# how it is written: raise the kind's FORMAT_VERSION, then write the new values here.
GOLDEN = {
    "tokens": (
        "5d7a7f4e6a6eba47e8d5ee70610eef1e1aac7ec8202e821c1849cfdefc5a21ad",
        "54f9ceb8b9c0af54716625c88b0286a6f3b8b206035611511bf6b88276e2b4e4",
    ),
    "preview": (
        "b5de23242ec404c4170911d902f5d2f59890cbba7e8442037b5b40a57709d4a3",
        "d9b0642746985893f8183eefd048a15a5e057a8dee3ace015eee4ef01e922993",
    ),
    "latents": (
        "261a271a6971a3e27151e378d2fa7e155ddd0e8fa7451afb3ae74cdbdbc48fd6",
        "7545d18b954abd3a5d7d920a788951692b815e1c3e00aff0768d9d1cb661950e",
    ),
    "clip": (
        "0aa067c02388bca6b64db80f22ecdfc056b11516dc92e07466d5d761be921b74",
        "f87646520707ae8ef95ef7cee9fc68b675d52a01f4590555c772fa33750966b3",
    ),
}


def fixed(kind: str) -> tuple[str, str]:
    key = artefact_key(kind, FORMAT_VERSIONS[kind], seed=7, text="a fox", steps=[1, 2.5], none=None)
    return key, hashlib.sha256(pack(kind, key, TENSORS, META)).hexdigest()


def test_every_kind_has_a_golden_hash():
    assert GOLDEN.keys() == FORMAT_VERSIONS.keys()


@pytest.mark.parametrize("kind", FORMAT_VERSIONS)
def test_golden_hashes(kind: str):
    assert fixed(kind) == GOLDEN[kind]


def test_the_key_depends_on_everything():
    base = {"seed": 7, "prompt": "a fox", "steps": 8, "parents": ["a", "b"]}
    keys = {
        artefact_key("tokens", 1, **base),
        artefact_key("tokens", 2, **base),
        artefact_key("preview", 1, **base),
    }
    for name, other in [("seed", 8), ("seed", 7.0), ("seed", "7"), ("seed", True), ("seed", None),
                        ("prompt", "a fox "), ("parents", ["b", "a"]), ("more", 1)]:  # fmt: skip
        keys.add(artefact_key("tokens", 1, **{**base, name: other}))
    assert len(keys) == 11
    assert artefact_key("tokens", 1, b=1, a=(1, 2)) == artefact_key("tokens", 1, a=[1, 2], b=1)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {1: 2}, {"a": [{None: 1}]}, np.float32(1), b"x", {1}]
)
def test_values_without_a_canonical_form_are_refused(value: object):
    with pytest.raises((TypeError, ValueError)):
        canonical_json(value)


def test_what_is_packed_comes_back():
    artefact = unpack("latents", KEY, pack("latents", KEY, TENSORS, META))
    assert artefact is not None
    assert artefact.meta == META
    assert artefact.tensors.keys() == TENSORS.keys()
    for name, array in TENSORS.items():
        assert artefact.tensors[name].dtype == array.dtype
        assert artefact.tensors[name].shape == array.shape
        np.testing.assert_array_equal(artefact.tensors[name], array)


def test_strides_and_order_do_not_matter():
    turned = {name: np.array(TENSORS[name], order="F") for name in reversed(TENSORS)}
    assert pack("latents", KEY, turned, META) == pack("latents", KEY, TENSORS, META)


@patient
@given(st.data())
def test_any_flipped_bit_or_cut_is_noticed(data: st.DataObject):
    whole = bytearray(pack("latents", KEY, TENSORS, META))
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        damaged = whole.copy()
        damaged[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    artefact = unpack("latents", KEY, bytes(damaged))
    # The few bits that may flip unnoticed are those that change nothing, such as the header's padding.
    if artefact is not None:
        assert artefact.meta == META
        assert all(np.array_equal(artefact.tensors[name], TENSORS[name]) for name in TENSORS)
        assert artefact.tensors.keys() == TENSORS.keys()


def test_another_artefact_is_not_this_one():
    data = pack("latents", KEY, TENSORS, META)
    assert unpack("preview", KEY, data) is None
    assert unpack("latents", "0" * 64, data) is None
    for foreign in (b"", b"\0" * 8, b"not a tensor file at all", b"\xff" * 100):
        assert unpack("latents", KEY, foreign) is None
