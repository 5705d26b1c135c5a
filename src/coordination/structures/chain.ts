/**
 * A set whose members carry their place in it, so that joining and leaving move a few links and make nothing.
 *
 * 1. A link is in its chain exactly while `joined`; no chain holds it otherwise.
 * 2. Links stand in no order that means anything.
 */
export interface Link<T> {
  readonly item: T;
  joined: boolean;
  before: Link<T> | undefined;
  after: Link<T> | undefined;
}

export function linkFor<T>(item: T): Link<T> {
  return { item, joined: false, before: undefined, after: undefined };
}

export class Chain<T> {
  #first: Link<T> | undefined = undefined;

  /** Whoever goes through takes `after` of a link before that link may leave. */
  get first(): Link<T> | undefined {
    return this.#first;
  }

  join(link: Link<T>): void {
    if (link.joined) return;
    link.joined = true;
    link.after = this.#first;
    if (this.#first !== undefined) this.#first.before = link;
    this.#first = link;
  }

  /** Takes it out, if it is in. */
  leave(link: Link<T>): void {
    if (!link.joined) return;
    link.joined = false;
    const { before, after } = link;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after !== undefined) after.before = before;
    link.before = undefined;
    link.after = undefined;
  }
}
