"""How the page goes back in a log whose pages go forward only, whatever the log is like."""

from __future__ import annotations

from tests.explorer.pages import Explorer

GO_BACK = """async ([positions, end]) => {
  const { WayBack } = await import("./explorer/log/pages.js");
  const { compare, withoutPartition } = await import("./explorer/log/positions.js");
  const ask = fetch;
  let asked = 0;
  window.fetch = async (request) => {
    asked += 1;
    const query = new URL(request.url).searchParams;
    const since = query.has("since") ? `${Date.parse(query.get("since")) - 1}-99999` : "0-0";
    const after = query.get("after") ?? since;
    const isAfter = (each) => compare(withoutPartition(each), after) > 0;
    const left = after.startsWith("v")
      ? positions.slice(Number(after.slice(1)) + 1)
      : positions.filter(isAfter);
    const page = left.slice(0, Number(query.get("limit")));
    const last = page.at(-1);
    const cursor = last?.includes("@") ? `v${positions.indexOf(last)}` : last;
    const next = left.length > page.length && cursor;
    const events = page.map((id) => ({ id, source: "/orders", subject: "a", data: { id } }));
    const link = next ? { Link: `</events?after=${next}>; rel="next"` } : {};
    return new Response(JSON.stringify(events), { headers: { "Log-Id": "mine", ...link } });
  };
  const wayBack = new WayBack({ time: end, filters: {} });
  const found = [];
  while (!wayBack.isAtStart) {
    const { events } = await wayBack.older({ log: "mine" });
    found.unshift(...events.map(({ id }) => id));
  }
  window.fetch = ask;
  return { found, asked };
}"""

NOW = 1_795_818_183_000
DAY = 86_400_000

LOGS = {
    "empty": [],
    "one event long ago": ["5-0"],
    "now and then for decades": [f"{NOW - DAY * 37 * n}-0" for n in range(400, 0, -1)],
    "thousands at once, and then nothing for long": [
        *(f"{NOW - 30 * DAY + n}-0" for n in range(2000)),
        f"{NOW}-0",
    ],
    "thousands in a millisecond": [
        f"{NOW - 1}-0",
        *(f"{NOW}-{n}" for n in range(2000)),
    ],
    "thousands in four partitions": [
        *(f"{NOW - 30 * DAY + n // 4}-0@{n % 4}" for n in range(2000)),
        *(f"{NOW}-{n // 4}@{n % 4}" for n in range(2000)),
    ],
    "hundreds at once, again and again": [
        f"{NOW - 1000 * minute}-{n}" for minute in range(20, 0, -1) for n in range(150)
    ],
}


def test_all_events_are_found_once_and_in_order(explorer: Explorer) -> None:
    """And in few requests: a page's worth of events takes ten of them at most."""
    page = explorer.open("home")
    for name, positions in LOGS.items():
        end = int(positions[-1].split("-")[0]) if positions else 0
        done = page.evaluate(GO_BACK, [positions, end])
        assert done["found"] == positions, name
        assert done["asked"] <= 40 + len(positions) // 20, name


def test_where_the_end_is_not_known_what_came_later_is_found_too(explorer: Explorer) -> None:
    """Who is bound to prefixes is not told where the log ends; its clock may be ahead as well."""
    page = explorer.open("home")
    positions = [f"{NOW + n}-0" for n in range(3000)]
    assert page.evaluate(GO_BACK, [positions, NOW - DAY])["found"] == positions
