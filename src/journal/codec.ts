/**
 * Events to a record and back.
 *
 * A record's body is JSON text: an array with one array an event. That holds, in this order,
 *
 * - the event's code and version, which together name a layout of the table {@link EVENTS};
 * - a mask of what is present: bit 0 a time that differs from the record's, bits 1 to 3 `commandId`, `by`, `trace`,
 *   bit 4 on the layout's fields in the layout's order;
 * - what the mask names, in the order of its bits: the time as a difference to the record's, everything else as it is.
 *
 * 1. What is read equals what was written: absent stays absent, `null` stays `null`, any key of a payload stays an own key.
 * 2. Records keyed by ids come back with null prototypes, as the kernel makes them.
 * 3. A field that is appended to a layout later is absent in what was written before.
 * 4. A code, version or field that this table does not know stops reading with `JOURNAL_CORRUPT`; nothing is skipped.
 */
import { SafeguardsError } from "../errors.ts";
import type { EventLayout } from "../kernel/events/layout.ts";
import { EVENTS, type EventType, type KernelEvent } from "../kernel/events.ts";
import { frameText, sealFrame } from "./frame.ts";
import type { JournalRecord } from "./journal.ts";

/** The number of this format of bodies. */
const CODEC = 1;

const HEAD = ["commandId", "by", "trace"] as const;
/** A mask is a whole number below 2⁵³, and its four lowest bits are the head's. */
const MAX_FIELDS = 49;
/** Fields whose values are keyed by ids when they are objects. */
const KEYED_BY_IDS: ReadonlySet<string> = new Set(["skills", "resources", "amounts", "weights", "archived", "learned"]);

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

interface KnownLayout extends EventLayout {
  readonly type: EventType;
  /** Names of what a mask says is there, by mask. */
  readonly present: Map<number, readonly string[]>;
  readonly keyedByIds: readonly string[];
}

const LAYOUTS: ReadonlyMap<number, KnownLayout> = new Map(
  Object.entries(EVENTS).map(([type, layout]) => {
    if (layout.fields.length > MAX_FIELDS) throw new RangeError(`${type} has more than ${MAX_FIELDS} fields`);
    const keyedByIds = layout.fields.filter((field) => KEYED_BY_IDS.has(field));
    return [layout.code, { ...layout, type: type as EventType, present: new Map(), keyedByIds }];
  }),
);

/** Where a record goes in the chain, and who writes it. */
export interface Place {
  readonly firstSeq: number;
  readonly epoch: number;
  readonly prevHash: Uint8Array;
}

/**
 * One batch as a record, with its hash. `INVALID_ARGUMENT` when there is no event, or when their seqs do not run on from
 * `firstSeq`. Linear in the events' size; about two million small events a second.
 */
export function seal(events: readonly KernelEvent[], place: Place): JournalRecord {
  const [first] = events;
  if (first === undefined) throw new SafeguardsError("INVALID_ARGUMENT", "a record holds at least one event; got none");
  const text = JSON.stringify(events.map((event, index) => pack(event, place.firstSeq + index, first.at)));
  const { firstSeq, epoch, prevHash } = place;
  return sealFrame(frameText(text), { firstSeq, count: events.length, epoch, at: first.at, prevHash, codec: CODEC });
}

/**
 * The events of a record. `JOURNAL_CORRUPT`, naming the record, when its body is not what {@link seal} writes or names
 * what this version does not know. Does not look at the hash: `verify` does. Linear in the record's size.
 */
export function unseal(record: JournalRecord): readonly KernelEvent[] {
  if (record.codec !== CODEC) throw unreadable(record, `its codec is ${record.codec}; this version reads ${CODEC}`);
  const rows = parse(record);
  if (rows.length !== record.count) throw unreadable(record, `it holds ${rows.length} events, not ${record.count}`);
  return rows.map((row, index) => unpack(row, index, record));
}

function pack(event: KernelEvent, seq: number, at: number): unknown[] {
  const layout = EVENTS[event.type];
  if (event.seq !== seq || event.v !== layout.v) {
    throw new SafeguardsError(
      "INVALID_ARGUMENT",
      `${event.type} v${event.v} has seq ${event.seq}; v${layout.v} with seq ${seq} was due`,
    );
  }
  const row: unknown[] = [layout.code, layout.v, 0];
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  let mask = 0;
  let bit = 1;
  const add = (value: unknown): void => {
    if (value !== undefined) {
      mask += bit;
      row.push(value);
    }
    bit *= 2;
  };
  add(event.at === at ? undefined : event.at - at);
  for (const name of HEAD) add(event[name]);
  for (const name of layout.fields) add(fields[name]);
  row[2] = mask;
  return row;
}

function parse(record: JournalRecord): readonly unknown[] {
  let rows: unknown;
  try {
    rows = JSON.parse(UTF8.decode(record.bytes));
  } catch (cause) {
    throw unreadable(record, "it is not JSON", cause);
  }
  if (!Array.isArray(rows)) throw unreadable(record, "it is not a list of events");
  return rows;
}

function unpack(row: unknown, index: number, record: JournalRecord): KernelEvent {
  if (!Array.isArray(row)) throw unreadable(record, `event ${index} is not a list`);
  const [code, v, mask]: unknown[] = row;
  const layout = typeof code === "number" ? LAYOUTS.get(code) : undefined;
  if (layout === undefined || layout.v !== v) {
    throw unreadable(
      record,
      `event ${index} has code ${String(code)} and version ${String(v)}, which this version does not know`,
    );
  }
  const names = typeof mask === "number" ? presentIn(layout, mask) : undefined;
  if (names === undefined || row.length !== names.length + 3) {
    throw unreadable(record, `event ${index}, ${layout.type}, does not fit its mask ${String(mask)}`);
  }
  const event: Record<string, unknown> = { type: layout.type, v, seq: record.firstSeq + index, at: record.at };
  for (let position = 0; position < names.length; position++) {
    const name = names[position];
    if (name !== undefined) event[name] = row[position + 3];
  }
  if (names[0] === "at") event.at = record.at + Number(event.at);
  for (const name of layout.keyedByIds) {
    if (name in event) event[name] = withoutPrototype(event[name]);
  }
  return event as unknown as KernelEvent;
}

/** Names of what is present, in order; `undefined` when the mask names a field that the layout does not have. */
function presentIn(layout: KnownLayout, mask: number): readonly string[] | undefined {
  const known = layout.present.get(mask);
  if (known !== undefined) return known;
  const all = ["at", ...HEAD, ...layout.fields];
  if (!Number.isSafeInteger(mask) || mask < 0 || mask >= 2 ** all.length) return undefined;
  const names = all.filter((_, bit) => Math.floor(mask / 2 ** bit) % 2 === 1);
  layout.present.set(mask, names);
  return names;
}

function withoutPrototype(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.assign(Object.create(null), value);
}

function unreadable(record: JournalRecord, what: string, cause?: unknown): SafeguardsError {
  return new SafeguardsError("JOURNAL_CORRUPT", `the record of seq ${record.firstSeq} cannot be read: ${what}`, {
    details: { firstSeq: record.firstSeq },
    cause,
  });
}
