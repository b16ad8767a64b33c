"""Edge: pages for people. One face for each kind of person, and the frame they share.

    console    operators, all day long: caller, order, candidates, board
    caregiver  caregivers, on a telephone, also without a signal
    family     families: one order behind a signed link, or all of their elders'
    cockpit    supervisors: the city at a glance, and down to one visit's evidence
    portal     everybody: services, prices, policies, results

A face is a folder: `router` (its pages and the forms on them), `templates`, `static`, `words` (all it says, by
language) and `stories` (every state of every page with made-up data, for the storybook). The frame is what lies beside
them: `faces` (the table of them), `pages` (how a page is a door), `rendering` (how it is filled in), `refusals` (what a
browser sees when something fails), `static_files`, `signing_in`. Pages ask the rooms below what they need and hold no
rule of their own.

The pages of `OPEN_PAGES` show no data of anybody and work without a database, so they are ordinary routes outside the
guard.
"""

OPEN_PAGES = frozenset({"/", "/c/{token}", "/docs", "/healthz", "/readyz"})
