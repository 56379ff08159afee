"""Films as files: segment clips (PyAV), the film (moviepy), contact sheets (Pillow)."""
