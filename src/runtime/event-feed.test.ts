import { expect, it } from "vitest";
import { seal } from "../journal/codec.ts";
import { MemoryJournal } from "../journal/memory.ts";
import type { KernelEvent } from "../kernel/events.ts";
import { EventFeed } from "./event-feed.ts";

/** A journal with records of two events each. */
async function journalOf(records: number): Promise<MemoryJournal> {
  const journal = new MemoryJournal();
  const { epoch, lastHash } = await journal.open();
  let prevHash = lastHash;
  for (let n = 0; n < records; n++) {
    const events: KernelEvent[] = [1, 2].map((i) => ({
      type: "task.resumed",
      v: 1,
      seq: 2 * n + i,
      at: n,
      taskId: `t${i}`,
    }));
    const record = seal(events, { firstSeq: 2 * n + 1, epoch, prevHash });
    prevHash = record.hash;
    await journal.append(record, 2 * n);
  }
  return journal;
}

async function seqs(events: AsyncIterable<{ readonly seq: number }>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { seq } of events) seen.push(seq);
  return seen;
}

it("shows nothing that is not known to be durable, though the journal has it", async () => {
  const feed = new EventFeed(await journalOf(5), 3);
  expect(await seqs(feed.read({ from: 2 }))).toEqual([2, 3]);
  const follower = feed.read({ from: 3, follow: true });
  expect((await follower.next()).value?.seq).toBe(3);
  const next = follower.next();
  expect(await Promise.race([next, new Promise((resolve) => setImmediate(resolve, "nothing"))])).toBe("nothing");
  feed.grow(10);
  expect((await next).value?.seq).toBe(4);
  await follower.return();
});

it("ends with what was durable when the reading began", async () => {
  const feed = new EventFeed(await journalOf(5), 4);
  const reading = feed.read({});
  expect((await reading.next()).value?.seq).toBe(1);
  feed.grow(10);
  expect(await seqs(reading)).toEqual([2, 3, 4]);
});

it("ends quietly when it is stopped, and fails when it is stopped with an error", async () => {
  const journal = await journalOf(1);
  const quiet = new EventFeed(journal, 2);
  const reading = seqs(quiet.read({ follow: true }));
  await new Promise((resolve) => setImmediate(resolve));
  quiet.stop();
  expect(await reading).toEqual([1, 2]);
  const failing = new EventFeed(journal, 2);
  const failed = seqs(failing.read({ follow: true }));
  const error = new Error("gone") as never;
  failing.stop(error);
  await expect(failed).rejects.toBe(error);
});

it("ends when its signal is aborted, also while it waits", async () => {
  const feed = new EventFeed(await journalOf(1), 2);
  const controller = new AbortController();
  const reading = seqs(feed.read({ follow: true, signal: controller.signal }));
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  expect(await reading).toEqual([1, 2]);
  expect(await seqs(feed.read({ signal: controller.signal }))).toEqual([]);
});
