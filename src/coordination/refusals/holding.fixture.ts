import { ResourceManager } from "../resource-manager.ts";
import { fromZero, invalid, noId, positive, type Refused, type Systems, wrong } from "./refused.fixture.ts";

const infinite = "it must be a number of milliseconds at least 0; Infinity is allowed";
const finite = "it must be a number of milliseconds greater than 0 and finite";
const token = "it must be an integer from -9007199254740991 to 9007199254740991";
const spec = { type: "storage", capacity: 3 } as const;

/** What `ann` holds of the disk. */
function held({ resources }: Systems): { readonly id: string; readonly token: number } {
  const [allocation] = resources.allocationsOf("ann");
  if (allocation === undefined) throw new Error("ann holds nothing");
  return allocation;
}

export const resourceManager: readonly Refused[] = [
  invalid(
    'options has the unknown key "aging"; allowed: agingMs, protectAfterMs',
    () => new ResourceManager(wrong({ aging: 1 })),
  ),
  invalid(`agingMs is -1; ${infinite}`, () => new ResourceManager({ agingMs: -1 })),
  invalid(`protectAfterMs is NaN; ${infinite}`, () => new ResourceManager({ protectAfterMs: Number.NaN })),
  invalid(noId("resourceId", '"a/b"'), ({ resources }) => resources.register("a/b", spec)),
  invalid(noId("resourceId", '""'), ({ resources }) => resources.usage("")),
  invalid('spec has the unknown key "size"; allowed: type, capacity, per', ({ resources }) =>
    resources.register("tape", wrong({ ...spec, size: 1 })),
  ),
  invalid('spec.type is "magic"; it must be one of compute, memory, storage, api_call, data', ({ resources }) =>
    resources.register("tape", wrong({ ...spec, type: "magic" })),
  ),
  invalid(`spec.capacity is -1; ${fromZero}`, ({ resources }) => resources.register("tape", { ...spec, capacity: -1 })),
  invalid("spec.per is 0.5; it must be an integer from 1 to 9007199254740991", ({ resources }) =>
    resources.register("tape", { ...spec, per: 0.5 }),
  ),
  invalid('resource "disk" is not a rate; leave `per` out', ({ resources }) =>
    resources.register("disk", { ...spec, per: 10 }),
  ),
  invalid('resource "calls" is a rate; say `per` again', ({ resources }) => resources.register("calls", spec)),
  invalid('request has the unknown key "wait"; allowed: holder, amounts, priority, leaseMs', ({ resources }) =>
    resources.request(wrong({ holder: "bob", amounts: { disk: 1 }, wait: true }), 100),
  ),
  invalid(noId("request.holder", "undefined"), ({ resources }) =>
    resources.request(wrong({ amounts: { disk: 1 } }), 100),
  ),
  invalid("request.amounts is [1]; it must be an object or a Map", ({ resources }) =>
    resources.request({ holder: "bob", amounts: wrong([1]) }, 100),
  ),
  invalid("request.amounts is {}; it must be amounts of at least one resource", ({ resources }) =>
    resources.request({ holder: "bob", amounts: {} }, 100),
  ),
  invalid(`request.amounts[disk] is 0; ${positive}`, ({ resources }) =>
    resources.request({ holder: "bob", amounts: { disk: 0 } }, 100),
  ),
  invalid("request.priority is 0.5; it must be an integer from -1000000 to 1000000", ({ resources }) =>
    resources.request({ holder: "bob", amounts: { disk: 1 }, priority: 0.5 }, 100),
  ),
  invalid(`request.leaseMs is 0; ${finite}`, ({ resources }) =>
    resources.request({ holder: "bob", amounts: { disk: 1 }, leaseMs: 0 }, 100),
  ),
  {
    call:
      ({ resources }) =>
      () =>
        resources.request({ holder: "bob", amounts: { tape: 1 } }, 100),
    code: "UNKNOWN_RESOURCE",
    says: 'no resource "tape" is registered',
  },
  {
    call:
      ({ resources }) =>
      () =>
        resources.request({ holder: "bob", amounts: { disk: 3.5 } }, 100),
    code: "CAPACITY_EXCEEDED",
    says: '3.5 of "disk" is asked for; its capacity is 3',
    details: { resourceId: "disk", asked: 3.5, capacity: 3 },
  },
  invalid("amounts is 7; it must be an object or a Map", (systems) =>
    systems.resources.release(held(systems), 100, wrong(7)),
  ),
  invalid(`leaseMs is Infinity; ${finite}`, (systems) =>
    systems.resources.renew(held(systems), Number.POSITIVE_INFINITY, 100),
  ),
  invalid(noId("reservationId", '""'), ({ resources }) => resources.cancel("", 100)),
  {
    call:
      ({ resources }) =>
      () =>
        resources.cancel("r1", 100),
    code: "UNKNOWN_ALLOCATION",
    says: 'no reservation "r1" was ever given out',
  },
  {
    call: ({ resources }) => {
      resources.request({ holder: "bob", amounts: { disk: 2 } }, 100);
      resources.cancel("r1", 100);
      return () => resources.cancel("r1", 100);
    },
    code: "INVALID_STATE",
    says: 'reservation "r1" no longer waits: it was granted, refused or cancelled',
  },
  invalid(noId("holder", "7"), ({ resources }) => resources.allocationsOf(wrong(7))),
  invalid("allocation is null; it must be an allocation", ({ resources }) => resources.release(wrong(null), 100)),
  invalid(noId("allocation.id", "undefined"), ({ resources }) => resources.release(wrong({ token: 1 }), 100)),
  invalid(`allocation.token is "1"; ${token}`, (systems) =>
    systems.resources.release({ ...held(systems), token: wrong("1") }, 100),
  ),
];

export const leases: readonly Refused[] = [
  {
    call:
      ({ resources }) =>
      () =>
        resources.release({ id: "a9", token: 1 }, 100),
    code: "UNKNOWN_ALLOCATION",
    says: 'no allocation "a9" was ever given out',
  },
  {
    call: (systems) => {
      const allocation = held(systems);
      systems.resources.release(allocation, 100);
      return () => systems.resources.release(allocation, 100);
    },
    code: "FENCED",
    says: 'allocation "a1" is gone: it was released or its lease has run out',
  },
  {
    call: (systems) => () => systems.resources.renew(held(systems), 10, 150),
    code: "FENCED",
    says: 'the lease of allocation "a1" has run out at 150',
  },
  {
    call: (systems) => () => systems.resources.release({ ...held(systems), token: 7 }, 100),
    code: "FENCED",
    says: 'token 7 of allocation "a1" is not its latest, 1',
  },
  invalid('2.5 of "disk" cannot be released; allocation "a1" holds 2', (systems) =>
    systems.resources.release(held(systems), 100, { disk: 2.5 }),
  ),
];

export const timeOrder: readonly Refused[] = [
  invalid("now is 99; it must not be before 100, the time of an earlier call", ({ resources }) => resources.expire(99)),
];
