"""The panels of the page, a file each: they make components and give them back; app/studio.py wires them."""
