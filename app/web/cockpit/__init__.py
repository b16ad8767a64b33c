"""The face of supervisors: indicators with their definitions, and the way down to one visit's evidence."""
