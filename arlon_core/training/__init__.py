"""Training: seven stages, one trainer, fresh Storyworld episodes all the time."""
