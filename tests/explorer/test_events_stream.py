"""How the page reads the live log: pieces of a stream that may be cut anywhere."""

from __future__ import annotations

import json

from tests.explorer.pages import Explorer

STREAM = (
    "retry: 1000\r\n\r\n: hello\r\n"
    "id: 1-0\revent: ItemCreated\rdata: 1\rdata:2 é🦊\r\r"
    "id: 2-0\nevent: ItemUpdated\ndata: \n\n"
    "event: nothing\n\n: cut off for being too slow; resume with Last-Event-ID\ndata: half of"
)

READ = """async ([stream, size]) => {
  const { ServerSentEvents } = await import("./explorer/server_sent_events.js");
  const events = new ServerSentEvents();
  const found = [];
  for (let begin = 0; begin < stream.length; begin += size) {
    found.push(...events.read(stream.slice(begin, begin + size)));
  }
  return found;
}"""

FOLLOW = """async (answers) => {
  const { followEvents } = await import("./explorer/events_stream.js");
  const asked = [];
  const ask = fetch;
  window.fetch = async (url, { headers }) => {
    asked.push([url.search, headers["Last-Event-ID"] ?? null]);
    const { status, text } = answers.shift();
    return new Response(text, { status, headers: { "Log-Id": "mine" } });
  };
  const came = [];
  const said = [];
  await new Promise((ended) => {
    const following = followEvents({
      query: { type: "ItemCreated", since: "2026-11-23T08:09:06Z" },
      onEvents: (events) => came.push(...events.map(({ id }) => id)),
      onState: (now) => {
        said.push([now.state, now.reason ?? null]);
        if (now.state === "gone") following.tryNow();
        if (now.state === "ended") ended();
      },
    });
  });
  window.fetch = ask;
  return { asked, came, said };
}"""


def test_a_stream_means_the_same_wherever_it_is_cut(explorer: Explorer) -> None:
    """Also between CR and LF, and within an event; the half of one counts for nothing."""
    page = explorer.open("home")
    for size in (1, 2, 3, 5, 7, len(STREAM)):
        assert page.evaluate(READ, [STREAM, size]) == [
            {"comment": "hello"},
            {"id": "1-0", "type": "ItemCreated", "data": "1\n2 é🦊"},
            {"id": "2-0", "type": "ItemUpdated", "data": ""},
            {"comment": "cut off for being too slow; resume with Last-Event-ID"},
        ]


def test_a_stream_goes_on_after_its_last_event_until_the_store_has_another_log(
    explorer: Explorer,
) -> None:
    """The reason is what the store said last; filters stay, and the time to begin at goes."""
    page = explorer.open("home")
    detail = "Another log took the place of this one meanwhile."
    problem = {"type": "/problems/other-log", "status": 409, "detail": detail}
    answers = [
        {"status": 200, "text": "id: 1-0\ndata: {}\n\nid: 2-0\ndata: {}\n\nid: 3-0\nda"},
        {"status": 200, "text": ": cut off for being too slow; resume with Last-Event-ID\n"},
        {"status": 503, "text": json.dumps({"detail": "The engine is away."})},
        {"status": 409, "text": json.dumps(problem)},
    ]

    found = page.evaluate(FOLLOW, answers)

    filters = "?type=ItemCreated"
    assert found["came"] == ["1-0", "2-0"]
    assert found["asked"] == [
        [f"{filters}&since=2026-11-23T08%3A09%3A06Z", None],
        *[[f"{filters}&log=mine", "2-0"]] * 3,
    ]
    assert [each for each in found["said"] if each[0] in {"gone", "ended"}] == [
        ["gone", "The connection was closed."],
        ["gone", "The store ended the stream: cut off for being too slow."],
        ["gone", "The engine is away."],
        ["ended", detail],
    ]
