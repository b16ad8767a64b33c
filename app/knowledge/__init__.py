"""Floor 5: what the desk answers from: articles about policies and procedures, and in which places they hold.

In: articles published by a supervisor. Out: `service.search`, `service.article`, `service.used` (an answer was given
from this very version). Tables: `article`. Events: none.

An article is known by its code. The one of a county replaces the city's of the same code there, the city's the
product's; every version is a row of its own and keeps its wording, so an answer given can be read years later.
"""
