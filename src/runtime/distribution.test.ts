import { expect, it } from "vitest";
import { Distribution } from "./distribution.ts";

it("tells nothing of nothing", () => {
  expect(new Distribution().view()).toEqual({ count: 0, p50: 0, p99: 0, max: 0 });
});

it("tells the middle, the 99th of a hundred and the longest", () => {
  const distribution = new Distribution();
  for (let n = 100; n >= 1; n--) distribution.record(n);
  expect(distribution.view()).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
});

it("looks at the latest only, but for the longest of all", () => {
  const distribution = new Distribution();
  for (let n = 0; n < 5_000; n++) distribution.record(1_000);
  for (let n = 0; n < 1_024; n++) distribution.record(1);
  expect(distribution.view()).toEqual({ count: 6_024, p50: 1, p99: 1, max: 1_000 });
});
