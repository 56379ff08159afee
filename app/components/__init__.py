"""Parts of the page that gradio does not have: a file each, with its script in assets/js."""
