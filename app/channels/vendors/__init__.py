"""Edge: makers who cannot send our JSON push in their own form, and every maker's codes become our types.

A maker is a row: the form of its pushes, the datum of its positions, the secret it proves itself by; its codes are
rows, too, beside those that are shipped for its form. So a city adds a maker without waiting for a release. A code
nobody has mapped stays what it is, and is an alarm.

Read in this order: `readers` (raw bytes to reports; pure), `makers` (who they are, and what their codes mean),
`router`. No push of a real platform was seen: the forms follow what their makers publish.
"""
