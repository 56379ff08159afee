"""Errors that a user can cause: each message is one sentence that names what is wrong and the mend."""

from __future__ import annotations


class ArlonError(Exception):
    """Base of every error a user, a file or a machine can cause.

    ``str(error)`` is one sentence to show as it is. The command line turns it into exit code 2;
    the studio shows it. Our own bugs are not ArlonErrors.
    """


class StoryError(ArlonError):
    """A story that cannot be read: the sentence names the file, the line and the mend."""


class ModelError(ArlonError):
    """A model folder that is missing, truncated or foreign, or a request the model cannot serve."""


class OutputError(ArlonError):
    """A film, clip or picture that cannot be written; what was there before is untouched."""


class ProjectError(ArlonError):
    """A project folder that cannot be used; what was there before is untouched."""


class FilmError(ArlonError):
    """Film settings that cannot be read, or that the film's segments or sound do not allow."""
