"""The pipeline folder: saved, loaded, assembled; and every way in which it can be wrong, in one sentence."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from arlon_core.errors import ModelError
from arlon_core.generation.model_folder import (
    NEEDS,
    check_model_folder,
    incomplete_sentence,
    is_local,
    missing_components,
)
from arlon_core.models.folders import save_component
from arlon_core.models.stdit import STDiT3
from arlon_core.pipeline import COMPONENTS, ArlonPipeline, assemble, choose_device, fast_dtype
from arlon_core.presets import PRESETS


@pytest.fixture
def copy(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be broken."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


def complaint(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        ArlonPipeline.from_pretrained(folder, device="cpu")
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


# -- saving and loading ---------------------------------------------------------------------------------


def test_it_loads_what_training_wrote(tiny_pipeline):
    config = tiny_pipeline.config
    assert (config.fps, config.height, config.width, config.overlap, config.max_new) == (12, 64, 112, 2, 4)
    assert config.num_inference_steps == 2
    assert tiny_pipeline.latent_size == (4, 8, 14)
    assert tiny_pipeline.load_seconds > 0
    for name in COMPONENTS:
        part = getattr(tiny_pipeline, name)
        assert part is not None
        if isinstance(part, torch.nn.Module):
            assert not part.training
            assert not any(parameter.requires_grad for parameter in part.parameters())


def test_fast_parts_run_in_the_fast_dtype_and_the_rest_in_fp32(tiny_pipeline):
    fast = fast_dtype(torch.device("cpu"))
    for name in ("transformer", "vae", "preview_decoder"):
        assert getattr(tiny_pipeline, name).dtype == fast
    for name in ("text_encoder", "token_transformer", "latent_vqvae", "attribute_reader"):
        assert getattr(tiny_pipeline, name).dtype == torch.float32


def test_saved_and_loaded_again_it_is_the_same(tiny_pipeline, tmp_path: Path):
    tiny_pipeline.save_pretrained(tmp_path / "copy")
    again = ArlonPipeline.from_pretrained(tmp_path / "copy", device="cpu")
    for name in COMPONENTS:
        assert again.fingerprint(name) == tiny_pipeline.fingerprint(name), name
    files = [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".bin", ".pt", ".pkl")]
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in files)
    assert str(tmp_path) not in (tmp_path / "copy" / "model_index.json").read_text()


def test_no_bit_depends_on_how_the_folder_is_sharded(tiny_pipeline, tmp_path: Path):
    """Weights of a mapped file lie at other places then, and kernels round by the place."""
    tiny_pipeline.save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    again = ArlonPipeline.from_pretrained(tmp_path / "shards", device="cpu")
    for pipe in (tiny_pipeline, again):
        parts = [
            part for part in map(partial(getattr, pipe), COMPONENTS) if isinstance(part, torch.nn.Module)
        ]
        assert not [p for part in parts for p in part.parameters() if p.data_ptr() % 64]
    codes = torch.arange(2 * 4).view(1, 2, 2, 2)
    one, two = (pipe.latent_vqvae.decode(codes) for pipe in (tiny_pipeline, again))
    assert torch.equal(one, two)
    one, two = (pipe.encode_prompt("A red balloon rises.").states for pipe in (tiny_pipeline, again))
    assert torch.equal(one, two)


def test_use_changes_no_fingerprint(tiny_folder: Path):
    pipe = ArlonPipeline.from_pretrained(tiny_folder, device="cpu")
    before = {name: pipe.fingerprint(name) for name in COMPONENTS}
    pipe.encode_prompt("A red balloon rises.")
    pipe._fingerprints.clear()
    assert {name: pipe.fingerprint(name) for name in COMPONENTS} == before


def test_a_fingerprint_sees_one_changed_weight(tiny_pipeline):
    import copy as copies

    other = copies.copy(tiny_pipeline)
    other._fingerprints = {}
    other.transformer = copies.deepcopy(tiny_pipeline.transformer)
    with torch.no_grad():
        next(other.transformer.parameters()).view(-1)[0] += 1
    assert other.fingerprint("transformer") != tiny_pipeline.fingerprint("transformer")
    assert other.fingerprint("vae") == tiny_pipeline.fingerprint("vae")


def test_a_folder_samples_as_its_preset_says_and_its_latents_know(tiny_pipeline, copy: Path):
    assert tiny_pipeline.scheduler.config.solver_order == 2
    for change in ({"solver_order": 1}, {"init_noise_sigma": 0.5}):
        assemble(copy, replace(PRESETS["tiny"], **change))
        pipe = ArlonPipeline.from_pretrained(copy, device="cpu")
        assert change.items() <= dict(pipe.scheduler.config).items()
        assert pipe.fingerprint("scheduler") != tiny_pipeline.fingerprint("scheduler")


def test_assembling_again_keeps_the_sampling_defaults(copy: Path):
    assemble(copy, PRESETS["tiny"], token_temperature=0.7)
    assemble(copy, PRESETS["tiny"])
    index = json.loads((copy / "model_index.json").read_text())
    assert (index["num_inference_steps"], index["token_temperature"]) == (2, 0.7)


def test_a_part_not_trained_yet_is_told_when_it_is_needed(copy: Path):
    shutil.rmtree(copy / "transformer")
    assemble(copy, PRESETS["tiny"])
    pipe = ArlonPipeline.from_pretrained(copy, device="cpu")
    assert pipe.transformer is None
    pipe.require("token_transformer", "vae")
    with pytest.raises(ModelError, match="no transformer yet; train it: python -m arlon_core train dit;"):
        pipe.require("transformer")


def test_what_an_incomplete_model_lacks_is_known_before_it_is_loaded(copy: Path):
    index = check_model_folder(copy)
    assert [missing_components(index, kind) for kind in NEEDS] == [[], []]
    for name in ("transformer", "preview_decoder", "token_transformer"):
        shutil.rmtree(copy / name)
    assemble(copy, PRESETS["tiny"])
    index = check_model_folder(copy)
    assert missing_components(index, "animatic") == ["token_transformer", "preview_decoder"]
    assert missing_components(index, "render") == ["token_transformer", "transformer"]
    sentence = incomplete_sentence("m", missing_components(index, "animatic"))
    assert "no token_transformer and no preview_decoder yet" in sentence
    assert "python -m arlon_core train preview, then train ar;" in sentence, "in the order of training"


def test_a_component_takes_the_place_of_the_models_own(tiny_pipeline, copy: Path, tmp_path: Path):
    """Also where the model has none; everything else stays, and the name tells."""
    other = tmp_path / "transformer_text"
    torch.manual_seed(7)
    save_component(STDiT3(**PRESETS["tiny"].transformer | {"injection_adapters": 0}), other)
    shutil.rmtree(copy / "transformer")
    assemble(copy, PRESETS["tiny"])
    pipe = ArlonPipeline.from_pretrained(copy, "cpu", exchanged={"transformer": other})
    assert pipe.transformer.semantic_injection is None
    assert pipe.transformer.dtype == tiny_pipeline.transformer.dtype
    assert pipe.fingerprint("transformer") != tiny_pipeline.fingerprint("transformer")
    assert pipe.fingerprint("vae") == tiny_pipeline.fingerprint("vae")
    assert pipe.name == f"{copy}+transformer_text"


@pytest.mark.parametrize(
    ("exchanged", "sentence"),
    [
        ({"transfomer": "."}, "no component 'transfomer'; choose one of"),
        ({"transformer": "nowhere"}, "nowhere holds no component"),
    ],
)
def test_a_component_that_is_none_is_refused(tiny_folder: Path, exchanged: dict[str, str], sentence: str):
    with pytest.raises(ModelError, match=sentence):
        ArlonPipeline.from_pretrained(tiny_folder, "cpu", {k: Path(v) for k, v in exchanged.items()})


# -- stages ---------------------------------------------------------------------------------------------


def test_a_text_is_encoded_by_itself(tiny_pipeline):
    encoded = tiny_pipeline.encode_prompt("A red balloon rises.")
    assert encoded.states.shape == (1, 96, 32)
    assert 2 < len(encoded.items) < 96
    assert encoded.states[0, len(encoded.items) :].abs().max() == 0


def test_the_first_prompt_always_counts_as_full(tiny_pipeline):
    for prompt in ("then night falls", "A red balloon rises over green hills at dawn."):
        assert tiny_pipeline.is_full([prompt])[0]
    assert len(tiny_pipeline.is_full(["a", "b", "c"])) == 3


# -- folders that are wrong -----------------------------------------------------------------------------


def test_a_missing_folder(tmp_path: Path):
    assert "does not exist" in complaint(tmp_path / "nowhere" / "model")


def test_a_file_instead_of_a_folder(copy: Path):
    assert "is a file" in complaint(copy / "model_index.json")


def test_a_folder_of_something_else(tmp_path: Path):
    assert "model_index.json" in complaint(tmp_path)


def test_another_pipeline(copy: Path):
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps({**index, "_class_name": "FluxPipeline"}))
    assert "FluxPipeline, which is not an ARLON model" in complaint(copy)


def test_a_missing_component(copy: Path):
    shutil.rmtree(copy / "vae")
    assert "vae is missing" in complaint(copy)


@pytest.mark.parametrize("keep", [0, 5, 40, -1])
def test_truncated_weights(copy: Path, keep: int):
    path = copy / "transformer" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    assert "diffusion_pytorch_model.safetensors is damaged or cut short" in complaint(copy)


def test_a_pointer_instead_of_weights(copy: Path):
    path = copy / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert "git-lfs pointer" in complaint(copy)


def test_weights_of_another_model(copy: Path):
    shutil.copy(
        copy / "latent_vqvae" / "diffusion_pytorch_model.safetensors",
        copy / "transformer" / "diffusion_pytorch_model.safetensors",
    )
    assert "cannot be loaded" in complaint(copy)


def test_no_weights_at_all(copy: Path):
    (copy / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    assert "transformer" in complaint(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff"])
def test_a_broken_configuration(copy: Path, text: str):
    (copy / "vae" / "config.json").write_text(text, encoding="latin-1")
    assert "config.json" in complaint(copy)


def test_a_missing_shard(copy: Path):
    index = {"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (copy / "vae" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    assert "model-00001-of-00002.safetensors is missing" in complaint(copy)


def test_the_check_costs_no_torch_and_passes_a_whole_folder(tiny_folder: Path):
    assert check_model_folder(tiny_folder)["_class_name"] == "ArlonPipeline"


def test_what_is_a_path_and_what_a_hub_id(tiny_folder: Path):
    assert is_local(tiny_folder)
    assert is_local("./model/here")
    assert is_local("assets/models/nothing")
    assert not is_local("somebody/arlon-storyworld")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_cuda_without_a_gpu_is_refused():
    with pytest.raises(ModelError, match="no CUDA GPU"):
        choose_device("cuda")
    assert choose_device("auto").type == "cpu"


def test_attribute_heads_keep_their_names_through_a_folder(tmp_path: Path):
    """Configurations are saved with sorted keys: their order must not decide which head is whose."""
    from arlon_core.models.attribute_reader import AttributeReader
    from arlon_core.models.folders import save_component

    torch.manual_seed(0)
    reader = AttributeReader(text_dim=8, attributes={"subject": 5, "colour": 3}, hidden_size=8).eval()
    save_component(reader, tmp_path, dtype=None)
    states, mask = torch.randn(1, 4, 8), torch.ones(1, 4)
    with torch.no_grad():
        before, after = reader(states, mask), AttributeReader.from_pretrained(tmp_path).eval()(states, mask)
    for name in before:
        assert torch.allclose(before[name], after[name]), name
