"""The guard against URLs that reach into private networks."""

import socket
from collections.abc import Sequence

import pytest

from orchestrator.domain.errors import PonteError
from orchestrator.url_guard.addresses import is_allowed
from orchestrator.url_guard.guard import MAX_URL_CHARACTERS, AddressNotAllowed, UrlGuard

NAMES = {
    "good.example": ["93.184.215.14", "2606:2800:220:1:248:1893:25c8:1946"],
    "private.example": ["10.0.0.8"],
    "mixed.example": ["93.184.215.14", "192.168.1.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "localtest.example": ["127.0.0.1"],
}


async def look_up(host: str) -> Sequence[str]:
    if host in NAMES:
        return NAMES[host]
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)]
    except OSError:
        raise OSError("no such name") from None


@pytest.fixture
def guard() -> UrlGuard:
    return UrlGuard(look_up=look_up)


async def refusal(guard: UrlGuard, url: str) -> str:
    """The code that a URL is refused with; empty where it is taken."""
    try:
        await guard.check(url)
    except PonteError as error:
        refused = error
    else:
        return ""
    assert [violation.field for violation in refused.violations] == ["url"]
    return refused.code.name


ATTACKS = [
    # loopback, in every spelling
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/hook",
    "http://127.255.255.254/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0x7F.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://127.0.0.01/",
    "http://0/",
    "http://0.0.0.0/",
    "http://localhost/",
    "http://LOCALHOST:9090/",
    "http://localhost./",
    "http://api.localhost/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::]/",
    # digits in circles, ideographic full stops and full-width digits, which become an address when they are normalised
    "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "http://127\u30020\u30020\u30021/",
    "http://\uff11\uff12\uff17.0.0.1/",
    # private, shared and link-local networks
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://100.127.255.254/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://169.254.43518/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fec0::1]/",
    # addresses that wrap another
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a00:1::1]/",
    "http://[2001:0:7f00:1::]/",
    # multicast, broadcast, reserved, documentation, benchmarks
    "http://224.0.0.1/",
    "http://239.255.255.250:1900/",
    "http://255.255.255.255/",
    "http://240.0.0.1/",
    "http://192.0.0.8/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://192.88.99.1/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    # names
    "http://private.example/",
    "http://mixed.example/",
    "http://mapped.example/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "https://localtest.example/",
    # names and passwords, odd parsing, other schemes
    "http://good.example@127.0.0.1/",
    "http://user:password@good.example/",
    "http://@good.example/",
    "http://user@good.example",
    "http://user@good.example?a=b",
    "http://good.example\\@127.0.0.1/",
    "http://127.0.0.1\\.good.example/",
    "http://good.example /",
    "http://good.example\r\nX-Injected: 1/",
    "http://good.example\t/",
    "http://good.example:0/",
    "http://good.example:65536/",
    "http://good.example:port/",
    "http://[::1/",
    "http:///hook",
    "http://",
    "//good.example/",
    "/hook",
    "good.example/hook",
    "",
    "ftp://good.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "javascript:alert(1)",
    "unix:///run/ponte.sock",
    "http://good.example/#part",
    "https://good.example/" + "x" * MAX_URL_CHARACTERS,
]


@pytest.mark.parametrize("url", ATTACKS)
async def test_an_attack_is_refused_when_it_is_saved(guard: UrlGuard, url: str) -> None:
    assert await refusal(guard, url) in ("URL_NOT_ALLOWED", "INVALID_URL")


@pytest.mark.parametrize(
    "url",
    [
        "https://good.example/hook?token=a%20b",
        "http://good.example:8443/",
        "https://93.184.215.14/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]:444/hook",
        "https://bücher.example/",
        "https://unknown.example/hook",
    ],
)
async def test_a_public_address_or_a_name_unknown_for_now_is_taken(guard: UrlGuard, url: str) -> None:
    assert await refusal(guard, url) == ""


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1/", "URL_NOT_ALLOWED"),
        ("http://private.example/", "URL_NOT_ALLOWED"),
        ("http://localhost/", "URL_NOT_ALLOWED"),
        ("ftp://good.example/", "INVALID_URL"),
        ("http://user@good.example/", "INVALID_URL"),
    ],
)
async def test_the_code_says_whether_the_url_or_its_place_is_wrong(
    guard: UrlGuard, url: str, code: str
) -> None:
    assert await refusal(guard, url) == code


async def test_a_denied_port_is_refused_when_saved_and_at_connect() -> None:
    guard = UrlGuard(denied_ports=frozenset({25, 6379}), look_up=look_up)

    assert await refusal(guard, "http://good.example:6379/") == "URL_NOT_ALLOWED"
    assert await refusal(guard, "http://good.example:6380/") == ""
    with pytest.raises(AddressNotAllowed):
        guard.open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("93.184.215.14", 25)))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://localhost:8080/", ""),
        ("http://127.0.0.1:8080/", ""),
        ("http://10.1.2.3/", ""),
        ("http://100.64.0.1/", ""),
        ("http://[::1]/", ""),
        ("http://[fd00::1]/", ""),
        ("http://private.example/", ""),
        ("http://169.254.169.254/", "URL_NOT_ALLOWED"),
        ("http://0.0.0.0/", "URL_NOT_ALLOWED"),
        ("http://[::ffff:127.0.0.1]/", "URL_NOT_ALLOWED"),
        ("http://[fe80::1]/", "URL_NOT_ALLOWED"),
        ("http://224.0.0.1/", "URL_NOT_ALLOWED"),
        ("http://2130706433/", "INVALID_URL"),
    ],
)
async def test_private_networks_may_be_allowed_but_link_local_ones_never(url: str, code: str) -> None:
    guard = UrlGuard(allow_private_networks=True, look_up=look_up)

    assert await refusal(guard, url) == code


@pytest.mark.parametrize(
    ("allow_private", "advice"), [(False, "PONTE_WEBHOOK_ALLOW_PRIVATE_NETWORKS"), (True, "never allowed")]
)
async def test_the_refusal_says_what_can_be_done(allow_private: bool, advice: str) -> None:
    guard = UrlGuard(allow_private_networks=allow_private, look_up=look_up)

    with pytest.raises(PonteError) as refused:
        await guard.check("http://169.254.169.254/")

    assert advice in refused.value.violations[0].description


async def test_only_allowed_addresses_of_a_name_are_connected_to(guard: UrlGuard) -> None:
    resolved = await guard.resolver.resolve("mixed.example", 443, socket.AF_UNSPEC)

    assert [entry["host"] for entry in resolved] == ["93.184.215.14"]


async def test_a_name_with_private_addresses_only_is_not_connected_to(guard: UrlGuard) -> None:
    with pytest.raises(AddressNotAllowed):
        await guard.resolver.resolve("private.example", 443, socket.AF_UNSPEC)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
def test_no_socket_is_opened_to_a_private_address(guard: UrlGuard, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with pytest.raises(AddressNotAllowed):
        guard.open_socket((family, socket.SOCK_STREAM, 0, "", (address, 443)))


def test_a_socket_is_opened_to_a_public_address(guard: UrlGuard) -> None:
    with guard.open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("93.184.215.14", 443))) as opened:
        assert opened.family == socket.AF_INET


async def test_a_look_up_that_takes_too_long_is_left_to_the_check_at_connect() -> None:
    async def never(host: str) -> Sequence[str]:
        raise TimeoutError

    assert await refusal(UrlGuard(look_up=never), "https://good.example/") == ""


def test_what_is_no_address_is_not_allowed() -> None:
    assert not is_allowed("localhost", allow_private=True)


async def test_the_systems_names_are_used_by_default() -> None:
    assert await UrlGuard(allow_private_networks=True).allowed_addresses("localhost")
    with pytest.raises(AddressNotAllowed):
        await UrlGuard().allowed_addresses("localhost")
    with pytest.raises(OSError, match=r".+"):
        await UrlGuard().allowed_addresses("no-such-name.invalid")
