import { expect, test } from "vitest";
import { type Amount, amountOf, subtract, ZERO } from "./amount.ts";
import { type Need, WaitingLine } from "./waiting-line.ts";

const amount = (value: number): Amount => amountOf(value) ?? ZERO;

interface Tank {
  readonly id: string;
  free: Amount;
}
interface Waiter {
  readonly name: string;
  readonly needs: readonly Need<Tank>[];
}

/** A line before tanks that are empty at first. */
function before(...ids: string[]) {
  const tanks = ids.map((id): Tank => ({ id, free: ZERO }));
  const line = new WaitingLine<Waiter, Tank>(Number.POSITIVE_INFINITY);
  let seq = 0;
  const join = (name: string, needs: Record<string, number>) => {
    const listed = tanks.filter(({ id }) => id in needs).map((pool) => ({ pool, amount: amount(needs[pool.id] ?? 0) }));
    return line.join({ name, needs: listed }, listed, { rank: 0, seq: seq++ }, 0);
  };
  const fill = (id: string, free: number): string[] => {
    const served: string[] = [];
    for (const tank of tanks) {
      if (tank.id !== id) continue;
      tank.free = amount(free);
      line.freed(tank);
    }
    line.serve(0, ({ name, needs }) => {
      for (const need of needs) need.pool.free = subtract(need.pool.free, need.amount);
      served.push(name);
    });
    return served;
  };
  return { line, tanks, join, fill };
}

test("one pass serves all classes together in order, with what each leaves for the next", () => {
  const { join, fill } = before("a", "b");
  join("both", { a: 1, b: 1 });
  join("much", { a: 3 });
  join("some", { a: 2 });
  expect(fill("b", 1)).toEqual([]);
  expect(fill("a", 3)).toEqual(["both", "some"]);
});

test("those who do not wait for what frees up are not looked at", () => {
  const { line, join, fill } = before("a", "b");
  for (let i = 0; i < 1_000; i++) join(`${i}`, { b: 1 });
  const visits = line.visits;
  expect(fill("a", 5)).toEqual([]);
  expect(line.visits).toBe(visits);
});

test("counts and positions follow those who join and leave, and a class without waiters is forgotten", () => {
  const { line, tanks, join } = before("a", "b");
  const waiting = (): number[] => tanks.map((tank) => line.waitingFor(tank));
  const first = join("first", { a: 1, b: 1 });
  const second = join("second", { b: 1 });
  expect([waiting(), line.position(first), line.position(second)]).toEqual([[1, 2], 1, 2]);
  line.leave(first);
  expect([waiting(), line.position(second)]).toEqual([[0, 1], 1]);
  line.leave(second);
  line.leave(second);
  expect(waiting()).toEqual([0, 0]);
});

test("who has left has no place any more, and those behind move up", () => {
  const { line, join } = before("a");
  const first = join("first", { a: 1 });
  const second = join("second", { a: 1 });
  expect([line.position(first), line.position(second)]).toEqual([1, 2]);
  line.leave(first);
  expect([line.position(first), line.position(second)]).toEqual([0, 1]);
});
