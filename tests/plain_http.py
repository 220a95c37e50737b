"""HTTP to the servers of tests, which speak it without TLS.

httpx loads all authorities that the machine trusts for every client, which takes longer than most of the tests' calls.
"""

import ssl
from functools import partial

import httpx

_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no authority, and so no server over TLS."""

Client = partial(httpx.Client, verify=_NOBODY)
AsyncClient = partial(httpx.AsyncClient, verify=_NOBODY)
get = partial(httpx.get, verify=_NOBODY)
post = partial(httpx.post, verify=_NOBODY)
put = partial(httpx.put, verify=_NOBODY)
delete = partial(httpx.delete, verify=_NOBODY)
request = partial(httpx.request, verify=_NOBODY)
