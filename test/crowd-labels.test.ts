/**
 * Published accuracies of truth inference on crowd labels (D. Ustalov, N. Pavlichenko & B. Tseitlin, "Learning from crowds
 * with Crowd-Kit", Journal of Open Source Software 9, 2024; Y. Zheng, G. Li, Y. Li, C. Shan & R. Cheng, "Truth inference in
 * crowdsourcing: is the problem solved?", VLDB 2017): textual entailment, matching products, and bluebirds.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dawidSkene, type Labels, tally } from "../src/coordination-entry.ts";

const data = process.env.SAFEGUARDS_DATA ?? "";

type Method = "majority" | "one-coin" | "full";

const published: readonly (readonly [set: string, method: Method, accuracy: number])[] = [
  ["rte", "majority", 0.897],
  ["rte", "one-coin", 0.925],
  ["rte", "full", 0.928],
  ["d_jn-product", "majority", 0.897],
  ["d_jn-product", "one-coin", 0.908],
  ["d_jn-product", "full", 0.94],
  ["bluebird", "majority", 0.759],
  ["bluebird", "full", 0.898],
];

test.for(published)("%s by %s: %d of the items are told rightly", ([set, method, accuracy], { skip }) => {
  skip(data === "", "the crowd labels are not there: SAFEGUARDS_DATA names no folder");
  const labels = rows(set, "label").map(([item = "", worker = "", label = ""]) => ({ item, worker, label }));
  const truth = rows(set, "truth");
  const told = method === "majority" ? majorities(labels) : estimates(labels, method);
  const right = truth.map(([item = "", label = ""]): number => {
    const given = told.get(item) ?? [];
    return given.includes(label) ? 1 / given.length : 0;
  });
  const share = right.reduce((sum, one) => sum + one, 0) / truth.length;
  expect(Math.abs(share - accuracy), `${share}`).toBeLessThan(0.001);
});

function rows(set: string, name: string): string[][] {
  const [, ...lines] = readFileSync(join(data, "crowd", set, `${name}.csv`), "utf8")
    .trim()
    .split(/\r?\n/);
  return lines.map((line) => line.split(","));
}

function estimates(labels: readonly Labels[], model: "one-coin" | "full"): ReadonlyMap<string, readonly string[]> {
  return new Map(Array.from(dawidSkene(labels, { model }).truth, ([item, label]) => [item, [label]]));
}

/** The label that most gave each item. Where several are tied a fair coin decides: each is told in its share of cases. */
function majorities(labels: readonly Labels[]): ReadonlyMap<string, readonly string[]> {
  const options = [...new Set(labels.map(({ label }) => label))];
  const told = new Map<string, readonly string[]>();
  for (const [item, given] of Map.groupBy(labels, ({ item }) => item)) {
    const votes = new Map(given.map(({ worker, label }) => [worker, label]));
    const { decision, tied = [] } = tally({ options, votes, method: "majority" });
    told.set(item, decision === undefined ? tied : [decision]);
  }
  return told;
}
