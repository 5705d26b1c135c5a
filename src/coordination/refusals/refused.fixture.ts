/** A call of a system that is refused, and what exactly is said then. */
import type { ErrorCode } from "../../errors.ts";
import { BudgetLedger } from "../budget-ledger.ts";
import { FederatedDecisions } from "../decisions/federated-decisions.ts";
import { Reputation } from "../reputation.ts";
import { ResourceManager } from "../resource-manager.ts";
import { SkillRouter } from "../skill-router.ts";
import { TaskArbitrator } from "../task-arbitrator.ts";
import { WorkloadBalancer } from "../workload-balancer.ts";

export interface Refused {
  /** Prepares the systems and gives the call; what it is given may be of a wrong kind. */
  readonly call: (systems: Systems) => () => unknown;
  readonly code: ErrorCode;
  readonly says: string;
  readonly details?: { readonly [key: string]: unknown };
}

/** All with something in them: `ann`, who can do x, has room for 2; `disk` is 3, `calls` a rate; `team` has 1 left of 3, `lab` is part of it; `a` runs and `b` waits for it. */
export class Systems {
  readonly router: SkillRouter = new SkillRouter();
  readonly balancer: WorkloadBalancer = new WorkloadBalancer();
  readonly resources: ResourceManager = new ResourceManager();
  readonly arbitrator: TaskArbitrator = new TaskArbitrator();
  readonly budgets: BudgetLedger = new BudgetLedger();
  readonly reputation: Reputation = new Reputation();
  readonly decisions: FederatedDecisions<AbortSignal> = new FederatedDecisions({
    after: () => () => undefined,
    abortable: () => ({ signal: new AbortController().signal, abort: () => undefined }),
    now: () => 0,
  });

  constructor() {
    this.router.register("ann", ["x"]);
    this.balancer.register("ann", 2);
    this.balancer.assign("t1", 1);
    this.resources.register("disk", { type: "storage", capacity: 3 }, 100);
    this.resources.register("calls", { type: "api_call", capacity: 2, per: 10 }, 100);
    this.resources.request({ holder: "ann", amounts: { disk: 2 }, leaseMs: 50 }, 100);
    this.arbitrator.register({ id: "a" }, 100);
    this.arbitrator.register({ id: "b", dependsOn: ["a"] }, 100);
    this.arbitrator.startReady(100);
    this.budgets.open("team", { limit: 3 });
    this.budgets.open("lab", { limit: 9, parent: "team" });
    this.budgets.reserve("lab", 2);
    this.decisions.register("ann", () => "yes");
  }

  /** All that can be seen of them. */
  seen(): unknown {
    const { router, balancer, resources, arbitrator, budgets, reputation } = this;
    return [
      router.agentsWith("x"),
      balancer.loadOf("ann"),
      balancer.agentOf("t1"),
      ["disk", "calls"].map((id) => resources.usage(id)),
      resources.allocationsOf("ann"),
      ["team", "lab"].map((id) => budgets.balance(id)),
      arbitrator.running(),
      reputation.accuracy("ann"),
      ["a", "b"].map((id) => arbitrator.status(id)),
    ];
  }
}

/** A refusal of a value that is not what it must be. */
export function invalid(says: string, call: (systems: Systems) => unknown): Refused {
  return { call: (systems) => () => call(systems), code: "INVALID_ARGUMENT", says };
}

/** What is said of a value that must be an id. */
export function noId(what: string, value: string): string {
  return `${what} is ${value}; it must be a string of 1 to 256 characters without "/"`;
}

export const positive = "it must be a number greater than 0 and at most 2^53 - 1, with at most nine decimals";
export const fromZero = "it must be a number at least 0 and at most 2^53 - 1, with at most nine decimals";

/** What is of no kind that a type allows. */
export function wrong(value: unknown): never {
  return value as never;
}
