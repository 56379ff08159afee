"""Storyworld: a procedural picture-book world with exact captions and attributes (this loads no torch)."""
