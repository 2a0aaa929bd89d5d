"""Which IP addresses may be called.

Sources: the IANA special-purpose address registries for IPv4 (RFC 6890 and its updates) and IPv6. The networks stand
here, because `ipaddress.is_global` differs between patch releases of Python.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_PRIVATE_V4 = tuple(
    map(IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
)
_NOT_GLOBAL_V4 = (
    *_PRIVATE_V4,
    *map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network, the unspecified address
            "169.254.0.0/16",  # link-local, where clouds keep their metadata services
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    ),
)

_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
"""All that is assigned; IPv4-mapped and -compatible, NAT64, unique local, link-local, multicast lie outside."""

_NOT_GLOBAL_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: leads to any IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
_PRIVATE_V6 = tuple(map(IPv6Network, ("::1/128", "fc00::/7")))


def is_allowed(address: str, allow_private: bool) -> bool:
    """Tell whether a numeric address, as the operating system gave it, may be connected to.

    `allow_private` adds loopback and private networks; link-local, multicast and addresses that wrap another one
    (IPv4-mapped, 6to4, NAT64, Teredo) are refused even then. What is no address is refused.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return _is_allowed_v4(parsed, allow_private)
    return _is_allowed_v6(parsed, allow_private)


def _is_allowed_v4(address: IPv4Address, allow_private: bool) -> bool:
    if allow_private and any(address in network for network in _PRIVATE_V4):
        return True
    return not any(address in network for network in _NOT_GLOBAL_V4)


def _is_allowed_v6(address: IPv6Address, allow_private: bool) -> bool:
    if address.scope_id is not None:
        return False
    if allow_private and any(address in network for network in _PRIVATE_V6):
        return True
    return address in _GLOBAL_UNICAST_V6 and not any(address in network for network in _NOT_GLOBAL_V6)
