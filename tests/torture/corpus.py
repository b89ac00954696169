"""What the fields of a request are made from: what is valid, what is nearly, what never was."""

from __future__ import annotations

METHODS = [b"GET", b"HEAD", b"PUT", b"PATCH", b"POST", b"DELETE", b"OPTIONS", b"TRACE", b"get",
           b"FOO"]  # fmt: skip

FITTING = [(b"", b"GET"), (b"", b"HEAD"), (b"/items/", b"PUT"), (b"/items/", b"PUT"),
           (b"/items/", b"PATCH"), (b"/items/", b"PATCH"), (b"/items/", b"DELETE"),
           (b"/items", b"POST"), (b"/revert", b"POST"), (b"/revert", b"POST")]  # fmt: skip
"""A part of a path, and a method that the resource has: so that most inputs get far."""

PATHS = [*[b"/items/%s"] * 16, *[b"/items"] * 3, *[b"/items/%s/events", b"/events"] * 2,
         b"/items/%s/versions", b"/items/%s/versions/%s", b"/items/%s/versions/%s/diff",
         b"/items/%s/revert", b"/items/", b"/projections", b"/stats", b"/problems/%s", b"/metrics",
         b"/", b"/livez", b"/readyz", b"/docs", b"/openapi.json", b"/%s"]  # fmt: skip

IDS = [*[b"a", b"b", b"c"] * 10, b"a%2Fb", b"%C3%A9", b"%F0%9F%98%80", b"\xc3\xa9", b"x" * 512,
       b"x" * 513, b"%C3%A9" * 256, b".", b"..", b"%2E", b"%2e%2E", b"", b"%", b"%4", b"%zz",
       b"%00", b"%0a", b"%C2%80", b"%FF", b"%ED%A0%80", b"%EF%BF%BE", b"item-not-found", b"a b",
       b"a;b=c", b"~", b"%E2%80%AE", b"__proto__", b"\xff\xfe"]  # fmt: skip

VERSIONS = [*[b"1", b"2", b"3"] * 3, b"0", b"-1", b"01", b"1.0", b"1e3", b"9" * 18, b"9" * 40,
            b"", b"x", b"%31", b"\xd9\xa1", b"+1", b" 1"]  # fmt: skip

POSITIONS = [b"0-0", b"1-1", b"0", b"-", b"+", b"$", b"1795425451565-0", b"9" * 15 + b"-0",
             b"9" * 15 + b"-" + b"9" * 18, b"1-" + b"9" * 19, b"9" * 20 + b"-0", b"(1-0", b"1-0-0",
             b"", b"*", b"\xd9\xa1-0"]  # fmt: skip

QUERIES: dict[bytes, list[bytes]] = {
    b"limit": [b"1", b"10", b"1000", b"0", b"1001", b"-1", b"1.5", b"1e2", b"9" * 30, b"", b"x"],
    b"after": [*POSITIONS, b"YQ", b"YQ==", b"w6k", b"8J-YgA", b"_w", b"AA", b"====", b"%00", b"Y"],
    b"prefix": [b"a", b"%C3%A9", b"%FF", b"", b"*", b"[", b"\\", b"%00", b"x" * 2000, b"(", b"-"],
    b"type": [b"ItemCreated", b"ItemDeleted", b"itemcreated", b"", b"%FF"],
    b"item": [*IDS[:16], b"%FF"],
    b"wait": [b"0", b"0.01", b"-1", b"61", b"nan", b"inf", b"1e-9", b"x", b"-0"],
    b"order": [b"asc", b"desc", b"DESC", b""],
    b"from": VERSIONS,
    b"format": [b"json", b"%00"],
    b"unknown": [b"1"],
}

DATES = [b"Mon, 23 Nov 2026 08:09:06 GMT", b"Monday, 23-Nov-26 08:09:06 GMT",
         b"Mon Nov 23 08:09:06 2026", b"Mon, 31 Feb 2026 08:09:06 GMT", b"0", b"-1", b"",
         b"Thu, 01 Jan 0001 00:00:00 GMT", b"Fri, 31 Dec 9999 23:59:60 GMT",
         b"Fri, 31 Dec 9999 23:59:59 -2400", b"Mon, 23 Nov 2026 08:09:06 +9999",
         b"Mon, 23 Nov 99999 08:09:06 GMT", b"\xff, 23 Nov 2026", b"Mon, 23 Nov 1600 08:09:06 GMT",
         b"2026-11-23T08:09:06Z", b"Sun, 06 Nov 1994 08:49:37 EST"]  # fmt: skip

TAGS = [b'"1"', b'"2"', b"*", b'W/"1"', b'"1", "2"', b'"1",,"2"', b"1", b'"', b'""', b'"1', b"",
        b'*, "1"', b'"' + b"9" * 18 + b'"', b'"' + b"9" * 40 + b'"', b'"a,b"', b'"\xe9"', b"W/*",
        b'"0"', b'"-1"', b'"01"', b'"1" "2"', b"," * 3000, b'"1",' * 3000,
        b'"' * 3001]  # fmt: skip

HEADERS: dict[bytes, list[bytes]] = {
    b"if-match": TAGS,
    b"if-none-match": TAGS,
    b"if-modified-since": DATES,
    b"if-unmodified-since": DATES,
    b"accept-datetime": DATES,
    b"if-range": [*TAGS[:4], *DATES[:3]],
    b"prefer": [b"return=minimal", b"return=representation", b"return", b'return="minimal"', b"",
                b"return=minimal, return=representation", b"a=b;c, return=minimal;x", b'"', b";",
                b"RETURN=MINIMAL", b"return=\xff", b"=,=;=", b'return="a\\"b"'],
    b"accept": [b"*/*", b"application/json", b"text/event-stream", b"application/jsonl", b"",
                b"application/cloudevents-batch+json", b"text/html", b"*/*;q=nan", b"a/b;q=1e999",
                b"text/event-stream;q=", b",,,", b";", b"text/*;q=0.5, */*;q=inf", b"\xff/\xff",
                b"application/link-format", b"application/json;q=-1", b"a/b;q=1;q=0"],
    b"idempotency-key": [b"k1", b"k2", b'"k3"', b"", b'"', b"x" * 255, b"x" * 256, b"\xff", b"a b",
                         b'"a"b"', b"a:b", b"*"],
    b"authorization": [b"Bearer x", b"Bearer", b"Bearer ", b"bearer x", b"Basic eDp5", b"\xff", b"",
                       b"Bearer " + b"x" * 5000, b"Bearer \xc3\xa9", b"Bearer a b"],
    b"content-type": [b"application/json", b"application/json", b"application/merge-patch+json",
                      b"application/json-patch+json", b"application/json; charset=utf-8", b"",
                      b"application/json; charset=latin-1", b"text/plain", b"application/JSON;",
                      b'application/json; charset="', b"\xff"],
    b"content-encoding": [b"identity", b"gzip", b"", b"\xff"],
    b"content-length": [b"0", b"2", b"99999999999999999999", b"-1", b"x", b"1_0", b"\xb2", b""],
    b"content-range": [b"bytes 0-1/2", b""],
    b"range": [b"bytes=0-1", b"bytes=-", b"bytes=9-1", b"x", b"\xff"],
    b"last-event-id": POSITIONS,
    b"traceparent": [b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", b"00-x", b"", b"\xff"],
    b"host": [b"a.b", b"localhost", b"", b"[::1]:80", b"x:99999", b"\xff", b"<script>", b"a/b"],
    b"origin": [b"http://evil", b"null", b"\xff"],
    b"access-control-request-method": [b"PUT", b""],
    b"x-forwarded-prefix": [b"/a", b"//evil"],
    b"expect": [b"100-continue", b"x"],
}  # fmt: skip

JSON = [*[b'{"name":"a","size":1}', b"{}"] * 20, b'{"size":null}',
       b'{"name":"\\u00e9\\ud83d\\ude00"}',
        b'{"name":"\\ud800"}', b'{"size":1e400}', b'{"size":1.0}', b'{"size":' + b"9" * 5000 + b"}",
        b'{"size":-9223372036854775809}', b'{"size":18446744073709551616}', b'{"name":1}', b"[]",
        b'{"a":1}', b'{"size":1,"size":2}', b"null", b"NaN", b'{"size":NaN}', b'{"size":-Infinity}',
        b"", b" ", b"\xef\xbb\xbf{}", b'{"name":"\xff"}', b'{"name":"\x00"}', b'{"name":"\\u0000"}',
        b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"[" * 190 + b"]" * 190,
        b'{"name":"' + b"x" * 70_000 + b'"}', b"\xff\xfe{\x00}\x00", b'{"__proto__":{}}', b'{"":1}',
        b'{"size":1e308}', b'{"size":-0}', b'{"version":1}', b'{"version":99}', b'{"version":"1"}',
        b'{"version":1e0}', b'{"size":0.1e1}', b"1" * 5000, b'"a"', b'{"name":"\\',
        b'{"version":' + b"9" * 30 + b"}", b'{"version":true}', b'{"version":0}']  # fmt: skip

PATCHES = [*[b'[{"op":"replace","path":"/size","value":2}]', b"[]"] * 6,
       b'[{"op":"test","path":"/size"}]',
           b'[{"op":"test","path":"/size","value":1}]', b'[{"op":"remove","path":"/name"}]',
           b'[{"op":"add","path":"/x","value":1}]',
           b'[{"op":"move","from":"/name","path":"/size"}]',
           b'[{"op":"copy","from":"","path":"/name"}]', b'[{"op":"move","from":"","path":"/a"}]',
           b'[{"op":"replace","path":"","value":{}}]', b'[{"op":"replace","path":"","value":1}]',
           b'[{"op":"add","path":"/-","value":1}]', b'[{"op":"add","path":"/name/0","value":1}]',
           b'[{"op":"add","path":"/~2","value":1}]', b'[{"op":"add","path":"x","value":1}]',
           b'[{"op":"add","path":1,"value":1}]', b'[{"op":"add","path":null,"value":1}]',
           b'[{"op":1,"path":""}]', b'[{"op":[],"path":""}]', b'[{"op":"x","path":""}]', b"[1]",
           b"[null]", b"[[]]", b'["a"]', b'{"op":"test"}', b'[{"path":""}]',
           b'[{"op":"remove","path":""}]',
           b'[{"op":"remove","path":"/nowhere"}]', b'[{"op":"copy","from":1,"path":"/a"}]',
           b'[{"op":"copy","from":"/nowhere","path":"/a"}]',
           b'[{"op":"test","path":"/a/-","value":1}]',
           b'[{"op":"add","path":"/name/1e9","value":1}]', b'[{"op":"remove","path":"/name/-1"}]',
           b'[{"op":"add","path":"/' + b"9" * 5000 + b'","value":1}]',
           b'[{"op":"test","path":"","value":{"size":1,"name":"a"}}]',
           b"[" + b'{"op":"copy","from":"","path":"/a"},' * 30 + b'{"op":"remove","path":""}]',
           b'[{"op":"replace","path":"/size","value":' + b"9" * 5000 + b"}]",
           b"[" + b'{"op":"test","path":"/size","value":1},' * 1000 + b"1]"]  # fmt: skip

SIGNS = [b"\x00", b"\xff", b"%", b"%00", b"/", b"\\", b'"', b"'", b",", b";", b"=", b"{", b"[",
         b":", b"\n", b"\r\n", b"\t", b" ", b"-", b"0", b"9" * 25, b"\xc3", b"\xed\xa0\x80",
         b"\xe2\x80\xa8", b"*", b"?", b"#", b"&", b"+", b"$", b"1e999", b"null", b"\\u0000",
         b"\\ud800", b"x" * 700]  # fmt: skip
