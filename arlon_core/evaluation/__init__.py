"""What a trained model does on stories that training never drew: sheets to look at, numbers to keep."""
