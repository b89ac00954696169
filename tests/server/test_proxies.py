"""What a proxy says of a request: believed where the operator trusts it, else not."""

from __future__ import annotations

import pytest

from itemstore.server.ends import Ends
from itemstore.server.proxies import NotAProxy, Proxies
from itemstore.server.request_head import without_root
from tests.server.bare_app import running_with

PROXY = Ends("http", ("10.0.0.1", 8000), ("10.0.0.9", 5000))


def client_of(senders: str, trusted: str = "10.0.0.0/8") -> str:
    """Who sent a request that came from PROXY with this X-Forwarded-For."""
    ends = Proxies(trusted).ends(PROXY, [(b"x-forwarded-for", senders.encode())])
    assert ends.client is not None
    host, port = ends.client
    return f"{host} {port}"


@pytest.mark.parametrize(
    ("trusted", "client"),
    [
        ("10.0.0.9", "10.0.0.9"),
        ("192.0.2.1, 10.0.0.0/8", "10.0.0.9"),
        ("*", "203.0.113.5"),
        ("127.0.0.1,::1", "::ffff:127.0.0.1"),
        ("2001:db8::/32", "2001:db8::5"),
    ],
)
def test_a_proxy_is_trusted_by_its_address_or_its_network(trusted: str, client: str) -> None:
    """Or whatever it has, with *."""
    assert Proxies(trusted).trust(Ends("http", ("10.0.0.1", 8000), (client, 1)))


@pytest.mark.parametrize("client", ["10.0.0.8", "::1", "shop", ""])
def test_others_are_not(client: str) -> None:
    """Also those whose name is no address."""
    assert not Proxies("10.0.0.9").trust(Ends("http", ("10.0.0.1", 8000), (client, 1)))


def test_who_comes_through_a_unix_socket_is_trusted() -> None:
    """The mode of its file has let it in. A connection of which nothing is known is not one."""
    assert Proxies("10.0.0.9").trust(Ends("http", ("/run/http.sock", None), None))
    assert not Proxies("10.0.0.9").trust(Ends("http", None, None))


@pytest.mark.parametrize("name", ["", "shop", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.1,*", "1,,2"])
def test_what_is_no_address_is_refused(name: str) -> None:
    """A network with bits of a host is one too: somebody meant something else."""
    with pytest.raises(NotAProxy, match="addresses and networks"):
        Proxies(name)


@pytest.mark.parametrize(
    ("senders", "client"),
    [
        ("203.0.113.5", "203.0.113.5 0"),
        ("203.0.113.5:4711", "203.0.113.5 4711"),
        ("[2001:db8::1]:4711", "2001:db8::1 4711"),
        ("[2001:db8::1]", "2001:db8::1 0"),
        ("2001:db8::1", "2001:db8::1 0"),
        ("198.51.100.1, 203.0.113.5, 10.1.1.1", "203.0.113.5 0"),
        ("10.2.2.2, 10.1.1.1", "10.2.2.2 0"),
        ("unknown, 10.1.1.1", "10.1.1.1 0"),
        ("unknown", "10.0.0.9 5000"),
        ("", "10.0.0.9 5000"),
        ("203.0.113.5:port", "203.0.113.5 0"),
        ("203.0.113.5\r\nx", "10.0.0.9 5000"),
    ],
)
def test_the_client_is_the_last_sender_that_is_no_trusted_proxy(senders: str, client: str) -> None:
    """Those in front of it may be made up; where all are trusted it is the first."""
    assert client_of(senders) == client


def test_where_all_are_trusted_the_first_sender_is_the_client() -> None:
    """That is what * means."""
    assert client_of("203.0.113.5, 198.51.100.1", "*") == "203.0.113.5 0"


def test_several_fields_are_one_list() -> None:
    """RFC 9110 §5.3; each proxy may add a field of its own."""
    fields = [(b"x-forwarded-for", b"203.0.113.5"), (b"x-forwarded-for", b"10.1.1.1")]
    assert Proxies("10.0.0.0/8").ends(PROXY, fields).client == ("203.0.113.5", 0)


@pytest.mark.parametrize(
    ("said", "scheme"),
    [("https", "https"), ("HTTPS, http", "https"), ("http, https", "http"), ("httpsx", "http")],
)
def test_the_first_of_several_proxies_says_whether_it_was_tls(said: str, scheme: str) -> None:
    """And what it says is one of two words."""
    ends = Proxies("*").ends(PROXY, [(b"x-forwarded-proto", said.encode())])
    assert ends == PROXY._replace(scheme=scheme)


FORWARDED = b"X-Forwarded-For: 203.0.113.5\r\nX-Forwarded-Proto: https\r\n\r\n"


@pytest.mark.parametrize(
    ("trusted", "told"),
    [("127.0.0.1", "https ('203.0.113.5', 0)"), ("192.0.2.1", "http ('127.0.0.1', ")],
)
async def test_an_application_is_told_of_the_client_and_not_of_a_trusted_proxy(
    trusted: str, told: str
) -> None:
    """Who is not trusted is the client itself, whatever it says of others."""
    async with running_with(forwarded_allow_ips=trusted) as running:
        answer = await running.answers(b"GET /who HTTP/1.1\r\nHost: localhost\r\n" + FORWARDED)
    assert told in answer.decode()


@pytest.mark.parametrize(
    ("path", "own"),
    [
        (b"/shop/items", b"/items"),
        (b"/items", b"/items"),
        (b"/shop", b"/"),
        (b"/shop/", b"/"),
        (b"/shopping", b"/shopping"),
        (b"/shop/shop/items", b"/shop/items"),
        (b"*", b"*"),
    ],
)
def test_a_path_may_have_the_prefix_of_a_proxy_or_not(path: bytes, own: bytes) -> None:
    """Some take it off, and monitoring does not go through one."""
    assert without_root(path, b"/shop") == own
