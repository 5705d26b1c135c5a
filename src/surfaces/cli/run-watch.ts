/**
 * Watches a run from its first event to its end: folds the log into its progress, and shows that on a screen, as lines of a
 * log, or not at all.
 */
import type { Coordinator } from "../../runtime/coordinator.ts";
import { print } from "./line.ts";
import { LiveScreen } from "./live-screen.ts";
import { ASKED_WAITING, type LiveFacts, liveView } from "./live-view.ts";
import { PlainView } from "./plain-view.ts";
import { RunProgress } from "./run-progress.ts";
import type { Terminal } from "./terminal.ts";

export interface WatchedRun {
  readonly coordinator: Coordinator;
  readonly crew: string;
  readonly runId: string;
  /** Where in the log the run begins, or what came before it ends. */
  readonly fromSeq: number;
}

const REDRAW_MS = 100;
/** How often the clocks on the screen move when nothing else does. */
const IDLE_REDRAW_MS = 1_000;
const ASK_MS = 500;

export class RunWatch {
  readonly progress: RunProgress;
  readonly #run: WatchedRun;
  readonly #end: AbortController = new AbortController();
  readonly #following: Promise<void>;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #notes: Map<string, { readonly fraction: number; readonly note?: string }> = new Map();
  readonly #notesOff: () => void;
  #stopping: LiveFacts["stopping"];
  #isDirty = true;
  #drawnAt = 0;
  #screen: LiveScreen | undefined;
  #seq = 0;
  #awaited: { readonly seq: number; readonly resolve: () => void } | undefined;

  constructor(run: WatchedRun, terminal: Terminal, show: "live" | "plain" | "nothing") {
    this.#run = run;
    this.progress = new RunProgress(run.runId);
    const plain = show === "plain" ? new PlainView(run.runId, this.progress) : undefined;
    const write = (lines: readonly string[]): void => {
      for (const line of lines) terminal.out.write(`${line}\n`);
    };
    // Why a log ends before its time is told to who waits for the run's outcome.
    this.#following = this.#follow(write, plain).catch(() => undefined);
    this.#notesOff = run.coordinator.onProgress(({ taskId, fraction, note }) => {
      this.#notes.set(taskId, { fraction, ...(note === undefined ? {} : { note }) });
      this.#isDirty = true;
    });
    if (show === "live") this.#showOn(terminal);
  }

  stopping(how: "draining" | "aborting"): void {
    this.#stopping = how;
    this.#isDirty = true;
  }

  /** Resolves when all events up to this one were seen, or the run's own end. */
  async sees(seq: number): Promise<void> {
    if (this.#seq >= seq || this.progress.end !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { seq, resolve };
    await Promise.race([promise, this.#following]);
  }

  /** Takes everything off the screen. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#end.abort();
    this.#notesOff();
    await this.#following;
    this.#screen?.close();
    this.#screen = undefined;
  }

  async #follow(write: (lines: readonly string[]) => void, plain: PlainView | undefined): Promise<void> {
    const { coordinator, fromSeq } = this.#run;
    for await (const event of coordinator.events({ from: fromSeq, follow: true, signal: this.#end.signal })) {
      this.progress.apply(event);
      if (plain !== undefined) write(plain.lines(event));
      if (typeof event.taskId === "string" && !this.progress.running.has(event.taskId))
        this.#notes.delete(event.taskId);
      this.#isDirty = true;
      this.#seq = event.seq;
      if (this.#awaited !== undefined && event.seq >= this.#awaited.seq) this.#awaited.resolve();
      if (this.progress.end !== undefined) return;
    }
  }

  #showOn(terminal: Terminal): void {
    const screen = new LiveScreen(terminal.out, terminal.err);
    this.#screen = screen;
    let asked: Pick<LiveFacts, "agents" | "resources" | "reasons"> = { agents: [], resources: [], reasons: new Map() };
    const draw = (): void => {
      const now = Date.now();
      if (!this.#isDirty && now - this.#drawnAt < IDLE_REDRAW_MS) return;
      this.#isDirty = false;
      this.#drawnAt = now;
      const { crew, runId } = this.#run;
      const facts: LiveFacts = {
        crew,
        runId,
        now,
        progress: this.progress,
        notes: this.#notes,
        ...asked,
        ...(this.#stopping === undefined ? {} : { stopping: this.#stopping }),
      };
      // A line as wide as the terminal would make some of them wrap.
      const columns = Math.max(1, terminal.columns - 1);
      const paper = terminal.paper(columns);
      screen.draw(liveView(facts, { columns, rows: terminal.rows }).map((line) => print(line, paper)));
    };
    let isAsking = false;
    const ask = (): void => {
      if (isAsking) return;
      isAsking = true;
      this.#ask()
        .then((answer) => {
          asked = answer;
          this.#isDirty = true;
        })
        // A coordinator that closes answers no more: the screen goes with it.
        .catch(() => undefined)
        .finally(() => {
          isAsking = false;
        });
    };
    ask();
    this.#timers.push(setInterval(draw, REDRAW_MS), setInterval(ask, ASK_MS));
  }

  async #ask(): Promise<Pick<LiveFacts, "agents" | "resources" | "reasons">> {
    const { coordinator } = this.#run;
    const reasons = await Promise.all(
      [...first(new Set([...this.progress.toApprove, ...this.progress.waiting]), ASKED_WAITING)].map(
        async (taskId): Promise<[string, string]> => {
          const { reasons: why, text } = await coordinator.explain(taskId);
          return [taskId, why.length === 0 ? text : why.map((reason) => reason.text).join("; ")];
        },
      ),
    );
    return { agents: await coordinator.agents(), resources: await coordinator.resources(), reasons: new Map(reasons) };
  }
}

function* first<T>(items: Iterable<T>, count: number): Iterable<T> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}
