"""Kerberos 5 in the small: realms, a KDC, a client that logs in, a service that accepts, and MIT's KDC in its place.

The messages and rules are those of RFC 4120, with one encryption type, that of RFC 3962.
"""
