"""The faces in a real browser. Screenshots go to `var/faces`; look at them."""
