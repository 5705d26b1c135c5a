import fc from "fast-check";
import { expect, test } from "vitest";
import { isSafeguardsError } from "../errors.ts";
import { BudgetLedger } from "./budget-ledger.ts";
import { sumIn } from "./structures/money.ts";

function company(): BudgetLedger {
  const ledger = new BudgetLedger();
  ledger.open("company", { limit: "10" });
  ledger.open("red", { limit: "6", parent: "company" });
  ledger.open("blue", { limit: "6", parent: "company" });
  return ledger;
}

test("what is reserved counts at every level, and comes back but for what was spent", () => {
  const ledger = company();
  const { id, amount } = ledger.reserve("red", "4.50");
  expect(amount).toBe("4.5");
  expect(ledger.balance("company")).toEqual({ limit: "10", reserved: "4.5", spent: "0", available: "5.5" });
  expect(ledger.settle(id, 1.25)).toEqual({ overrun: "0" });
  expect(ledger.balance("red")).toEqual({ limit: "6", reserved: "0", spent: "1.25", available: "4.75" });
  expect(ledger.balance("company").spent).toBe("1.25");
  expect(ledger.balance("blue").spent).toBe("0");
});

test("what is available is the least that is left on the way up", () => {
  const ledger = company();
  ledger.reserve("red", 6);
  expect(ledger.balance("blue").available).toBe("4");
});

test("what was really spent is recorded beyond the limit, and closes the budget and all below it", () => {
  const ledger = company();
  const first = ledger.reserve("red", 6);
  const second = ledger.reserve("blue", 4);
  expect(ledger.settle(first.id, 8)).toEqual({ overrun: "2" });
  expect(ledger.balance("company")).toEqual({ limit: "10", reserved: "4", spent: "8", available: "0" });
  for (const id of ["company", "red", "blue"])
    expect(() => ledger.reserve(id, 0)).toThrow(expect.objectContaining({ code: "BUDGET_EXCEEDED" }));
  ledger.cancel(second.id);
  expect(ledger.reserve("blue", 2).amount).toBe("2");
});

test("a settlement above what was reserved, and within every limit, closes nothing", () => {
  const ledger = company();
  expect(ledger.settle(ledger.reserve("red", 1).id, 3)).toEqual({ overrun: "0" });
  expect(ledger.reserve("red", 3).amount).toBe("3");
});

test("money moves between budgets, and no more can be spent in all", () => {
  const ledger = company();
  ledger.open("lab", { limit: 2, parent: "blue" });
  ledger.transfer("red", "lab", "1.5");
  const limits = ["company", "red", "blue", "lab"].map((id) => ledger.balance(id).limit);
  expect(limits).toEqual(["10", "4.5", "7.5", "3.5"]);
  ledger.transfer("blue", "lab", 1);
  expect([ledger.balance("blue").limit, ledger.balance("lab").limit]).toEqual(["7.5", "4.5"]);
  ledger.transfer("lab", "blue", 4);
  expect([ledger.balance("blue").limit, ledger.balance("lab").limit]).toEqual(["7.5", "0.5"]);
});

test("money leaves a tree only as far as every level that it leaves has it", () => {
  const ledger = company();
  ledger.open("other", { limit: 1 });
  ledger.reserve("company", "7.5");
  expect(() => ledger.transfer("red", "other", 3)).toThrow(
    '3 cannot be transferred: budget "company" has 2.5 left of 10',
  );
  ledger.transfer("red", "other", "2.5");
  const limits = ["company", "red", "other"].map((id) => ledger.balance(id).limit);
  expect(limits).toEqual(["7.5", "3.5", "3.5"]);
});

test("names like those of an object's own members are as good as any", () => {
  const ledger = new BudgetLedger();
  for (const id of ["__proto__", "constructor"]) {
    ledger.open(id, { limit: 1 });
    ledger.reserve(id, 1);
    expect(ledger.balance(id).available).toBe("0");
  }
});

test("a thousand who spend at once use all of the limit and no more", () => {
  const ledger = new BudgetLedger();
  ledger.open("all", { limit: "33.3" });
  const granted: string[] = [];
  for (let i = 0; i < 1_000; i++) {
    try {
      granted.push(ledger.reserve("all", "0.1").id);
    } catch (error) {
      if (!isSafeguardsError(error, "BUDGET_EXCEEDED")) throw error;
    }
  }
  for (const id of granted) ledger.settle(id, "0.1");
  expect([granted.length, ledger.balance("all")]).toEqual([
    333,
    { limit: "33.3", reserved: "0", spent: "33.3", available: "0" },
  ]);
});

const TREE = [["root"], ["a", "root"], ["b", "root"], ["a1", "a"], ["other"]] as const;
const amount = fc.integer({ min: 0, max: 40 }).map((tenths) => (tenths / 10).toFixed(tenths % 2 === 0 ? 1 : 3));
const step = fc.oneof(
  fc.record({ do: fc.constant("reserve" as const), at: fc.nat(4), amount }),
  fc.record({ do: fc.constant("settle" as const), at: fc.nat(20), amount }),
  fc.record({ do: fc.constant("cancel" as const), at: fc.nat(20) }),
  fc.record({ do: fc.constant("transfer" as const), at: fc.nat(4), to: fc.nat(4), amount }),
);

test("in any interleaving spent − overrun + reserved ≤ limit at every level, and each is the sum of what was booked", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger = new BudgetLedger();
      const limits = new Map<string, number>();
      for (const [id, parent] of TREE) {
        ledger.open(id, { limit: 8, ...(parent === undefined ? {} : { parent }) });
        limits.set(id, 8_000);
      }
      const open = new Map<string, { readonly id: string; readonly thousandths: number }>();
      const spent = new Map<string, number>();
      const idAt = (i: number): string => TREE[i]?.[0] ?? "root";
      for (const one of steps) {
        const before = TREE.map(([id]) => ledger.balance(id));
        const reservation =
          one.do === "settle" || one.do === "cancel" ? [...open][one.at % Math.max(1, open.size)] : undefined;
        try {
          if (one.do === "reserve") {
            const made = ledger.reserve(idAt(one.at), one.amount);
            open.set(made.id, { id: idAt(one.at), thousandths: thousandths(one.amount) });
            // It was granted because every level had as much.
            for (const [id] of TREE) expect(thousandths(ledger.balance(id).available)).toBeGreaterThanOrEqual(0);
          } else if (one.do === "transfer") ledger.transfer(idAt(one.at), idAt(one.to), one.amount);
          else if (reservation !== undefined) {
            const [id, { id: of }] = reservation;
            if (one.do === "cancel") ledger.cancel(id);
            else {
              ledger.settle(id, one.amount);
              spent.set(of, (spent.get(of) ?? 0) + thousandths(one.amount));
            }
            open.delete(id);
            expect(() => ledger.settle(id, 0)).toThrow(expect.objectContaining({ code: "INVALID_STATE" }));
          }
        } catch (error) {
          if (!isSafeguardsError(error)) throw error;
          expect(TREE.map(([id]) => ledger.balance(id))).toEqual(before);
        }
        for (const [id] of TREE) {
          const balance = ledger.balance(id);
          const reserved = [...open.values()].filter((held) => isUnder(held.id, id));
          expect(thousandths(balance.reserved)).toBe(reserved.reduce((sum, held) => sum + held.thousandths, 0));
          const paid = [...spent].filter(([of]) => isUnder(of, id));
          expect(thousandths(balance.spent)).toBe(paid.reduce((sum, [, what]) => sum + what, 0));
        }
        const roots = ["root", "other"].map((id) => thousandths(ledger.balance(id).limit));
        expect(roots.reduce((a, b) => a + b)).toBe(16_000);
      }
    }),
  );
});

function isUnder(id: string, above: string): boolean {
  for (let at: string | undefined = id; at !== undefined; at = TREE.find(([name]) => name === at)?.[1])
    if (at === above) return true;
  return false;
}

function thousandths(text: string): number {
  return Number(sumIn(text).times(1_000).toFixed());
}
