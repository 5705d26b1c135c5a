/** Everything that the systems refuse, by the file that does. */
import { taskArbitrator } from "./arbitration.fixture.ts";
import {
  circuitBreaker,
  dawidSkenes,
  electionTerms,
  federatedDecisions,
  reputations,
  shareTerms,
  tallies,
  tieBreaks,
} from "./deciding.fixture.ts";
import { leases, resourceManager, timeOrder } from "./holding.fixture.ts";
import type { Refused } from "./refused.fixture.ts";
import { skillRouter, workloadBalancer } from "./routing.fixture.ts";
import { budgetLedger } from "./spending.fixture.ts";

export const coordinationRefusals: Readonly<Record<string, readonly Refused[]>> = {
  "src/coordination/budget-ledger.ts": budgetLedger,
  "src/coordination/circuit-breaker.ts": circuitBreaker,
  "src/coordination/dawid-skene.ts": dawidSkenes,
  "src/coordination/decisions/federated-decisions.ts": federatedDecisions,
  "src/coordination/decisions/share.ts": shareTerms,
  "src/coordination/decisions/tally.ts": tallies,
  "src/coordination/decisions/terms.ts": electionTerms,
  "src/coordination/decisions/tie-break.ts": tieBreaks,
  "src/coordination/reputation.ts": reputations,
  "src/coordination/resource-manager.ts": resourceManager,
  "src/coordination/skill-router.ts": skillRouter,
  "src/coordination/structures/leases.ts": leases,
  "src/coordination/structures/time-order.ts": timeOrder,
  "src/coordination/task-arbitrator.ts": taskArbitrator,
  "src/coordination/workload-balancer.ts": workloadBalancer,
};
