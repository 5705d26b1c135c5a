import { describe, expect, it } from "vitest";
import { defineAgent, type StoredEvent } from "../src/index.ts";
import { eventsOf, gate, MortalJournal, opened, rejection } from "./coordinator.fixture.ts";

const worker = defineAgent({ name: "worker", capacity: 10, run: (task) => task.input });

describe("events", () => {
  it("tell all that happened, in order, without gaps", async () => {
    const coordinator = await opened();
    await coordinator.register(worker);
    await (await coordinator.submit({ id: "x", input: { a: 1 } })).result();
    const events = await eventsOf(coordinator);
    expect(events.map(({ type }) => type)).toEqual([
      "coordinator.opened",
      "agent.registered",
      "task.submitted",
      "task.started",
      "task.completed",
    ]);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(events[2]).toMatchObject({ v: 1, taskId: "x", input: { a: 1 }, at: expect.any(Number) });
  });

  it("begin where it is asked for, and end with what was asked for before", async () => {
    const coordinator = await opened();
    const submitted = coordinator.submit([{ id: "a" }, { id: "b" }]);
    const seen: number[] = [];
    for await (const event of coordinator.events({ from: 3 })) seen.push(event.seq);
    await submitted;
    expect(seen).toEqual([3]);
    const none: StoredEvent[] = [];
    for await (const event of coordinator.events({ from: 99 })) none.push(event);
    expect(none).toEqual([]);
  });

  it("follow what comes, until the signal is aborted", async () => {
    const coordinator = await opened();
    await coordinator.register(worker);
    const controller = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of coordinator.events({ follow: true, signal: controller.signal })) {
        seen.push(`${event.seq} ${event.type}`);
        if (event.type === "task.completed" && event.taskId === "b") controller.abort();
      }
    })();
    await (await coordinator.submit({ id: "a" })).result();
    await (await coordinator.submit({ id: "b" })).result();
    await reading;
    expect(seen).toEqual((await eventsOf(coordinator)).map((event) => `${event.seq} ${event.type}`));
  });

  it("end when the coordinator is closed", async () => {
    const coordinator = await opened();
    const seen: string[] = [];
    const following = gate();
    const reading = (async () => {
      for await (const event of coordinator.events({ follow: true })) {
        seen.push(event.type);
        following.resolve();
      }
    })();
    await following.promise;
    await coordinator.close();
    await reading;
    expect(seen[0]).toBe("coordinator.opened");
    expect(await rejection(eventsOf(coordinator))).toMatchObject({ code: "CLOSED" });
  });

  it("can be left at any time, by any number of readers at their own pace", async () => {
    const coordinator = await opened();
    await coordinator.register(worker);
    const slow = coordinator.events({ follow: true })[Symbol.asyncIterator]();
    expect((await slow.next()).value?.seq).toBe(1);
    const handles = await coordinator.submit(Array.from({ length: 50 }, (_, input) => ({ input })));
    await Promise.all(handles.map((handle) => handle.result()));
    for await (const event of coordinator.events({ follow: true })) if (event.seq === 100) break;
    expect((await slow.next()).value?.seq).toBe(2);
    await slow.return?.();
    await coordinator.submit({});
  });

  it("are shown only when they are durable", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal });
    await coordinator.register(worker);
    const before = await eventsOf(coordinator);
    const held = gate();
    journal.slow = held.promise;
    let answered = false;
    const submitted = coordinator.submit({ id: "x" }).then(() => {
      answered = true;
    });
    const listed = coordinator.tasks();
    const reader = coordinator.events({ from: before.length + 1, follow: true })[Symbol.asyncIterator]();
    const first = reader.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(answered).toBe(false);
    expect(await Promise.race([listed, "nothing"])).toBe("nothing");
    expect(await Promise.race([first, "nothing"])).toBe("nothing");
    held.resolve();
    await submitted;
    expect(await listed).toHaveLength(1);
    expect((await first).value).toMatchObject({ type: "task.submitted" });
    await reader.return?.();
  });

  it("refuse options that are not as described", async () => {
    const coordinator = await opened();
    for (const options of [{ from: 0 }, { from: 1.5 }, { follow: 1 }, { signal: {} }, { since: 1 }]) {
      const reading = coordinator
        .events(options as never)
        [Symbol.asyncIterator]()
        .next();
      expect(await rejection(reading)).toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});

describe("progress", () => {
  it("is told to those who listen, while it is made", async () => {
    const coordinator = await opened();
    const seen: unknown[] = [];
    const stop = coordinator.onProgress((progress) => seen.push(progress));
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: (_, { progress }) => {
          progress(0.1, "beginning");
          for (let i = 0; i < 1_000; i++) progress(0.5);
          progress(1, "done");
        },
      }),
    );
    await (await coordinator.submit({ id: "x" })).result();
    stop();
    await (await coordinator.submit({ id: "y" })).result();
    expect(seen[0]).toMatchObject({ taskId: "x", agent: "worker", attempt: 1, fraction: 0.1, note: "beginning" });
    expect(seen.at(-1)).toMatchObject({ taskId: "x", fraction: 1, note: "done" });
    expect(seen.length).toBeLessThan(20);
  });
});
