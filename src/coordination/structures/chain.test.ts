import fc from "fast-check";
import { expect, test } from "vitest";
import { Chain, type Link, linkFor } from "./chain.ts";

function members(chain: Chain<number>): number[] {
  const items: number[] = [];
  for (let link: Link<number> | undefined = chain.first; link !== undefined; link = link.after) items.push(link.item);
  return items.sort((a, b) => a - b);
}

const steps = fc.array(fc.record({ at: fc.nat(9), joins: fc.boolean() }), { size: "medium" });

test("behaves like a set, joined and left in any order, any number of times", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const chain = new Chain<number>();
      const links = Array.from({ length: 10 }, (_, i) => linkFor(i));
      const model = new Set<number>();
      for (const { at, joins } of script) {
        const link = links[at];
        if (link === undefined) throw new Error("there are ten");
        if (joins) {
          chain.join(link);
          model.add(at);
        } else {
          chain.leave(link);
          model.delete(at);
        }
        expect(members(chain)).toEqual([...model].sort((a, b) => a - b));
        expect(link.joined).toBe(joins);
      }
    }),
  );
});
