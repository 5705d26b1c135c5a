/**
 * Who may run: tasks with priorities and dependencies share a number of slots.
 *
 * 1. The slots' queue holds exactly the tasks that lack nothing but a slot: no dependency is unfinished and nobody holds them.
 * 2. A task is `blocked`, or held, while a dependency is unfinished; nothing waits for what has failed, was skipped or cancelled.
 * 3. Dependencies never form a cycle.
 * 4. After every call but `register`, `addDependency` and `start` nothing is left that could start.
 * 5. A refused call changes nothing.
 */
import { SafeguardsError } from "../errors.ts";
import {
  checkDuration,
  checkId,
  checkInteger,
  checkKeys,
  checkPriority,
  invalid,
  show,
} from "./structures/arguments.ts";
import { findCycle } from "./structures/dependency-graph.ts";
import { PriorityInheritance } from "./structures/priority-inheritance.ts";
import { Slots, type Slotted } from "./structures/slots.ts";
import { checkNotBefore } from "./structures/time-order.ts";

/** What a task is doing. The last four are final. */
export type ArbitratedStatus =
  | "blocked"
  | "pending"
  | "running"
  | "paused"
  | "completed"
  | "failed"
  | "skipped"
  | "cancelled";

/** Options of a {@link TaskArbitrator}. */
export interface TaskArbitratorOptions {
  /** How many tasks may run at once, from 1. Default 5. */
  readonly maxConcurrent?: number;
  /** So many milliseconds of waiting are worth one step of priority. 0 is the order of arrival; default: no aging. */
  readonly agingMs?: number;
  /** Whether a waiting task may take the slot of a running one. Default true. */
  readonly preempt?: boolean;
}

/** A task as the {@link TaskArbitrator} knows it. */
export interface ArbitratedTask {
  /** 1 to 256 characters without `/`, never used before. */
  readonly id: string;
  /** Who does it. For the reader: the arbitrator knows slots, not agents. */
  readonly agentId?: string;
  /** An integer from −1 000 000 to 1 000 000, higher goes first. Default 5. */
  readonly priority?: number;
  /** Known tasks that must have completed before this one starts. */
  readonly dependsOn?: readonly string[];
  /** How long it may take, from 0. For the reader: nothing is decided by it. */
  readonly estimatedMs?: number;
  /** Whether it may be stopped for a task that goes first. Default true. */
  readonly preemptible?: boolean;
}

/** What became of {@link TaskArbitrator.start}. */
export interface StartResult {
  /** Whether the task runs now. */
  readonly started: boolean;
  /** The task that was stopped for it. */
  readonly preempted?: string;
  /** Why it does not run: what it depends on, no slot, a person's `pause`, or it has ended. */
  readonly reason?: "dependencies" | "concurrency" | "held" | "finished";
}

interface Task extends Slotted<Task> {
  readonly id: string;
  readonly priority: number;
  dependsOn: Set<string> | undefined;
  readonly dependents: Task[];
  status: ArbitratedStatus;
  /** A person has paused it. */
  held: boolean;
  /** How many of its dependencies have not completed. */
  unmet: number;
}

const DEFAULT_CONCURRENT = 5;

/**
 * Decides which of many tasks run in a limited number of slots: by priority (with aging, if asked for), after their
 * dependencies, stopping a running task for one that goes first. Pure: times come in with the calls, and every method says
 * what it started.
 *
 * Order: the higher effective priority first, then the earlier registration. With `agingMs` the key is
 * arrival − priority × agingMs, smaller first. A task's effective priority is the highest among its own and those of all
 * tasks that wait for it, directly or through others (Sha, Rajkumar, Lehoczky 1990).
 *
 * A task that is stopped for another is `paused`, keeps its place in the order, and resumes by itself; after three times it
 * is not stopped again. One that a person pauses stays so until `resume`. When a task fails or is cancelled, all that depend
 * on it are `skipped`, and what ends stays as it is.
 *
 * Times (`now`) are milliseconds, and one before an earlier call's is refused with `INVALID_ARGUMENT`, as is any value or
 * option that is not allowed. Each call costs the logarithm of the number of tasks, for every task that it changes.
 *
 * @example
 * ```ts
 * import { TaskArbitrator } from "safeguards/coordination";
 * const tasks = new TaskArbitrator({ maxConcurrent: 1 });
 * tasks.register({ id: "build" }, 0);
 * tasks.register({ id: "deploy", dependsOn: ["build"], priority: 9 }, 0);
 * tasks.startReady(0); // ["build"]
 * tasks.complete("build", 10); // ["deploy"]
 * ```
 */
export class TaskArbitrator {
  readonly #tasks = new Map<string, Task>();
  readonly #slots: Slots<Task>;
  readonly #inheritance: PriorityInheritance<Task>;
  #now = Number.NEGATIVE_INFINITY;

  constructor(options: TaskArbitratorOptions = {}) {
    checkKeys(options, ["maxConcurrent", "agingMs", "preempt"], "options");
    const { maxConcurrent = DEFAULT_CONCURRENT, agingMs = Number.POSITIVE_INFINITY } = options;
    const slotOptions = {
      count: checkInteger(maxConcurrent, "maxConcurrent", 1, Number.MAX_SAFE_INTEGER),
      agingMs: checkDuration(agingMs, "agingMs", { infinity: true, zero: true }),
      preempt: checkBoolean(options.preempt, "preempt"),
    };
    const inheritance = new PriorityInheritance<Task>(
      { own: (task) => task.priority, changed: (task) => this.#slots.reorder(task) },
      { acyclic: true },
    );
    this.#inheritance = inheritance;
    this.#slots = new Slots<Task>(slotOptions, {
      priority: (task) => inheritance.effective(task),
      started: (task) => {
        task.status = "running";
      },
      stopped: (task) => {
        task.status = "paused";
      },
    });
  }

  /** Index nodes visited since construction: the cost, as tests count it. */
  get visits(): number {
    return this.#slots.visits;
  }

  /**
   * Makes a task known. It starts with the next call that starts what is ready; when a dependency has already failed, was
   * skipped or cancelled, it is `skipped`.
   *
   * Errors: `DUPLICATE_ID` for a known id, `UNKNOWN_TASK` for a dependency that is not, `DEPENDENCY_CYCLE` for itself.
   */
  register(task: ArbitratedTask, now: number): void {
    checkKeys(task, ["id", "agentId", "priority", "dependsOn", "estimatedMs", "preemptible"], "task");
    const id = checkId(task.id, "task.id");
    if (task.agentId !== undefined) checkId(task.agentId, "task.agentId");
    if (task.estimatedMs !== undefined) checkDuration(task.estimatedMs, "task.estimatedMs", { zero: true });
    const priority = checkPriority(task.priority, "task.priority");
    const preemptible = checkBoolean(task.preemptible, "task.preemptible");
    const dependsOn = checkIds(task.dependsOn, "task.dependsOn");
    const arrivalMs = checkNotBefore(now, this.#now);
    if (this.#tasks.has(id)) throw new SafeguardsError("DUPLICATE_ID", `a task ${show(id)} is already registered`);
    if (dependsOn?.has(id)) throw cycleError([id]);
    const dependencies = Array.from(dependsOn ?? [], (other) => this.#task(other));
    this.#now = arrivalMs;
    const registered: Task = {
      id,
      seq: this.#tasks.size,
      arrivalMs,
      priority,
      preemptible,
      dependsOn,
      dependents: [],
      status: "pending",
      held: false,
      unmet: 0,
      preemptions: 0,
      ready: undefined,
      stoppable: undefined,
    };
    this.#tasks.set(id, registered);
    this.#depend(registered, dependencies);
  }

  /**
   * From now on the task also waits for another one; once more for the same one changes nothing. When that one has failed,
   * was skipped or cancelled, the task is `skipped` with all that depend on it.
   *
   * Errors: `UNKNOWN_TASK`; `DEPENDENCY_CYCLE`, with the ids of the cycle in `details.cycle`, each depending on the next
   * and the last on the first; `INVALID_STATE` for a task that runs or has ended.
   */
  addDependency(taskId: string, dependsOn: string): void {
    checkId(dependsOn, "dependsOn");
    const task = this.#task(taskId);
    const dependency = this.#task(dependsOn);
    if (task === dependency) throw cycleError([taskId]);
    if (task.dependsOn?.has(dependsOn)) return;
    if (task.dependents.length > 0) this.#refuseCycle(task, dependency);
    if (task.status === "running" || ended(task)) {
      throw new SafeguardsError(
        "INVALID_STATE",
        `task ${show(taskId)} is ${task.status}; only a task that neither runs nor has ended gets another dependency`,
      );
    }
    task.dependsOn ??= new Set();
    task.dependsOn.add(dependsOn);
    this.#depend(task, [dependency]);
  }

  /**
   * Starts one task, if it lacks nothing and there is a slot, or one that it may take: that of the running task of the lowest
   * effective priority, the latest started among equals. A free slot is given to it whatever else is ready. `UNKNOWN_TASK`.
   */
  start(taskId: string, now: number): StartResult {
    const task = this.#called(taskId, now);
    if (task.status === "running") return { started: true };
    if (ended(task)) return { started: false, reason: "finished" };
    if (task.held) return { started: false, reason: "held" };
    if (task.unmet > 0) return { started: false, reason: "dependencies" };
    if (!this.#slots.full) {
      this.#slots.start(task);
      return { started: true };
    }
    const stopped = this.#slots.stopFor(task);
    if (stopped === undefined) return { started: false, reason: "concurrency" };
    this.#slots.start(task);
    return { started: true, preempted: stopped.id };
  }

  /**
   * Holds a task, running or not, until `resume`. `paused` is false for one that has ended; `started` is what was started in
   * its place. `UNKNOWN_TASK`.
   */
  pause(taskId: string, now: number): { readonly paused: boolean; readonly started: readonly string[] } {
    const task = this.#called(taskId, now);
    const paused = !ended(task);
    if (paused) {
      this.#slots.leave(task);
      task.held = true;
      task.status = "paused";
    }
    return { paused, started: this.#fill() };
  }

  /** Ends a person's `pause`; a task that is not held stays as it is. Returns what was started. `UNKNOWN_TASK`. */
  resume(taskId: string, now: number): readonly string[] {
    const task = this.#called(taskId, now);
    if (task.held && !ended(task)) {
      task.held = false;
      this.#settle(task);
    }
    return this.#fill();
  }

  /**
   * A running task has ended, well or, with `success: false`, not. Returns what was started.
   *
   * Errors: `UNKNOWN_TASK`; `INVALID_STATE` for a task that is not running.
   */
  complete(taskId: string, now: number, options?: { readonly success?: boolean }): readonly string[] {
    const success = checkOutcome(options);
    const time = checkNotBefore(now, this.#now);
    const task = this.#task(taskId);
    if (task.status !== "running") {
      throw new SafeguardsError(
        "INVALID_STATE",
        `task ${show(taskId)} is ${task.status}; only a running task completes`,
      );
    }
    this.#now = time;
    this.#end(task, success ? "completed" : "failed");
    return this.#fill();
  }

  /** Cancels a task, running or not; one that has ended stays as it is. Returns what was started. `UNKNOWN_TASK`. */
  cancel(taskId: string, now: number): readonly string[] {
    const task = this.#called(taskId, now);
    if (!ended(task)) this.#end(task, "cancelled");
    return this.#fill();
  }

  /** Starts all that can start, and returns it in the order in which it did. */
  startReady(now: number): readonly string[] {
    this.#now = checkNotBefore(now, this.#now);
    return this.#fill();
  }

  /** What the task is doing. `UNKNOWN_TASK`. */
  status(taskId: string): ArbitratedStatus {
    return this.#task(taskId).status;
  }

  /** The running tasks, in the order of their starts. */
  running(): readonly string[] {
    return Array.from(this.#slots.running, (task) => task.id);
  }

  #task(id: string): Task {
    const task = this.#tasks.get(id);
    if (task !== undefined) return task;
    checkId(id, "a task's id");
    throw new SafeguardsError("UNKNOWN_TASK", `no task ${show(id)} is registered`);
  }

  /** The task of a call that nothing more can refuse. */
  #called(id: string, now: number): Task {
    const time = checkNotBefore(now, this.#now);
    const task = this.#task(id);
    this.#now = time;
    return task;
  }

  #refuseCycle(task: Task, dependency: Task): void {
    const cycle = findCycle([dependency.id], (id) =>
      id === task.id ? [dependency.id] : (this.#task(id).dependsOn ?? []),
    );
    if (cycle !== undefined) throw cycleError(cycle);
  }

  /** Puts the task behind these dependencies, which are already in its `dependsOn`. */
  #depend(task: Task, dependencies: readonly Task[]): void {
    for (const dependency of dependencies) dependency.dependents.push(task);
    if (dependencies.some((dependency) => ended(dependency) && dependency.status !== "completed")) {
      this.#end(task, "skipped");
      return;
    }
    for (const dependency of dependencies) {
      if (dependency.status === "completed") continue;
      task.unmet++;
      this.#inheritance.wait(task, dependency);
    }
    this.#settle(task);
  }

  /** Gives a task that neither runs nor has ended the status that its hold and its dependencies ask for. */
  #settle(task: Task): void {
    if (task.held) return;
    if (task.unmet > 0) {
      this.#slots.leave(task);
      task.status = "blocked";
    } else if (task.ready === undefined) {
      task.status = "pending";
      this.#slots.queue(task);
    }
  }

  #fill(): string[] {
    return this.#slots.fill().map((task) => task.id);
  }

  /** Ends a task, and with anything but success all that waits for it. */
  #end(task: Task, status: "completed" | "failed" | "skipped" | "cancelled"): void {
    this.#slots.leave(task);
    task.status = status;
    this.#inheritance.remove(task);
    if (status === "completed") {
      for (const dependent of task.dependents) this.#satisfy(dependent, task);
      return;
    }
    const lost = [task];
    for (const one of lost) {
      for (const dependent of one.dependents) {
        if (ended(dependent)) continue;
        dependent.status = "skipped";
        this.#inheritance.remove(dependent);
        lost.push(dependent);
      }
    }
  }

  #satisfy(dependent: Task, completed: Task): void {
    if (ended(dependent)) return;
    this.#inheritance.unwait(dependent, completed);
    dependent.unmet--;
    this.#settle(dependent);
  }
}

function ended(task: Task): boolean {
  const { status } = task;
  return status === "completed" || status === "failed" || status === "skipped" || status === "cancelled";
}

function cycleError(cycle: readonly string[]): SafeguardsError {
  const path = [...cycle, cycle[0]].map(show).join(" → ");
  const shown = cycle.length > 10 ? `${path.slice(0, 200)}… (${cycle.length} tasks)` : path;
  return new SafeguardsError("DEPENDENCY_CYCLE", `tasks would wait for each other for ever: ${shown}`, {
    details: { cycle },
  });
}

/** True when it is not given. */
function checkBoolean(value: unknown, what: string): boolean {
  if (value === undefined) return true;
  if (typeof value === "boolean") return value;
  throw invalid(what, value, "true or false");
}

/** Without ids, undefined: most tasks depend on nothing. */
function checkIds(value: unknown, what: string): Set<string> | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw invalid(what, value, "a list of ids");
  return value.length === 0 ? undefined : new Set(value.map((id, index) => checkId(id, `${what}[${index}]`)));
}

function checkOutcome(options: { readonly success?: boolean } | undefined): boolean {
  if (options === undefined) return true;
  checkKeys(options, ["success"], "options");
  return checkBoolean(options.success, "options.success");
}
