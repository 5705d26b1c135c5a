import { MemoryJournal } from "../journal/memory.ts";
import { checkCrew, type SimulatedCrew } from "./simulated-crew.ts";
import { runSimulation, type SimulationReport } from "./simulation.ts";

/**
 * Runs a crew on the real kernel and runtime, with a journal in memory, made-up agents and a clock that never waits: time
 * passes only when nothing is left to do. Agents take as long as `durations` says, or else a task's `estimatedMs`, and then spend its `cost`; an
 * attempt that comes after another takes its whole time again. Whatever has to be approved (`approval`) is, at once. All
 * that falls on one instant is one batch. The same crew
 * with the same seed gives the same events, byte for byte. Ends when nothing more can happen.
 *
 * The log is checked as it grows, by code that does not ask the kernel: seqs, the chain of hashes, epochs and time;
 * slots, capacities and resources against what is held; budgets against what is set aside and spent; status changes, tokens, dependencies, attempts, the effects of
 * repeated commands. At the end the views must agree with it, a replay must give the very state that there is, and
 * without faults nobody who could run may still wait. What does not hold is told in `violations`.
 *
 * INVALID_ARGUMENT for a crew that is not as described, or that asks for what this version does not have (`journalTears`); else whatever `Coordinator.submit` would refuse its tasks with. INVALID_STATE when the coordinator
 * itself breaks.
 *
 * @example
 * ```ts
 * import { simulate } from "safeguards/testing";
 * const { makespanMs, utilization } = await simulate({
 *   agents: [{ name: "a" }, { name: "b" }],
 *   tasks: [
 *     { id: "x", estimatedMs: 30 },
 *     { id: "y", estimatedMs: 20 },
 *     { id: "z", estimatedMs: 20, dependsOn: ["y"] },
 *   ],
 * });
 * console.log(makespanMs, utilization); // 40 { a: 0.75, b: 1 }
 * ```
 */
export async function simulate(crew: SimulatedCrew): Promise<SimulationReport> {
  return runSimulation(checkCrew(crew), new MemoryJournal());
}
