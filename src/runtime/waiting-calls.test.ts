/** Calls wait for the journal, and only so many do. */
import { expect, onTestFinished, test } from "vitest";
import { defineAgent } from "../agents/function.ts";
import { isSafeguardsError } from "../errors.ts";
import { MemoryJournal } from "../journal/memory.ts";
import { SystemClock } from "./clock.ts";
import { LocalBackend } from "./local-backend.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

async function opened(): Promise<LocalBackend> {
  const backend = await LocalBackend.open({
    journal: new MemoryJournal(),
    logger: silent,
    settings: {},
    resources: [],
    clock: (notBefore) => new SystemClock(notBefore),
    waitingLimits: { calls: 3, bytes: 100 },
  });
  onTestFinished(() => backend.close());
  return backend;
}

/** What became of each, in a word. */
async function ends(calls: readonly Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((one) => {
    if (one.status === "fulfilled") return "answered";
    return isSafeguardsError(one.reason) ? `${one.reason.code}: ${one.reason.message}` : "odd";
  });
}

const full = "QUEUE_FULL: 3 calls wait to be decided: that is the most";

test("more than may wait are refused, whatever they ask for; then there is room again", async () => {
  const backend = await opened();
  const submit = (id: string) => backend.command({ type: "task.submit", tasks: [{ id }] });
  const calls = [submit("a"), submit("b"), backend.query("settled", undefined), submit("c")];
  expect(await ends([...calls, backend.query("settled", undefined)])).toEqual([
    "answered",
    "answered",
    "answered",
    full,
    full,
  ]);
  expect(await ends([submit("c")])).toEqual(["answered"]);
});

test("so are those that come when what waits has more bytes than it may, however few they are", async () => {
  const backend = await opened();
  const submit = (id: string, bytes: number) => backend.command({ type: "task.submit", tasks: [{ id }] }, { bytes });
  expect(await ends([submit("a", 99), submit("b", 1_000), submit("c", 1)])).toEqual([
    "answered",
    "answered",
    "QUEUE_FULL: the calls that wait to be decided have 1099 bytes: 100 are the most",
  ]);
  expect(await ends([submit("c", 1_000)])).toEqual(["answered"]);
  expect(await ends([submit("d", 99), submit("e", 1), submit("f", 1)])).toEqual([
    "answered",
    "answered",
    "QUEUE_FULL: the calls that wait to be decided have 100 bytes: 100 are the most",
  ]);
});

test("so it is for what running attempts ask for", async () => {
  const backend = await opened();
  const flood = defineAgent({
    name: "flood",
    run: async (_, { state, send, budget }) => {
      const reading = await ends(Array.from({ length: 5 }, () => state.get("k")));
      const telling = await ends([state.set("k", 1), send("flood", 1), budget.spend(1), budget.spend(1)]);
      return [reading, telling];
    },
  });
  await backend.register(flood, () => undefined);
  await backend.command({ type: "task.submit", tasks: [{ id: "a" }] });
  expect(await backend.outcome("a")).toMatchObject({
    output: [
      ["answered", "answered", "answered", full, full],
      ["answered", "answered", "answered", full],
    ],
  });
});

test("one that is full can be closed", async () => {
  const backend = await opened();
  const calls = ["a", "b", "c"].map((id) => backend.command({ type: "task.submit", tasks: [{ id }] }));
  const closing = backend.close();
  expect(await ends([...calls, closing])).toEqual(["answered", "answered", "answered", "answered"]);
});
