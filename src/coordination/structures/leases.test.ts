import { expect, test } from "vitest";
import { type ErrorCode, SafeguardsError } from "../../errors.ts";
import { type Amount, amountOf, ZERO } from "./amount.ts";
import { allocationOf, Leases, partOf } from "./leases.ts";

const amount = (value: number): Amount => amountOf(value) ?? ZERO;
const gpu = { id: "gpu", free: ZERO };
const disk = { id: "disk", free: ZERO };
const ask = (leaseMs?: number) => ({ holder: "ada", needs: [{ pool: gpu, amount: amount(2) }], leaseMs });

function codeOf(call: () => unknown): ErrorCode | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof SafeguardsError) return error.code;
    throw error;
  }
  return undefined;
}

test("tokens only grow over grants, a renewed lease keeps its own, and no other is good", () => {
  const leases = new Leases();
  const first = allocationOf(leases.grant(ask(10), 0));
  const second = leases.grant(ask(), 0);
  leases.renew(leases.current(first.id, first.token, 5), 20);
  const renewed = leases.current(first.id, first.token, 15);
  expect([first.token, second.token, renewed.token]).toEqual([1, 2, 1]);
  expect(codeOf(() => leases.current(first.id, second.token, 15))).toBe("FENCED");
});

test("a lease is over at its end, ended or not, and leases end in the order of their ends", () => {
  const leases = new Leases();
  leases.grant(ask(20), 0);
  leases.grant(ask(10), 0);
  expect(codeOf(() => leases.current("a2", 2, 10))).toBe("FENCED");
  expect(leases.endNext(9)).toBeUndefined();
  expect([leases.endNext(20)?.id, leases.endNext(20)?.id, leases.endNext(20)]).toEqual(["a2", "a1", undefined]);
  expect([...leases.of("ada")]).toEqual([]);
  expect(codeOf(() => leases.current("a1", 1, 20))).toBe("FENCED");
  expect(codeOf(() => leases.current("a3", 1, 20))).toBe("UNKNOWN_ALLOCATION");
});

test("what is reduced to nothing is gone, and no lease ends for it", () => {
  const leases = new Leases<typeof gpu>();
  const held = leases.grant({ ...ask(10), needs: [...ask().needs, { pool: disk, amount: amount(1) }] }, 0);
  leases.reduce(held, [partOf(held, "gpu", amount(0.5)), partOf(held, "disk", amount(1))]);
  expect({ ...allocationOf(held).amounts }).toEqual({ gpu: 1.5 });
  expect(codeOf(() => partOf(held, "gpu", amount(1.6)))).toBe("INVALID_ARGUMENT");
  leases.reduce(held, held.needs);
  expect(leases.endNext(10)).toBeUndefined();
});

test("what is gone cannot be renewed by who still has its record", () => {
  const leases = new Leases();
  const held = leases.grant(ask(10), 0);
  expect(leases.endNext(10)?.id).toBe(held.id);
  expect(() => leases.renew(held, 20)).toThrow(`allocation ${held.id} is gone`);
});
