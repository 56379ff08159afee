"""The measures, a file a family: pure functions of uint8 frames or of a judge's features and readings."""
