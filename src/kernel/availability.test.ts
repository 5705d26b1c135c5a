import { describe, expect, test } from "vitest";
import { type Amount, ZERO } from "../coordination/structures/amount.ts";
import { type Balance, beside, covers, givenBack, slotsLeft } from "./availability.ts";
import { State } from "./state.ts";

function whole(amount: number): Amount {
  return { whole: amount, nano: 0 };
}

function balance(there: number, taken: number, claimed = 0, returning = 0): Balance {
  return { there: whole(there), taken: whole(taken), claimed: whole(claimed), returning: whole(returning) };
}

describe("slots that are left of 4", () => {
  const cases = [
    { name: "what nobody has", slots: 3, left: 1 },
    { name: "none where more run than may", slots: 5, left: 0 },
    { name: "what others leave as they end", slots: 4, ended: 2, left: 2 },
    { name: "not the one that is promised", slots: 3, claimed: 1, left: 0 },
    { name: "a free one while another comes back for the promise", slots: 3, claimed: 1, returning: 1, left: 1 },
    { name: "none while that other still runs", slots: 4, claimed: 1, returning: 1, left: 0 },
    { name: "not what it leaves when it ends", slots: 4, claimed: 1, returning: 1, victimsEnded: 1, left: 0 },
    { name: "but what somebody else leaves", slots: 4, claimed: 1, returning: 1, ended: 1, left: 1 },
    { name: "what comes back beyond the promise", slots: 4, claimed: 1, returning: 2, victimsEnded: 2, left: 1 },
    { name: "no more of that than has come back", slots: 4, claimed: 1, returning: 3, victimsEnded: 1, left: 1 },
  ];
  test.each(cases)("$name", ({ slots, claimed = 0, returning = 0, ended = 0, victimsEnded = 0, left }) => {
    const state = new State();
    const settings = { concurrency: 4 };
    Object.assign(state, { settings, slots, slotsClaimed: claimed, slotsReturning: returning });
    expect(slotsLeft(state, ended, victimsEnded)).toBe(left);
  });
});

describe("whether so much may be used", () => {
  test.each([
    { name: "up to what is free", books: balance(4, 1), most: 3 },
    { name: "less what is promised", books: balance(4, 1, 2), most: 1 },
    { name: "what is free, while something comes back for the promise", books: balance(4, 3, 2, 2), most: 1 },
    { name: "nothing that has not come back yet", books: balance(4, 4, 1, 3), most: 0 },
  ])("$name", ({ books, most }) => {
    expect(covers(books, whole(most))).toBe(true);
    expect(covers(books, whole(most + 1))).toBe(false);
  });

  test("what is missing where more is taken than is there has to come back first", () => {
    const books = balance(2, 4);
    expect(covers(givenBack(books, whole(2), false), whole(1))).toBe(false);
    expect(covers(givenBack(books, whole(3), false), whole(1))).toBe(true);
  });

  test("what one gives back who makes way for a promise is promised already", () => {
    const books = balance(4, 4, 2, 2);
    expect(covers(givenBack(books, whole(2), true), whole(1))).toBe(false);
    expect(covers(givenBack(books, whole(2), false), whole(1))).toBe(true);
  });

  test("beside what is set aside; there is no more to set aside than what is free", () => {
    expect(covers(beside(balance(4, 1), whole(2)), whole(1))).toBe(true);
    expect(covers(beside(balance(4, 1), whole(2)), whole(2))).toBe(false);
    expect(covers(givenBack(beside(balance(4, 3), whole(2)), whole(1), false), whole(1))).toBe(true);
    expect(covers(beside(balance(4, 1), ZERO), whole(3))).toBe(true);
  });
});
