"""Jobs: what a page or a program asks for, done one after the other on one device. No gradio, no torch."""

from arlon_core.jobs.engine import Engine, ModelEngine
from arlon_core.jobs.queue import JobQueue
from arlon_core.jobs.records import JobRequest, JobState, JobStatus

__all__ = ["Engine", "JobQueue", "JobRequest", "JobState", "JobStatus", "ModelEngine"]
