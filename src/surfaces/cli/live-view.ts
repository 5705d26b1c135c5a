/** The live view of a run: what is known of it in, lines for a terminal of a given size out. */
import { runManagerName } from "../../crew/crew.ts";
import type { AgentInfo, ResourceInfo } from "../../kernel/views.ts";
import { bar, type Line, paint, type Span, type Style, spread } from "./line.ts";
import { count, duration } from "./quantity.ts";
import type { EndedTask, RunningTask, RunProgress } from "./run-progress.ts";
import { cut, cutMiddle, pad, printable, widthOf } from "./text.ts";

/** Everything that the view shows. */
export interface LiveFacts {
  readonly crew: string;
  readonly runId: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly progress: RunProgress;
  readonly agents: readonly AgentInfo[];
  readonly resources: readonly ResourceInfo[];
  /** Why tasks wait, in the scheduler's words, by id: of the first few. */
  readonly reasons: ReadonlyMap<string, string>;
  /** What running tasks say of themselves, by id. */
  readonly notes: ReadonlyMap<string, { readonly fraction: number; readonly note?: string }>;
  readonly stopping?: "draining" | "aborting";
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const NARROW = 60;
/** Of so many of those that wait the reason is asked; the others are counted. */
export const ASKED_WAITING = 16;
const SHOWN_WAITING = 5;
const SHOWN_LATEST = 6;

const MARKS: Readonly<Record<EndedTask["end"], Span>> = {
  completed: paint("green", "✓"),
  failed: paint("red", "✗"),
  skipped: paint("yellow", "–"),
  cancelled: paint("yellow", "○"),
};

/** At most `rows` lines, the most telling ones; the last is never the terminal's last row, which would scroll. */
export function liveView(facts: LiveFacts, size: Size): Line[] {
  const head = [...header(facts, size.columns), ...resourceLine(facts)];
  const foot: Line[] = [[paint("dim", footer(facts))]];
  const room = Math.max(0, size.rows - 1 - head.length - foot.length);
  const sections = share(room, [agentSection(facts, size), waitingSection(facts, size), latestSection(facts, size)]);
  return [...head, ...sections, ...foot].slice(0, Math.max(1, size.rows - 1));
}

function header({ crew, runId, progress, now }: LiveFacts, columns: number): Line[] {
  const { counts, total } = progress;
  const done = counts.completed + counts.failed + counts.skipped + counts.cancelled;
  const title = [paint("bold", cut(printable(crew), Math.max(8, columns - 20))), " ", paint("dim", printable(runId))];
  const figures: Line = [
    ` ${done}/${total}`,
    ...figure(counts.running, "running", "cyan"),
    ...figure(counts.waiting, "waiting", "dim"),
    ...figure(progress.toApprove.size, "to approve", "yellow"),
    ...figure(counts.failed, "failed", "red"),
    ...figure(counts.skipped, "skipped", "yellow"),
    ...figure(counts.cancelled, "cancelled", "yellow"),
  ];
  const barColumns = columns < NARROW ? 8 : Math.min(32, columns - 56);
  return [
    spread(title, [paint("dim", duration(progress.elapsedMs(now)))], columns),
    [...bar(total === 0 ? 0 : done / total, Math.max(4, barColumns)), ...figures],
  ];
}

function figure(number: number, what: string, style: Style): Span[] {
  return number === 0 ? [] : [" · ", paint(style, `${number} ${what}`)];
}

function resourceLine({ resources }: LiveFacts): Line[] {
  if (resources.length === 0) return [];
  const shown = resources.slice(0, 6).flatMap(({ id, allocated, capacity, waiting }): Span[] => {
    const full = allocated >= capacity && capacity > 0;
    const used = `${Number(allocated.toFixed(1))}/${capacity}`;
    const queue = waiting > 0 ? ` (${waiting} wait)` : "";
    return [" ", printable(id), " ", full ? paint("yellow", used) : used, paint("dim", queue), " "];
  });
  return [[paint("dim", "uses"), ...shown, ...more(resources.length - 6)]];
}

interface Section {
  readonly title: Line;
  readonly lines: readonly Line[];
  /** Further ones, that are not among the lines. */
  readonly hidden: number;
}

function agentSection(facts: LiveFacts, { columns, rows }: Size): Section {
  const busy = new Map<string, RunningTask[]>();
  for (const task of facts.progress.running.values()) {
    const tasks = busy.get(task.agent);
    if (tasks === undefined) busy.set(task.agent, [task]);
    else tasks.push(task);
  }
  const known = facts.agents.filter(({ name, online }) => online && name !== runManagerName(facts.crew));
  // In their own order, so that nothing jumps; those that do something first where not all can be seen.
  const allFit = known.length <= rows / 3;
  const agents = allFit ? known : known.toSorted((a, b) => Number(busy.has(b.name)) - Number(busy.has(a.name)));
  const nameColumns = Math.min(
    Math.floor(columns / 4),
    Math.max(0, ...known.map(({ name }) => widthOf(printable(name)))),
  );
  const lines = agents
    .slice(0, 50)
    .map((agent) => agentLine(agent, busy.get(agent.name) ?? [], facts, columns, nameColumns));
  return { title: [paint("bold", "agents")], lines, hidden: Math.max(0, agents.length - 50) };
}

function agentLine(
  agent: AgentInfo,
  tasks: readonly RunningTask[],
  facts: LiveFacts,
  columns: number,
  nameColumns: number,
): Line {
  const { name, capacity, breaker } = agent;
  const load = Number(tasks.reduce((sum, task) => sum + task.load, 0).toFixed(2));
  const gauge = columns < NARROW ? [] : [...bar(capacity > 0 ? load / capacity : 0, 8), " "];
  const left: Line = [
    pad(printable(name), nameColumns),
    " ",
    ...gauge,
    paint("dim", pad(`${load}/${capacity}`, 6)),
    " ",
  ];
  if (breaker !== "closed") return [...left, paint("red", `circuit ${breaker}: it failed too often`)];
  if (tasks.length === 0) return [...left, paint("dim", "idle")];
  const each = columns < NARROW ? columns : 40;
  return [
    ...left,
    ...tasks.slice(0, 8).flatMap((task, index) => [index === 0 ? "" : ", ", ...running(task, facts, each)]),
  ];
}

function running(task: RunningTask, facts: LiveFacts, columns: number): Span[] {
  const { taskId, phase, since, attempt } = task;
  const note = facts.notes.get(taskId);
  const said =
    note === undefined ? "" : ` ${Math.round(note.fraction * 100)} % ${printable(note.note ?? "")}`.trimEnd();
  const doing = phase === "run" ? "" : ` ${phase === "plan" ? "plans" : "aggregates"}`;
  const again = phase === "run" && attempt > 1 ? ` #${attempt}` : "";
  const time = duration(facts.progress.clock(facts.now) - since);
  return [paint("cyan", shortId(taskId, facts, columns)), paint("dim", `${doing}${again}${cut(said, 30)} ${time}`)];
}

/** One line for all that wait for the same; those of whom nothing is known yet are counted. */
function waitingSection(facts: LiveFacts, { columns }: Size): Section {
  const { waiting } = facts.progress;
  const groups = new Map<string, string[]>();
  for (const [taskId, reason] of facts.reasons) {
    if (!waiting.has(taskId)) continue;
    const alike = groups.get(reason);
    if (alike === undefined) groups.set(reason, [taskId]);
    else alike.push(taskId);
  }
  const shown = [...groups].slice(0, SHOWN_WAITING);
  const lines = shown.map(([reason, [first = "", ...others]]): Line => {
    const alike = others.length === 0 ? "" : ` and ${others.length} more`;
    const why = printable(reason).replaceAll(`${facts.runId}/`, "");
    return [shortId(first, facts, Math.floor(columns / 3)), alike, " ", paint("dim", why)];
  });
  const named = shown.reduce((sum, [, alike]) => sum + alike.length, 0);
  return { title: [paint("bold", "waiting")], lines, hidden: waiting.size - named };
}

function latestSection(facts: LiveFacts, { columns }: Size): Section {
  const idColumns = Math.floor(columns / 2);
  const lines = facts.progress.latest
    .slice(-SHOWN_LATEST)
    .toReversed()
    .map(({ taskId, end, agent, ms, message }): Line => {
      const by = agent === undefined ? "" : ` ${printable(agent)} ${duration(ms)}`;
      const why: Span[] =
        message === undefined ? [] : [" ", paint(end === "failed" ? "red" : "dim", printable(message))];
      return [MARKS[end], " ", shortId(taskId, facts, idColumns), paint("dim", by), ...why];
    });
  return { title: [paint("bold", "latest")], lines, hidden: 0 };
}

/** Sections one after the other, each with a fair part of the rows; what a small one does not need the large ones get. */
function share(rows: number, sections: readonly Section[]): Line[] {
  const filled = sections.filter(({ lines }) => lines.length > 0);
  const parts = new Map<Section, number>();
  let left = rows;
  for (const [index, section] of filled.toSorted((a, b) => heightOf(a) - heightOf(b)).entries()) {
    const part = Math.min(heightOf(section), Math.floor(left / (filled.length - index)));
    parts.set(section, part);
    left -= part;
  }
  return filled.flatMap((section) => block(section, parts.get(section) ?? 0));
}

function heightOf({ lines, hidden }: Section): number {
  return 1 + lines.length + (hidden > 0 ? 1 : 0);
}

/** A section in so many rows; too few for one of its lines are none. */
function block(section: Section, rows: number): Line[] {
  if (rows < 2) return [];
  const { title, lines, hidden } = section;
  const fits = heightOf(section) <= rows;
  const shown = fits ? lines : lines.slice(0, Math.max(1, rows - 2));
  const missing = hidden + lines.length - shown.length;
  const rest: Line[] = missing > 0 && shown.length + 1 < rows ? [more(missing)] : [];
  return [title, ...[...shown, ...rest].map((line) => [" ", ...line])];
}

function more(number: number): Span[] {
  return number > 0 ? [paint("dim", `… ${number} more`)] : [];
}

function footer({ stopping, progress }: LiveFacts): string {
  const running = count(progress.counts.running, "task");
  if (stopping === "draining") return `stopping: ${running} still to end; Ctrl-C again aborts`;
  if (stopping === "aborting") return `aborting ${running}`;
  return "Ctrl-C: end what runs, and go on another time";
}

/** Without the run's own id, which the header has. */
function shortId(taskId: string, { runId }: LiveFacts, columns: number): string {
  const local = taskId.startsWith(`${runId}/`) ? taskId.slice(runId.length + 1) : taskId;
  return cutMiddle(printable(local), columns);
}
