/** Everything has a limit. Each stands here with its reason; over it there is a clear refusal, never a surprise. */
export const limits = {
  /** Tasks that have not ended, in one coordinator: a small one that waits takes about a kilobyte. */
  liveTasks: 2_000_000,
  /** Tasks in one submit or one plan: what one journal record and one batch can hold without stalling others for long. */
  tasksPerSubmit: 100_000,
  /** Registered agents, online or not. */
  agents: 100_000,
  resources: 10_000,
  /** Budgets are for people to look after. */
  budgets: 10_000,
  /** Resources that one task names. */
  resourcesPerTask: 64,
  skillsPerTask: 64,
  skillsPerAgent: 1_024,
  dependenciesPerTask: 10_000,
  /** How many managers may be above one another, and tasks above a task: deeper is a loop of plans. */
  managerDepth: 32,
  /** Rounds of one manager's plan. */
  rounds: 100,
  /** Characters of a user's id or name. */
  idLength: 256,
  /** Characters of a global id, which joins local ones with `/`. */
  globalIdLength: 4_096,
  /** Preemptions after which a task is shielded. */
  preemptions: 3,
  /** Attempts lost with their process after which a task is poison. */
  losses: 3,
  /** Running attempts looked at when one searches whom to preempt. */
  preemptScan: 256,
  /** Waiting tasks of one class looked at, in order, behind the first that cannot start. */
  backfillDepth: 1_000,
  /** Accepted commands whose answers are remembered, by id and by key. */
  commandMemory: 100_000,
  /** Agent indexes per required skill set that are kept while no task asks for them. */
  idlePools: 4_096,
  /** Classes without tasks that are kept, so that the next task finds its class made. */
  idleClasses: 4_096,
  /** Extra requests of running attempts that may wait at one time. */
  waitingRequests: 10_000,
  /** Ballots that are open at one time. */
  openBallots: 10_000,
  /** Closed ballots kept in memory. */
  keptBallots: 10_000,
  voters: 10_000,
  options: 1_000,
  /** Guardrails on inputs, on outputs, or on actions: each has its say, and an event, for every one of them. */
  guardrails: 64,
  /** Characters of a guardrail's reason: what it blocked is not for the journal. */
  reasonLength: 1_024,
  /** Characters of an error's message as it is journaled. */
  messageLength: 4_096,
  attemptsPerTask: 1_000,
  /** Unread messages to one agent: more are a reader that does not read, which its senders should know. */
  messagesPerMailbox: 1_000,
  /** Characters, as JSON, of one message: it tells of something; what is large goes into the shared state or an output. */
  messageCharacters: 65_536,
  /** Characters of unread messages to one agent, so that one mailbox does not take what is there for all. */
  mailboxCharacters: 4_194_304,
  /** Characters of all unread messages to agents: they are held in memory. */
  allMailboxCharacters: 134_217_728,
  /** Messages that a topic keeps, its latest: what a reader that comes late can still see. */
  messagesPerTopic: 1_000,
  /** Topics that are kept: over it the one to which nothing was published for longest goes. */
  topics: 1_000,
  /** Characters that all topics keep: over it the quietest topic loses its oldest messages. */
  allTopicCharacters: 67_108_864,
  /** Agents of which a topic knows how far they have read; of those beyond, who has not read for longest begins anew. */
  readersPerTopic: 1_000,
  /** Messages that one attempt has in hand, not yet read to the end. */
  messagesInHand: 1_000,
  /** Keys of the shared state, and the characters of one. */
  stateKeys: 100_000,
  stateKeyLength: 1_024,
  /** Characters of the whole shared state, keys and values as JSON: it is held in memory and in every snapshot. */
  stateCharacters: 67_108_864,
  /** Characters of the name of a trace: a traceparent of the W3C has 55. */
  traceLength: 256,
  /** Tasks that have ended and are kept in memory: each takes some 200 bytes and what its input and output have. */
  keptTasks: 10_000_000,
  /** Tasks that an agent is given together: what one call can be asked to do, and one batch of events can tell. */
  batchedTasks: 1_000,
  /** Characters of a `cacheKey` or a `batchKey`: an address or a hash of what is asked fits. */
  keyLength: 1_024,
  /** Milliseconds of a `cacheMs`: 366 days, beyond which an output is no answer but a record. */
  cacheMs: 31_622_400_000,
  /** Outputs kept for later tasks of the same `cacheKey`, and their characters as JSON: small beside what tasks take. */
  cachedOutputs: 10_000,
  cachedBytes: 64_000_000,
} as const;

/** Defaults of what a caller leaves out; milliseconds. */
export const defaults = {
  concurrency: 64,
  /** Tasks that have ended and are kept in memory. */
  keepCount: 100_000,
  protectAfterMs: 30_000,
  unroutableMs: 60_000,
  graceMs: 5_000,
  retryInitialMs: 1_000,
  retryMaxMs: 60_000,
  retryFactor: 2,
  maxAttempts: 3,
  ballotDeadlineMs: 30_000,
  /** Tasks that an agent which takes them together is given at most. */
  maxBatch: 16,
  /** How old an output may be to answer a task: an hour. */
  cacheMs: 3_600_000,
} as const;
