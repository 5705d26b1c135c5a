import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import { SharedCache } from "./shared-cache.ts";

const never = new AbortController().signal;

function cacheAt(bounds?: { entries: number; bytes: number }): {
  readonly cache: SharedCache;
  readonly time: { now: number };
  /** What tasks are known to wait for, beside what the cache is told. */
  readonly ahead: Map<string, readonly string[]>;
  get(
    key: string,
    load: () => Promise<Json> | Json,
    ttlMs?: number,
    signal?: AbortSignal,
    taskId?: string,
  ): Promise<Json>;
} {
  const time = { now: 1_000 };
  const ahead = new Map<string, readonly string[]>();
  const cache = new SharedCache(
    () => time.now,
    (id) => ahead.get(id) ?? [],
    bounds,
  );
  return {
    cache,
    time,
    ahead,
    get: (key, load, ttlMs = 100, signal = never, taskId = "t") =>
      cache.get({ taskId, key, ttlMs, load: async () => load(), signal }),
  };
}

describe("what was loaded", () => {
  test("answers until it is too old for who loaded it, or for who asks", async () => {
    const { get, time } = cacheAt();
    let loads = 0;
    const load = () => ++loads;
    expect(await get("k", load, 100)).toBe(1);
    time.now += 99;
    expect(await get("k", load, 1_000)).toBe(1);
    expect(await get("k", load, 99)).toBe(2);
    time.now += 99;
    expect(await get("k", load, 1_000)).toBe(3);
  });

  test("is a copy for each, and nothing that they do to it is seen by others", async () => {
    const { get } = cacheAt();
    const original = { list: [1] };
    const first = await get("k", () => original);
    original.list.push(2);
    Reflect.set(Object(first), "list", "spoilt");
    expect(await get("k", () => null)).toEqual({ list: [1] });
  });

  test("must be JSON; nothing is null", async () => {
    const { get } = cacheAt();
    await expect(get("k", (() => new Map()) as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await get("k", (() => undefined) as never)).toBe(null);
  });

  test("with a ttl of 0 answers only those who ask while it is loaded", async () => {
    const { get, cache } = cacheAt();
    let loads = 0;
    expect(await Promise.all([get("k", () => ++loads, 0), get("k", () => ++loads, 0)])).toEqual([1, 1]);
    expect(await get("k", () => ++loads, 0)).toBe(2);
    expect(cache.size).toEqual({ entries: 0, bytes: 0 });
  });
});

describe("a load that never ends", () => {
  test("is waited for no longer than its own attempt goes on", async () => {
    const { get } = cacheAt();
    const first = new AbortController();
    const hangs = get("k", () => new Promise<Json>(() => undefined), 100, first.signal);
    const follows = get("k", () => 2);
    first.abort(new Error("late"));
    await expect(hangs).rejects.toThrow("late");
    expect(await follows).toBe(2);
    expect(await get("k", () => 3)).toBe(2);
  });

  test("is forgotten with its attempt: from then on nobody who awaits a task looks at loads", async () => {
    const { cache, get } = cacheAt();
    const attempt = new AbortController();
    const awaits = () =>
      cache.awaits(
        {
          taskId: "m",
          get signal(): never {
            throw new Error("there is a load");
          },
        },
        "t",
      );
    get("k", () => new Promise<Json>(() => undefined), 100, attempt.signal).catch(() => undefined);
    await Promise.resolve();
    expect(awaits).toThrow("there is a load");
    attempt.abort();
    expect(awaits()).toBeTypeOf("function");
  });

  test("does not take the place of the next when it ends after all", async () => {
    const { get } = cacheAt();
    const first = new AbortController();
    const [slow, next] = [Promise.withResolvers<Json>(), Promise.withResolvers<Json>()];
    const stopped = get("k", () => slow.promise, 0, first.signal);
    first.abort(new Error("late"));
    await expect(stopped).rejects.toThrow("late");
    const follows = get("k", () => next.promise, 0);
    slow.resolve(1);
    await slow.promise;
    const joins = get("k", () => 3, 0);
    next.resolve(2);
    expect(await Promise.all([follows, joins])).toEqual([2, 2]);
  });
});

describe("a load that fails", () => {
  test("fails for all who wait, and is not kept", async () => {
    const { get } = cacheAt();
    const fails = () => Promise.reject(new Error("no"));
    const both = await Promise.allSettled([get("k", fails), get("k", () => 1)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await get("k", () => 2)).toBe(2);
  });

  test("since its attempt was told to stop is made up for by the next who waits", async () => {
    const { get } = cacheAt();
    const loading = new AbortController();
    const stopped = new Error("stopped");
    const first = get(
      "k",
      () => new Promise((_, reject) => loading.signal.addEventListener("abort", reject)),
      100,
      loading.signal,
    );
    const others = [get("k", () => "second"), get("k", () => "third")];
    await Promise.resolve();
    loading.abort(stopped);
    await expect(first).rejects.toBe(stopped);
    expect(await Promise.all(others)).toEqual(["second", "second"]);
  });
});

describe("a load that would wait for itself", () => {
  const keep = (): AbortSignal => new AbortController().signal;

  test("is refused at once with its own key, which is loaded anew after that", async () => {
    const { get } = cacheAt();
    await expect(get("k", () => get("k", () => 1))).rejects.toMatchObject({
      code: "WOULD_DEADLOCK",
      message: 'loads of ctx.cache would wait for one another for ever: "k" → "k"',
      details: { cycle: ["k"] },
      retryable: false,
    });
    expect(await get("k", () => 2)).toBe(2);
  });

  test("may catch the refusal, and goes on", async () => {
    const { get } = cacheAt();
    const load = () => get("k", () => 1).catch((error: Error) => Reflect.get(error, "code"));
    expect(await get("k", load)).toBe("WOULD_DEADLOCK");
  });

  test("is refused through other keys, by whichever attempt these are loaded", async () => {
    const { get } = cacheAt();
    const [one, other] = [keep(), keep()];
    const gate = Promise.withResolvers<Json>();
    const first = get("a", async () => [await gate.promise, await get("b", () => 0, 100, one)], 100, one);
    const second = get("b", () => get("c", () => get("a", () => 0, 100, other), 100, other), 100, other);
    second.catch(() => undefined);
    gate.resolve(1);
    const both = await Promise.allSettled([first, second]);
    for (const one of both)
      expect(one).toMatchObject({
        status: "rejected",
        reason: { code: "WOULD_DEADLOCK", details: { cycle: { length: 3 } } },
      });
  });

  test("is not one that asks for others, nor two that ask for the same, nor one that waits no more", async () => {
    const { get } = cacheAt();
    const sum = async () => {
      const parts = await Promise.all([get("x", () => 1), get("y", () => get("x", () => 0)), get("x", () => 0)]);
      return [...parts, await get("x", () => 9, 0)];
    };
    expect(await get("sum", sum)).toEqual([1, 1, 1, 9]);
    expect(await get("x", async () => [await get("y", () => get("z", () => 3), 0)], 0)).toEqual([[3]].flat());
  });

  describe("through a task that it awaits", () => {
    const [one, other] = [keep(), keep()];
    const refused = { code: "WOULD_DEADLOCK", retryable: false };
    /** What a load of task `a` gives when it begins to await task `b` as soon as `when` allows, for as long as `until` takes. */
    const awaiting = (cache: SharedCache, when: Promise<unknown>, until: Promise<Json>) => async (): Promise<Json> => {
      await when;
      const done = cache.awaits({ taskId: "a", signal: one }, "b");
      return until.finally(done);
    };

    test("is refused when that asks for it", async () => {
      const { cache, get } = cacheAt();
      const asks = Promise.withResolvers<Json>();
      const load = get("k", awaiting(cache, Promise.resolve(), asks.promise), 100, one, "a");
      await Promise.resolve();
      await Promise.resolve();
      const asked = get("k", () => 0, 100, other, "b");
      await expect(asked).rejects.toMatchObject({ ...refused, details: { cycle: ["task b", "k"] } });
      asks.resolve(1);
      expect(await load).toBe(1);
    });

    test("is refused when it begins to await what already asks for it", async () => {
      const { cache, get } = cacheAt();
      const go = Promise.withResolvers<Json>();
      const load = get("k", awaiting(cache, go.promise, new Promise(() => undefined)), 100, one, "a");
      const asked = get("k", () => 0, 100, other, "b");
      go.resolve(null);
      await expect(load).rejects.toMatchObject({ ...refused, details: { cycle: ["k", "task b"] } });
      await expect(asked).rejects.toMatchObject(refused);
    });

    test("is refused when that waits for who asks for it, in whatever way", async () => {
      const { cache, get, ahead } = cacheAt();
      ahead.set("b", ["c"]);
      const load = get("k", awaiting(cache, Promise.resolve(), new Promise(() => undefined)), 100, one, "a");
      load.catch(() => undefined);
      await Promise.resolve();
      await Promise.resolve();
      await expect(get("k", () => 0, 100, other, "c")).rejects.toMatchObject({
        ...refused,
        details: { cycle: ["task c", "k", "task b"] },
      });
      const asked = get("k", () => 0, 100, other, "d");
      asked.catch(() => undefined);
      expect(() => cache.awaits({ taskId: "b", signal: other }, "d")).toThrow(
        'loads of ctx.cache would wait for one another for ever: task b → task d → "k" → task b',
      );
      expect(cache.awaits({ taskId: "e", signal: other }, "d")).toBeTypeOf("function");
    });

    test("is refused as long as it awaits it in one place, where it did so in two", async () => {
      const { cache, get } = cacheAt();
      const load = get(
        "k",
        async () => {
          const [first] = [
            cache.awaits({ taskId: "a", signal: one }, "b"),
            cache.awaits({ taskId: "a", signal: one }, "b"),
          ];
          first?.();
          return new Promise<Json>(() => undefined);
        },
        100,
        one,
        "a",
      );
      load.catch(() => undefined);
      await Promise.resolve();
      await Promise.resolve();
      const asked = await Promise.race([get("k", () => 0, 100, other, "b").catch((error) => error), sleep(0)]);
      expect(asked).toMatchObject(refused);
    });

    test("costs who awaits thousands of tasks no look at those that it awaits already", async () => {
      let looks = 0;
      const cache = new SharedCache(
        () => 1_000,
        () => {
          looks += 1;
          return [];
        },
      );
      const begin = (key: string, load: () => Promise<Json>) =>
        void cache.get({ taskId: "a", key, ttlMs: 1, load, signal: one }).catch(() => undefined);
      const many = () => {
        looks = 0;
        for (let n = 0; n < 1_000; n++) cache.awaits({ taskId: "m", signal: other }, `t${n}`);
        return looks;
      };
      expect(
        cache.awaits(
          {
            taskId: "m",
            get signal(): never {
              throw new Error("nobody waits for a load");
            },
          },
          "t",
        ),
      ).not.toThrow();
      begin("k", () => new Promise(() => undefined));
      await sleep(0);
      expect(many()).toBe(0);
      begin("l", () => cache.get({ taskId: "a", key: "k", ttlMs: 1, load: async () => 0, signal: one }));
      await sleep(0);
      expect(many()).toBe(1_000);
    });

    test("is none where the attempt, and not its load, awaits the task", async () => {
      const { cache, get } = cacheAt();
      const gate = Promise.withResolvers<Json>();
      const load = get("k", () => gate.promise, 100, one, "a");
      const done = cache.awaits({ taskId: "a", signal: one }, "b");
      const asked = get("k", () => 0, 100, other, "b");
      gate.resolve(7);
      expect(await Promise.all([load, asked])).toEqual([7, 7]);
      done();
    });
  });

  test("is none that another attempt's code asks for which it has set going", async () => {
    const { get } = cacheAt();
    const [one, other] = [keep(), keep()];
    let asked: Promise<Json> | undefined;
    const load = () => {
      asked = get("k", () => 0, 100, other);
      return "loaded";
    };
    expect(await get("k", load, 100, one)).toBe("loaded");
    expect(await asked).toBe("loaded");
  });

  test("is none once it has ended, whatever its code still asks for", async () => {
    const { get } = cacheAt();
    const gate = Promise.withResolvers<Json>();
    let later: Promise<Json> | undefined;
    const load = () => {
      later = gate.promise.then(() => get("k", () => "again", 0));
      return "first";
    };
    expect(await get("k", load, 0)).toBe("first");
    gate.resolve(null);
    await gate.promise;
    expect(await later).toBe("again");
  });
});

test("who stops waiting leaves at once, and the load goes on for the others", async () => {
  const { get } = cacheAt();
  const { promise, resolve } = Promise.withResolvers<Json>();
  const leaving = new AbortController();
  const owner = get("k", () => promise);
  const follower = get("k", () => "own", 100, leaving.signal);
  leaving.abort(new Error("stopped"));
  await expect(follower).rejects.toThrow("stopped");
  resolve("loaded");
  expect(await owner).toBe("loaded");
  await expect(get("k", () => "own", 100, leaving.signal)).rejects.toThrow("stopped");
});

describe("what is kept", () => {
  test("is bounded in entries: who was asked for the longest ago goes", async () => {
    const { get, cache } = cacheAt({ entries: 2, bytes: 1_000 });
    await get("a", () => 1);
    await get("b", () => 2);
    await get("a", () => 0);
    await get("c", () => 3);
    expect(cache.size.entries).toBe(2);
    expect([await get("a", () => 0), await get("b", () => 20)]).toEqual([1, 20]);
  });

  test("is bounded in bytes: what is larger than all is handed out and not kept", async () => {
    const { get, cache } = cacheAt({ entries: 9, bytes: 50 });
    await get("a", () => "x".repeat(30));
    await get("b", () => "x".repeat(30));
    expect(cache.size.entries).toBe(1);
    expect(await get("c", () => "x".repeat(60))).toHaveLength(60);
    expect(await get("b", () => "gone")).toHaveLength(30);
  });
});

test("for each key at most one load is under way, in any order of asking, loading, failing and leaving", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(11), { maxLength: 40 }), async (steps) => {
      const { get, time } = cacheAt({ entries: 1, bytes: 1_000 });
      const ends: (() => void)[] = [];
      const under = new Map<string, number>();
      const waiting: Promise<unknown>[] = [];
      const signals: AbortController[] = [];
      for (const step of steps) {
        const key = step % 2 === 0 ? "a" : "b";
        if (step < 6) {
          const controller = new AbortController();
          signals.push(controller);
          const load = () =>
            new Promise<Json>((resolve, reject) => {
              under.set(key, (under.get(key) ?? 0) + 1);
              expect(under.get(key)).toBe(1);
              ends.push(() => {
                under.set(key, 0);
                if (ends.length % 3 === 0) reject(new Error("no"));
                else resolve(key);
              });
            });
          waiting.push(
            get(key, load, 5, controller.signal).then(
              (value) => expect(value).toBe(key),
              () => undefined,
            ),
          );
        } else if (step < 9) ends.shift()?.();
        else if (step < 11) signals.shift()?.abort(new Error("stopped"));
        else time.now += 5;
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const controller of signals) controller.abort(new Error("stopped"));
      await Promise.all(waiting);
    }),
    { numRuns: 60 },
  );
});
