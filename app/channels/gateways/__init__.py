"""The companies our messages leave by: text messages by Aliyun or Tencent, pushes by JPush.

Read in this order: `signing_aliyun`, `signing_tencent` (pure: how a request is signed), `consequences` (pure: what
their error codes mean for a message), `letters`, `aliyun`, `tencent`, `jpush` (the senders), `accounts` (which one,
with which keys and templates), `reports` (pure: what they tell later), `router`. None of them was ever called live
from here: the senders are tested against stand-ins that recompute the signatures and answer what the companies
document.
"""
