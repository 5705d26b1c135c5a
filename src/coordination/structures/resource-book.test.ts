import { expect, test } from "vitest";
import { type Amount, amountOf, amountToNumber, ZERO } from "./amount.ts";
import { ResourceBook } from "./resource-book.ts";

const amount = (value: number): Amount => amountOf(value) ?? ZERO;
const numbers = (book: ResourceBook): number[] => [book.allocated, book.free].map(amountToNumber);

test("what is taken from a stock comes back exactly", () => {
  const book = new ResourceBook("gpu", amount(1), undefined, 0);
  for (let i = 0; i < 10; i++) book.take(amount(0.1), 0);
  expect(numbers(book)).toEqual([1, 0]);
  for (let i = 0; i < 10; i++) expect(book.give(amount(0.1), 0)).toBe(true);
  expect(numbers(book)).toEqual([0, 1]);
});

test("more than is free is never taken, and more than is out never comes back", () => {
  const book = new ResourceBook("gpu", amount(1), undefined, 0);
  expect(() => book.take(amount(1.000000001), 0)).toThrow(RangeError);
  expect(() => book.give(amount(0.000000001), 0)).toThrow(RangeError);
  expect(numbers(book)).toEqual([0, 1]);
});

test("a lowered capacity frees nothing until enough has come back", () => {
  const book = new ResourceBook("gpu", amount(4), undefined, 0);
  book.take(amount(4), 0);
  expect(book.configure(amount(1), undefined, 0)).toBe(false);
  expect(book.give(amount(3), 0)).toBe(false);
  expect(book.give(amount(0.5), 0)).toBe(true);
  expect(numbers(book)).toEqual([0.5, 0.5]);
});

test("what is taken from a rate is spent, and comes back with time alone", () => {
  const book = new ResourceBook("calls", amount(2), 1_000, 0);
  book.take(amount(2), 0);
  expect(book.give(amount(2), 0)).toBe(false);
  expect(numbers(book)).toEqual([2, 0]);
  expect(book.advance(250)).toBe(true);
  expect(numbers(book)).toEqual([1.5, 0.5]);
});
