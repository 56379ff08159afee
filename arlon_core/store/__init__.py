"""The project folder: artefacts named by what they depend on, and a journal. No torch, no gradio."""

from arlon_core.store.artefacts import FORMAT_VERSIONS, Artefact, artefact_key
from arlon_core.store.journal import Journal, environment_record
from arlon_core.store.memory import MemoryStore
from arlon_core.store.project import ArtefactStore, Store

__all__ = [
    "FORMAT_VERSIONS",
    "Artefact",
    "ArtefactStore",
    "Journal",
    "MemoryStore",
    "Store",
    "artefact_key",
    "environment_record",
]
