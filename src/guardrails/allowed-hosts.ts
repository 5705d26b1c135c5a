import { checkId, invalid } from "../coordination/structures/arguments.ts";
import { limits } from "../kernel/limits.ts";
import { checkOptions } from "../runtime/options.ts";
import { checkPoint, type GuardedPoint, type Guardrail } from "./guardrail.ts";
import { textsIn, tooMuchText } from "./texts.ts";

/** What {@link allowedHosts} takes. */
export interface AllowedHostsOptions {
  /**
   * `example.com` is this host alone, `*.example.com` every host below it, but not itself; on any port. At most 1 000. No
   * other patterns.
   */
  readonly hosts: readonly string[];
  /** Where addresses are looked for. Default: `action`, in its arguments. */
  readonly on?: GuardedPoint;
  /** Default: `allowed-hosts`. */
  readonly name?: string;
}

/**
 * Blocks what has the address of another host in it: in a string that is an address, or among its words (also within
 * another address, as in `?next=https://…`), and in keys of objects. An address is read as browsers and `fetch` read it (`https:\\host`, `//host`, `https://user@host`, tabs in its
 * midst); one that cannot be read, and one without a host (`file:///…`), is not allowed. A bare name (`example.com/x`) is no address.
 *
 * @example
 * ```ts
 * import { allowedHosts, Coordinator } from "safeguards";
 * const hosts = allowedHosts({ hosts: ["api.example.com", "*.wikipedia.org"] });
 * await using coordinator = await Coordinator.open({ guardrails: [hosts] });
 * ```
 */
export function allowedHosts(options: AllowedHostsOptions): Guardrail {
  checkOptions(options, { known: ["hosts", "on", "name"] }, "the options of allowedHosts");
  const { hosts, on = "action", name = "allowed-hosts" } = options;
  if (!Array.isArray(hosts) || hosts.length > limits.options)
    throw invalid("hosts of allowedHosts", hosts, `a list of at most ${limits.options} hosts`);
  const exact = new Set<string>();
  const parents = new Set<string>();
  for (const host of hosts) {
    if (!isHost(host))
      throw invalid("a host of allowedHosts", host, 'a host as "example.com" is, or "*.example.com" for all below it');
    (isWild(host) ? parents : exact).add(ownName(host) ?? "");
  }
  return {
    name: checkId(name, "name of allowedHosts"),
    on: checkPoint(on, "on of allowedHosts"),
    check: ({ value }) => {
      const refusal = tooMuchText(value);
      if (refusal !== undefined) return refusal;
      let count = 0;
      let others = 0;
      for (const text of textsIn(value)) {
        for (const address of addressesIn(text)) {
          count += 1;
          const host = hostOf(address);
          if (host === undefined || !(exact.has(host) || hasParent(host, parents))) others += 1;
        }
      }
      if (others === 0) return { allow: true };
      return { allow: false, reason: `it has addresses of hosts that are not allowed: ${others} of ${count}` };
    },
  };
}

/** Whether {@link allowedHosts} takes this as a host. */
export function isHost(value: unknown): value is string {
  return typeof value === "string" && ownName(value) !== undefined;
}

function isWild(host: string): boolean {
  return host.startsWith("*.");
}

/** The host itself, or the one above all those that are meant, as addresses name it; undefined: it is more than that, or none. */
function ownName(host: string): string | undefined {
  const own = isWild(host) ? host.slice(2) : host;
  if (/[\s/\\?#@*]/.test(own) || !URL.canParse(`https://${own}`)) return undefined;
  const { hostname } = new URL(`https://${own}`);
  const hasPort = /:\d*$/.test(own.replace(/^\[.*\]/, ""));
  return hasPort ? undefined : hostname.replace(/\.$/, "");
}

function hasParent(host: string, parents: ReadonlySet<string>): boolean {
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1))
    if (parents.has(host.slice(dot + 1))) return true;
  return false;
}

/** What `fetch` would ask; undefined: nobody, or it cannot be read. */
function hostOf(address: string): string | undefined {
  if (!URL.canParse(address, "https://none.invalid")) return undefined;
  const { hostname } = new URL(address, "https://none.invalid");
  return hostname === "" ? undefined : hostname.replace(/\.$/, "");
}

/** A whole text that is an address: with a scheme and an authority, one of those that need no slashes, or without a scheme. */
const WHOLE = /^(?:[a-z][a-z0-9+.-]{0,31}:[\\/]{2}|(?:https?|wss?|ftp):|[\\/]{2})./is;
/**
 * The same among words, up to the end of the host: another address may follow without a space in between. Without a scheme
 * only where an address may begin, and with a dot in the host, so that comments of programs are none. What may be a scheme is
 * read from its first character on only, so that no text takes more than linear time.
 */
const AMONG_WORDS =
  /(?:https?|wss?|ftp):[\\/]*[^\s"'<>`\\/?#]+|(?<![a-z0-9+.-])[a-z0-9+.-]+:[\\/]{2,}[^\s"'<>`\\/?#]*|(?<![^\s"'`(=<[])[\\/]{2}[^\s"'<>`\\/?#]*\.[^\s"'<>`\\/?#]+/gi;

function addressesIn(text: string): ReadonlySet<string> {
  const addresses = new Set<string>();
  // Those who read an address leave these out before they look at it.
  const whole = text.trim().replace(/[\t\n\r]/g, "");
  const isWhole = WHOLE.test(whole);
  if (isWhole) addresses.add(whole);
  for (const [found] of text.matchAll(AMONG_WORDS)) {
    const address = withoutStops(found);
    // The beginning of the whole is that one again.
    if (!isWhole || !whole.startsWith(address)) addresses.add(address);
  }
  return addresses;
}

/** Without what ends a sentence, not an address. */
function withoutStops(found: string): string {
  let end = found.length;
  while (end > 0 && ".,;:!?)}".includes(found.charAt(end - 1))) end -= 1;
  return found.slice(0, end);
}
