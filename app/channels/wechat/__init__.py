"""WeChat, both ways: official accounts and mini-programs in safe mode.

What comes in: `crypto` (the protection), `messages` (what is inside), `router` (the door), `replies` (what is answered
in the same breath, and the menu), `events` (what follows from an event). What goes out: `api` (the line), `tokens` (one
access token for all workers), `fields` and `sender` (template and subscription messages). `signing_in`: families who
are known by WeChat. `administration`: the doors for whoever looks after the accounts.
"""
