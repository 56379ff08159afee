"""Drawings of Storyworld: made once at start, with Pillow, into textures."""
