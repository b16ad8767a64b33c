"""WeChat official accounts in safe mode. Read `crypto` (the protocol), `messages` (what is inside), `router`."""
