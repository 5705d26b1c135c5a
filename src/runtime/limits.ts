/** Limits of the runtime's own, each with its reason; those of what is decided stand in `kernel/limits.ts`. */
export const runtimeLimits = {
  /** Commands in one batch: deciding it, telling it and what those do who are told take about 4 ms, so that nothing else waits longer. */
  batchCommands: 256,
  /** Bytes of payload in one batch, unless one command alone has more: a journal record stays small enough to write at once. */
  batchBytes: 262_144,
  /** Batches that are decided but not yet durable: enough to keep the journal busy, few enough to gather large ones. */
  batchesInFlight: 4,
  /** How late the timer may ring without anything else being late as well, in milliseconds: it rings in whole ones. */
  punctualMs: 1,
  /** Further rings of it until what was kept waiting has run: timers and what had been received by the first, what these set off by the second. */
  catchUpRings: 2,
  /** Ids for which the archive is asked at one time: it answers between commits. */
  recalledAtOnce: 1_000,
  /** Calls that wait to be decided: over it, QUEUE_FULL. */
  waitingCalls: 1_000_000,
  /** Bytes of payload that they have together, but for the last: over it, QUEUE_FULL. A flood of large inputs fills no memory. */
  waitingBytes: 1_073_741_824,
  /** Bytes of one input, context, checkpoint or vote, as JSON. */
  inputBytes: 1_000_000,
  /** Bytes of one output, as JSON. */
  outputBytes: 16_000_000,
  /** Bytes of one task's own description without its input and context. */
  specBytes: 1_000_000,
  /** Milliseconds that a guardrail may take for one verdict: enough to ask a model, and an end for what hangs. */
  guardrailMs: 30_000,
  /** Inputs, and outputs that answer others, that guardrails look at at one time: those that ask a model are not asked about all at once. */
  verdictsAtOnce: 256,
  /** About how many bytes one verdict takes in the journal. */
  verdictBytes: 128,
  /** Actions of one attempt that guardrails look at: each leaves events. */
  actionsPerAttempt: 10_000,
  /** Characters that built-in guardrails look through for one verdict: that takes some tens of milliseconds, whatever the text. */
  searchedCharacters: 1_000_000,
  /** Actions that a rate may allow within its window, and agents or tasks whose actions it counts: each instant is remembered. */
  countedActions: 10_000,
  countedActors: 10_000,
  /** Errors that agents threw, kept as they were for those who ask for a result. */
  keptErrors: 1_000,
  /** Places in which one attempt waits for messages at a time. */
  readersPerAttempt: 100,
  /** Milliseconds between two reports of one attempt's progress. */
  progressMs: 100,
  /** Characters of a note on progress. */
  noteLength: 1_024,
  /** Isolated attempts that run at a time in one process: each thread takes some 10 MB before its code does anything. */
  isolatedThreads: 256,
  /** Milliseconds that the module of an isolated agent may take to be imported. */
  isolatedStartMs: 30_000,
  /** Megabytes that an isolated attempt may take by default. */
  isolatedMemoryMb: 256,
  /** What V8 may give a thread beyond that, in megabytes: a thread takes some 3 in a millisecond, at most 1 000 in one piece, and is looked at after less than a second. */
  memoryHeadroomMb: 4_096,
  /** Milliseconds between two looks at what a thread takes, at least and at most; in between as long as it would need for the rest, at so many megabytes a millisecond. */
  memoryLookMs: 10,
  memoryLooksMs: 1_000,
  memoryMbPerMs: 4,
  /** Milliseconds after which an isolated attempt of which nothing is heard is lost, by default: nothing but its own code can keep a thread from answering. */
  isolatedLeaseMs: 30_000,
  /** Messages of one isolated attempt that are on their way, and the characters that weigh as much as one more: some hundred lines of a log, or a few megabytes, the most that one turn of the loop hears of it. */
  isolatedBacklog: 256,
  isolatedBacklogCharacters: 16_384,
  /** Calls of one isolated attempt that wait for their answers, and bytes of what they are given: it may call faster than anybody can answer. */
  isolatedAsked: 1_000,
  isolatedAskedBytes: 16_000_000,
  /** Milliseconds that running attempts are given to stop, at most, when the coordinator is closed or has been drained. */
  closeGraceMs: 2_000,
  /** Milliseconds that a drain waits for running attempts by default. */
  drainGraceMs: 30_000,
  /** Events after which a snapshot is taken, at least; more when the last one was large. */
  snapshotEvents: 100_000,
  /** Milliseconds after which what came since the last snapshot gets one, however little it is: an hour of a quiet coordinator is not read again at its next opening. */
  snapshotMs: 900_000,
  /** Of the rows of the last one, how many events must have come since for that: all snapshots together stay cheap. */
  snapshotRowsPerEvent: 100,
  /** Events since the last snapshot that make one worthwhile when closing. */
  snapshotEventsAtClose: 20_000,
  /** Bytes of one chunk of a snapshot. */
  snapshotChunkBytes: 262_144,
  /** Milliseconds of work on a snapshot, or on a long list, before others get their turn. */
  sliceMs: 4,
  /** Agents, and classes of tasks, that are measured by themselves, and the latest measurements of each: some 4 megabytes. */
  meteredParts: 256,
  partSamples: 256,
  /** The latest measurements that a distribution looks at. */
  samples: 1_024,
  /** Characters of a key of `ctx.cache`: an address fits. */
  cacheKeyLength: 4_096,
  /** Values that `ctx.cache` keeps, and their bytes as JSON: small beside what tasks take. */
  cacheEntries: 10_000,
  cacheBytes: 64_000_000,
} as const;
