"""What the page does, as plain functions: no gradio here, so that every one can be tested without a page."""
