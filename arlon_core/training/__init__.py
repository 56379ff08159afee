"""Training: a file a stage, one trainer, fresh Storyworld episodes all the time."""
