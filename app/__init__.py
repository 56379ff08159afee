"""The studio: a page on which a story is written, seen as an animatic, and rendered."""
