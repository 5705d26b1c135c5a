import fc from "fast-check";
import { expect, it } from "vitest";
import { Fifo } from "./fifo.ts";

it("gives what it was given, in that order, whatever comes between", () => {
  const operation = fc.oneof(fc.integer(), fc.constant("shift" as const), fc.constant("clear" as const));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const inbox = new Fifo<number>();
      let model: number[] = [];
      for (const one of operations) {
        if (typeof one === "number") {
          inbox.push(one);
          model.push(one);
        } else if (one === "clear") {
          expect(inbox.clear()).toEqual(model);
          model = [];
        } else if (model.length > 0) {
          inbox.shift();
          model.shift();
        }
        expect(inbox.peek()).toBe(model[0]);
        expect(inbox.length).toBe(model.length);
      }
    }),
  );
});
