/** What a coordinator stands on: the kernel in this process, or a connection to the process that has it. */
import type { Decision } from "../coordination/decisions/election.ts";
import type { Answer, Command } from "../kernel/commands.ts";
import type {
  AgentInfo,
  BudgetInfo,
  Explanation,
  ResourceInfo,
  TaskFilter,
  TaskInfo,
  TaskStatus,
} from "../kernel/views.ts";
import type { Guard } from "./command-loop.ts";
import type { FeedOptions, StoredEvent } from "./event-feed.ts";
import type { OutcomeData } from "./outcome.ts";
import type { Stats } from "./stats.ts";

/** The answer to a command that was not refused. */
export type Accepted = Extract<Answer, { readonly ok: true }>;

/** What came of a ballot. */
export type BallotResult = Decision & { readonly ballotId: string; readonly open: boolean };

/** What can be asked about the state: by name, what goes in and what comes out. */
export interface QueryTypes {
  /** Nothing but that all that was asked for before is durable. */
  settled: { readonly in: undefined; readonly out: undefined };
  status: { readonly in: string; readonly out: TaskStatus };
  explain: { readonly in: string; readonly out: Explanation };
  /** Null as long as the task has not ended. */
  outcome: { readonly in: string; readonly out: OutcomeData | null };
  /** Null as long as the ballot is open. */
  decision: { readonly in: string; readonly out: BallotResult | null };
  /** As it stands while the ballot is open. */
  recount: { readonly in: string; readonly out: BallotResult };
  tasks: { readonly in: TaskFilter; readonly out: readonly TaskInfo[] };
  agents: { readonly in: undefined; readonly out: readonly AgentInfo[] };
  resources: { readonly in: undefined; readonly out: readonly ResourceInfo[] };
  budgets: { readonly in: undefined; readonly out: readonly BudgetInfo[] };
  ballots: { readonly in: undefined; readonly out: readonly BallotResult[] };
  stats: { readonly in: undefined; readonly out: Stats };
}

export interface CommandOptions {
  /** Asking again with the same id changes nothing, and gives the same answer. */
  readonly id?: string;
  /** About how many bytes its payload takes. */
  readonly bytes?: number | undefined;
  /** Who asks: an agent, by its name. Absent: the program itself. */
  readonly by?: string | undefined;
  /** The trace that it belongs to. */
  readonly trace?: string | undefined;
  readonly guard?: Guard | undefined;
  /** Told as soon as it is decided. */
  readonly decided?: (answer: Answer) => void;
}

/** All promises are rejected with SafeguardsErrors only. */
export interface Backend {
  command(command: Command, options?: CommandOptions): Promise<Accepted>;
  query<N extends keyof QueryTypes>(name: N, about: QueryTypes[N]["in"], guard?: Guard): Promise<QueryTypes[N]["out"]>;
  /** Resolves when the task has ended. */
  outcome(taskId: string, signal?: AbortSignal): Promise<OutcomeData>;
  /** What its agent's code threw, where that is known. */
  thrownBy(outcome: OutcomeData): { readonly error: unknown } | undefined;
  /** Resolves when the ballot is closed. */
  decision(ballotId: string): Promise<BallotResult>;
  events(options: FeedOptions): AsyncGenerator<StoredEvent, void, undefined>;
  idle(): Promise<void>;
  snapshot(): Promise<{ readonly seq: number }>;
  compact(beforeSeq?: number): Promise<{ readonly floor: number }>;
  backup(path: string): Promise<void>;
  drain(graceMs: number): Promise<void>;
  close(): Promise<void>;
}
