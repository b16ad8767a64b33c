"""The face of families: one order behind a signed link, or, signed in by telephone, all of their elders'."""
