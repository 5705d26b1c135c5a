/**
 * The lives of tasks, kept from the events alone.
 *
 * 1. A status is left only for one that may follow it, and a task ends once in a series of attempts.
 * 2. Nothing starts before what it needs has ended well, nothing below a task that ends or has ended.
 * 3. One attempt at a time; its token is higher than any before, and an older one changes nothing.
 * 4. Attempts that count are no more than the policy's.
 * 5. An output counts for the attempt that gave it: scripted agents put their token in it.
 */
import { show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { StopReason } from "../kernel/events/attempts.ts";
import type { KernelEvent } from "../kernel/events.ts";
import { defaults } from "../kernel/limits.ts";
import type { TaskInfo, TaskStatus } from "../kernel/views.ts";

type EventOf<T extends KernelEvent["type"]> = Extract<KernelEvent, { readonly type: T }>;

interface Life {
  readonly submitted: EventOf<"task.submitted">;
  /** "pending" also while it is blocked: what it depends on says which. */
  status: Exclude<TaskStatus, "blocked">;
  token: number | undefined;
  stopping: StopReason | undefined;
  ending: boolean;
  attempts: number;
  /** In this series: attempts that count. */
  counted: number;
  fellBack: boolean;
  startedAt: number | undefined;
  endedAt: number | undefined;
}

const NONE: readonly string[] = [];

export class AuditLives {
  readonly #complain: (what: string) => void;
  readonly #lives: Map<string, Life> = new Map();
  /** Those of the present record. */
  #fresh: Map<string, Life> = new Map();
  #lastToken = 0;

  constructor(complain: (what: string) => void) {
    this.#complain = complain;
  }

  see(event: KernelEvent): void {
    switch (event.type) {
      case "task.submitted":
        this.#submitted(event);
        break;
      case "task.started":
        this.#started(event);
        break;
      case "attempt.stopping": {
        const life = this.#attempt(event);
        if (life?.stopping !== undefined) this.#complain(`task ${show(event.taskId)} is told to stop twice`);
        if (life !== undefined) life.stopping = event.reason;
        break;
      }
      case "attempt.ended":
        this.#attemptEnded(event);
        break;
      case "task.ending": {
        const life = this.#life(event.taskId);
        if (life?.ending === true || (life !== undefined && isTerminal(life.status)))
          this.#complain(`task ${show(event.taskId)} is to end a second time`);
        if (life !== undefined) life.ending = true;
        break;
      }
      case "task.fell-back": {
        const life = this.#life(event.taskId);
        if (life?.submitted.fallback === undefined || life.token !== undefined)
          this.#complain(`task ${show(event.taskId)} falls back on what it does not have, or while it runs`);
        if (life === undefined) break;
        life.counted = 0;
        life.ending = false;
        life.fellBack = true;
        break;
      }
      case "task.completed": {
        const { token } = event;
        if (token === undefined) {
          if (event.from !== undefined) {
            this.#answered(event);
            break;
          }
          if (event.via === "fallback" && this.#life(event.taskId)?.fellBack !== true)
            this.#complain(`task ${show(event.taskId)} completes without an attempt, and fell back on nothing`);
          this.#ended(event, "completed");
          break;
        }
        const life = this.#attempt({ taskId: event.taskId, token });
        if (life?.status !== "running") this.#complain(`task ${show(event.taskId)} completes while ${life?.status}`);
        if (life !== undefined) life.token = undefined;
        const of = tokenIn(event.output);
        if (of !== event.token) this.#complain(`task ${show(event.taskId)} completes with the output of token ${of}`);
        this.#ended(event, "completed");
        break;
      }
      case "flight.joined":
        this.#joined(event);
        break;
      case "flight.led": {
        const life = this.#life(event.taskId);
        if (life?.status === "waiting") life.status = "pending";
        break;
      }
      case "task.failed":
        this.#ended(event, "failed");
        break;
      case "task.cancelled":
        this.#ended(event, "cancelled");
        break;
      case "task.skipped":
        this.#skipped(event);
        break;
      default:
        break;
    }
  }

  /** The record is over: whatever its tasks depend on is known now, and none depends on itself. */
  settled(): void {
    const fresh = this.#fresh;
    if (fresh.size === 0) return;
    this.#fresh = new Map();
    const dependents = new Map<string, string[]>();
    const open = new Map<string, number>();
    const free: string[] = [];
    for (const [id, { submitted }] of fresh) {
      const among = (submitted.dependsOn ?? NONE).filter((on) => fresh.has(on));
      for (const on of among) {
        const known = dependents.get(on);
        if (known === undefined) dependents.set(on, [id]);
        else known.push(id);
      }
      open.set(id, among.length);
      if (among.length === 0) free.push(id);
    }
    for (const id of free) {
      for (const dependent of dependents.get(id) ?? NONE) {
        const left = (open.get(dependent) ?? 0) - 1;
        open.set(dependent, left);
        if (left === 0) free.push(dependent);
      }
    }
    if (free.length < fresh.size) this.#complain(`${fresh.size - free.length} tasks are in a circle, or depend on one`);
  }

  /** An agent's code is entered for this attempt: not before that is kept, and once. */
  entered(taskId: string, token: number): void {
    const life = this.#lives.get(taskId);
    if (life === undefined || life.token !== token)
      this.#complain(
        `the code for token ${token} of task ${show(taskId)} is entered, and that is no attempt that runs`,
      );
  }

  /** Whether the views tell of the same lives. */
  compare(tasks: readonly TaskInfo[]): void {
    if (tasks.length !== this.#lives.size)
      this.#complain(`${tasks.length} tasks are shown; there are ${this.#lives.size}`);
    for (const { id, status, attempts, startedAt, endedAt } of tasks) {
      const life = this.#lives.get(id);
      const own = life?.status === "pending" && this.#lacks(life) ? "blocked" : life?.status;
      const isSame =
        own === status && life?.attempts === attempts && life.startedAt === startedAt && life.endedAt === endedAt;
      if (isSame) continue;
      const shown = `${status} with ${attempts} attempts`;
      this.#complain(`task ${show(id)} is shown as ${shown}; it is ${own} with ${life?.attempts}`);
    }
  }

  #submitted(event: EventOf<"task.submitted">): void {
    if (this.#lives.has(event.taskId)) this.#complain(`task ${show(event.taskId)} is submitted twice`);
    const life: Life = {
      submitted: event,
      status: "pending",
      token: undefined,
      stopping: undefined,
      ending: false,
      attempts: 0,
      counted: 0,
      fellBack: false,
      startedAt: undefined,
      endedAt: undefined,
    };
    this.#lives.set(event.taskId, life);
    this.#fresh.set(event.taskId, life);
  }

  #started(event: EventOf<"task.started">): void {
    const { taskId, token, at } = event;
    const life = this.#life(taskId);
    if (life === undefined) return;
    const name = `task ${show(taskId)}`;
    if (life.status !== "pending" && life.status !== "paused") this.#complain(`${name} starts while ${life.status}`);
    if (this.#lacks(life)) this.#complain(`${name} starts before what it depends on has ended well`);
    if (token <= this.#lastToken) this.#complain(`${name} starts with token ${token}, after ${this.#lastToken}`);
    if (life.counted >= maxAttempts(life)) this.#complain(`${name} starts after ${life.counted} attempts that count`);
    if (life.ending) this.#complain(`${name} starts although it is to end`);
    for (let up = this.#above(life); up !== undefined; up = this.#above(up)) {
      if (up.ending || isTerminal(up.status))
        this.#complain(`${name} starts below ${show(up.submitted.taskId)}, which has ended`);
    }
    this.#lastToken = Math.max(token, this.#lastToken);
    life.status = "running";
    life.token = token;
    life.stopping = undefined;
    life.attempts += 1;
    life.startedAt ??= at;
  }

  #attemptEnded(event: EventOf<"attempt.ended">): void {
    const life = this.#attempt(event);
    if (life === undefined) return;
    const { end } = event;
    const { stopping } = life;
    if (end === "failed" || end === "timeout" || end === "lost" || (end === "abandoned" && stopping === "timeout"))
      life.counted += 1;
    life.token = undefined;
    life.stopping = undefined;
    life.status = stopping === "preempted" || stopping === "paused" ? "paused" : "pending";
  }

  /** It waits for another's output: one of the same key that has not ended. */
  #joined({ taskId, leader }: EventOf<"flight.joined">): void {
    const life = this.#life(taskId);
    const other = this.#life(leader);
    if (life?.status !== "pending" && life?.status !== "paused")
      this.#complain(`task ${show(taskId)} follows another while ${life?.status}`);
    const isSame = other?.submitted.cacheKey === life?.submitted.cacheKey && other !== undefined;
    if (!isSame || isTerminal(other.status))
      this.#complain(`task ${show(taskId)} follows ${show(leader)}, which is none to follow`);
    if (life !== undefined) life.status = "waiting";
  }

  /** It has the output of another of the same key that has completed. */
  #answered(event: EventOf<"task.completed">): void {
    const life = this.#life(event.taskId);
    const other = event.from === undefined ? undefined : this.#life(event.from);
    const isSame = other?.submitted.cacheKey === life?.submitted.cacheKey && other?.submitted.cacheKey !== undefined;
    if (!isSame || other.status !== "completed")
      this.#complain(`task ${show(event.taskId)} is answered by ${show(event.from)}, which has no output for it`);
    this.#ended(event, "completed");
  }

  #skipped(event: EventOf<"task.skipped">): void {
    const { taskId, dependency } = event;
    const life = this.#life(taskId);
    const cause = this.#lives.get(dependency);
    const isCause = cause !== undefined && isTerminal(cause.status) && cause.status !== "completed";
    if (!isCause || life?.submitted.dependsOn?.includes(dependency) !== true)
      this.#complain(`task ${show(taskId)} is skipped for ${show(dependency)}, which is no reason`);
    if (life?.attempts !== 0) this.#complain(`task ${show(taskId)} is skipped after it has run`);
    this.#ended(event, "skipped");
  }

  #ended(
    event: KernelEvent & { readonly taskId: string },
    status: "completed" | "failed" | "skipped" | "cancelled",
  ): void {
    const life = this.#life(event.taskId);
    if (life === undefined) return;
    if (isTerminal(life.status)) this.#complain(`task ${show(event.taskId)} is ${status} after it was ${life.status}`);
    if (life.token !== undefined) this.#complain(`task ${show(event.taskId)} is ${status} while an attempt runs`);
    life.status = status;
    life.ending = false;
    life.endedAt = event.at;
  }

  #life(taskId: string): Life | undefined {
    const life = this.#lives.get(taskId);
    if (life === undefined) this.#complain(`an event tells of task ${show(taskId)}, which was not submitted`);
    return life;
  }

  /** The life of which this is the attempt that runs. */
  #attempt({ taskId, token }: { readonly taskId: string; readonly token: number }): Life | undefined {
    const life = this.#life(taskId);
    if (life === undefined || life.token === token) return life;
    this.#complain(`token ${token} speaks for task ${show(taskId)}, whose attempt is ${life.token ?? "none"}`);
    return undefined;
  }

  /** Whether something that it needs has not ended, or not well. */
  #lacks({ submitted }: Life): boolean {
    return (submitted.dependsOn ?? NONE).some((id) => {
      const status = this.#lives.get(id)?.status;
      if (submitted.onDependencyFailure === "run") return status === undefined || !isTerminal(status);
      return status !== "completed";
    });
  }

  #above({ submitted: { parentId } }: Life): Life | undefined {
    return parentId === undefined ? undefined : this.#lives.get(parentId);
  }
}

function maxAttempts({ submitted }: Life): number {
  return submitted.retry?.maxAttempts ?? defaults.maxAttempts;
}

function tokenIn(output: Json): unknown {
  return typeof output === "object" && output !== null ? Reflect.get(output, "token") : undefined;
}

function isTerminal(status: TaskStatus): boolean {
  return status === "completed" || status === "failed" || status === "skipped" || status === "cancelled";
}
