import { invalid, noId, type Refused, wrong } from "./refused.fixture.ts";

const money =
  "it must be a decimal of at least 0 (a string, or a number) with at most 15 digits before the point and 15 behind it";

export const budgetLedger: readonly Refused[] = [
  invalid(noId("budgetId", '""'), ({ budgets }) => budgets.open("", { limit: 1 })),
  invalid(noId("budgetId", '"a/b"'), ({ budgets }) => budgets.reserve("a/b", 1)),
  invalid(noId("budgetId", "7"), ({ budgets }) => budgets.balance(wrong(7))),
  invalid(noId("spec.parent", '"a/b"'), ({ budgets }) => budgets.open("b", { limit: 1, parent: "a/b" })),
  invalid(noId("reservationId", '""'), ({ budgets }) => budgets.cancel("")),
  invalid(noId("from", '""'), ({ budgets }) => budgets.transfer("", "team", 1)),
  invalid(noId("to", '""'), ({ budgets }) => budgets.transfer("team", "", 1)),
  invalid('spec has the unknown key "max"; allowed: limit, parent', ({ budgets }) =>
    budgets.open("b", wrong({ max: 1 })),
  ),
  invalid(`spec.limit is -1; ${money}`, ({ budgets }) => budgets.open("b", { limit: -1 })),
  invalid(`amount is "1e3"; ${money}`, ({ budgets }) => budgets.reserve("team", "1e3")),
  invalid(`amount is "many"; ${money}`, ({ budgets }) => budgets.transfer("team", "lab", "many")),
  invalid(`actual is NaN; ${money}`, ({ budgets }) => budgets.settle("r1", Number.NaN)),
  {
    call:
      ({ budgets }) =>
      () =>
        budgets.open("team", { limit: 1 }),
    code: "DUPLICATE_ID",
    says: 'budget "team" is open already',
  },
  {
    call: ({ budgets }) => {
      for (let i = 1; i < 32; i++) budgets.open(`b${i}`, { limit: 1, parent: i === 1 ? "team" : `b${i - 1}` });
      return () => budgets.open("b32", { limit: 1, parent: "b31" });
    },
    code: "INVALID_ARGUMENT",
    says: 'budget "b32" would be below 32 others, one above the other; that is too deep',
  },
  {
    call:
      ({ budgets }) =>
      () =>
        budgets.reserve("lab", "1.5"),
    code: "BUDGET_EXCEEDED",
    says: '1.5 cannot be reserved: budget "team" has 1 left of 3',
    details: { budget: "team", need: "1.5", left: "1" },
  },
  {
    call: ({ budgets }) => {
      budgets.settle("r1", 4);
      return () => budgets.reserve("lab", 0);
    },
    code: "BUDGET_EXCEEDED",
    says: '0 cannot be reserved: budget "team" is over its limit by 1',
    details: { budget: "team", need: "0", left: "-1" },
  },
  {
    call:
      ({ budgets }) =>
      () =>
        budgets.transfer("team", "lab", 2),
    code: "BUDGET_EXCEEDED",
    says: '2 cannot be transferred: budget "team" has 1 left of 3',
    details: { budget: "team", need: "2", left: "1" },
  },
  {
    call:
      ({ budgets }) =>
      () =>
        budgets.transfer("team", "team", 1),
    code: "INVALID_ARGUMENT",
    says: 'budget "team" cannot give to itself',
  },
  {
    call:
      ({ budgets }) =>
      () =>
        budgets.balance("nobody"),
    code: "UNKNOWN_BUDGET",
    says: 'no budget "nobody" is open',
  },
  {
    call:
      ({ budgets }) =>
      () =>
        budgets.settle("r2", 0),
    code: "UNKNOWN_ALLOCATION",
    says: 'no reservation "r2" was ever given out',
  },
  {
    call: ({ budgets }) => {
      budgets.cancel("r1");
      return () => budgets.settle("r1", 0);
    },
    code: "INVALID_STATE",
    says: 'reservation "r1" was settled or cancelled before',
  },
  {
    call: ({ budgets }) => {
      for (let i = 1; i < 1_000_000; i++) budgets.reserve("team", 0);
      return () => budgets.reserve("team", 0);
    },
    code: "QUEUE_FULL",
    says: "1000000 reservations are open: that is the most",
  },
];
