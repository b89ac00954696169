/** Shows each part of the client on a store: node built/main.js [URL] */
import { Refused } from "./problems.js";
import { Store } from "./store.js";

const store = new Store(process.argv[2] ?? "http://localhost:8000");

const created = await store.put("foo", { name: "Fighters", size: 6 }, "absent");
console.log("created", created.created, "version", created.version);

const patched = await store.patch("foo", { size: 7 }, created.version);
console.log("patched", patched.item, "version", patched.version);

try {
  await store.put("foo", { name: "Foxes" }, created.version);
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.log("refused", error.status, "the version is", error.problem.version);
}

// Ten at a time: who comes too late looks again, and nothing is lost.
const one = () => store.update("foo", (item) => ({ ...item, size: (item?.size ?? 0) + 1 }));
await Promise.all(Array.from({ length: 10 }, one));
console.log("updated", (await store.get("foo"))?.item);

for await (const each of store.items()) console.log("listed", each.id, "version", each.version);

await store.delete("foo", "present");
const types: string[] = [];
for await (const event of store.history("foo")) types.push(event.type);
console.log("history", types.length, "events, at last", types.at(-1));

for await (const { event } of store.follow()) {
  console.log("followed", event.type, event.subject, event.itemversion);
  if (event.type === "ItemDeleted") break;
}
