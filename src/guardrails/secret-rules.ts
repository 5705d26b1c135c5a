/**
 * What looks like a secret. Every pattern begins where a word begins or with a fixed text, and no part of it may be read in
 * two ways, so that the time that it takes is linear in the text, whatever the text.
 */

/** The kinds of secrets that are looked for. */
export type SecretRule =
  | "aws-access-key"
  | "github-token"
  | "gitlab-token"
  | "google-api-key"
  | "npm-token"
  | "slack-token"
  | "stripe-key"
  | "model-key"
  | "json-web-token"
  | "private-key"
  | "url-password"
  | "high-entropy";

/** Where a secret stands in a text, and by what it was found. */
export interface FoundSecret {
  readonly rule: SecretRule | "value";
  readonly start: number;
  readonly end: number;
}

interface Format {
  readonly pattern: RegExp;
  /** What else must be true of a match. */
  isMeant?(match: string, text: string, start: number): boolean;
  /** Where it ends, when that is not where the match does. */
  endOf?(text: string, start: number): number;
}

const FORMATS: Readonly<Record<SecretRule, Format>> = {
  "aws-access-key": { pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g },
  "github-token": { pattern: /(?<![A-Za-z0-9_])(?:gh[opsur]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})/g },
  "gitlab-token": { pattern: /(?<![A-Za-z0-9_-])glpat-[A-Za-z0-9_.-]{20,}/g },
  "google-api-key": { pattern: /(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g },
  "npm-token": { pattern: /(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/g },
  "slack-token": { pattern: /(?<![A-Za-z0-9-])xox[abeprs]-[A-Za-z0-9-]{20,}/g, isMeant: hasDigit },
  "stripe-key": { pattern: /(?<![A-Za-z0-9_])(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}/g },
  "model-key": { pattern: /(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]{20,}/g, isMeant: isModelKey },
  "json-web-token": {
    pattern: /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g,
  },
  "private-key": { pattern: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g, endOf: endOfKey },
  "url-password": { pattern: /:\/\/[^\s/?#:@]{0,256}:[^\s/?#]{1,256}@/g },
  "high-entropy": { pattern: /[A-Za-z0-9+/_=-]{32,}/g, isMeant: isRandom },
};

/** All of them. */
export const SECRET_RULES: readonly SecretRule[] = [
  "aws-access-key",
  "github-token",
  "gitlab-token",
  "google-api-key",
  "npm-token",
  "slack-token",
  "stripe-key",
  "model-key",
  "json-web-token",
  "private-key",
  "url-password",
  "high-entropy",
];

/** What looks like a secret by these rules, and where these values stand. */
export function secretsIn(
  text: string,
  rules: readonly SecretRule[],
  values: readonly string[],
): readonly FoundSecret[] {
  const found: FoundSecret[] = [];
  for (const rule of rules) {
    const { pattern, isMeant, endOf } = FORMATS[rule];
    let after = 0;
    for (const { 0: match, index: start } of text.matchAll(pattern)) {
      if (start < after || isMeant?.(match, text, start) === false) continue;
      after = endOf?.(text, start) ?? start + match.length;
      found.push({ rule, start, end: after });
    }
  }
  for (const value of values) {
    for (let start = text.indexOf(value); start >= 0; start = text.indexOf(value, start + value.length))
      found.push({ rule: "value", start, end: start + value.length });
  }
  return found;
}

/** A key whose end is not there goes on to the end of the text. */
function endOfKey(text: string, start: number): number {
  const end = text.indexOf("-----END", start);
  const line = end < 0 ? -1 : text.indexOf("-----", end + "-----END".length);
  return line < 0 ? text.length : line + "-----".length;
}

function hasDigit(match: string): boolean {
  return /[0-9]/.test(match);
}

/** Right behind `sk-`, or behind what tells whose key it is: 128 bits or more in hexadecimal digits, or a UUID. */
const HEXADECIMAL_KEY =
  /^sk-(?:or-v1-|proj-|ant-[a-z0-9]{1,10}-|svcacct-|admin-|lf-)?([0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![a-z0-9])/i;

/** Words of a language have no capitals and digits in their midst; names of classes are no long row of hexadecimal digits. */
function isModelKey(match: string): boolean {
  if (!hasDigit(match)) return false;
  if (/[A-Z]/.test(match.slice(3)) && /[a-z]/.test(match.slice(3))) return true;
  const digits = HEXADECIMAL_KEY.exec(match)?.[1] ?? "";
  return /[a-f]/i.test(digits) && hasDigit(digits);
}

/** Longer ones are data: files, pictures. */
const LONGEST_TOKEN = 256;
/** Of tokens that are drawn by chance from letters and digits, two neighbours in three are of different kinds; of names in camel case, one in three. */
const LEAST_CHANGES = 0.45;
const LEAST_DIGITS = 2;

/** Whether only chance makes such a string: it changes between small letters, capitals and digits nearly every time. */
function isRandom(match: string, text: string, start: number): boolean {
  if (match.length > LONGEST_TOKEN || /^sha(?:1|256|384|512)-/.test(match)) return false;
  if (text.slice(Math.max(0, start - 7), start) === "base64,") return false;
  const counts = { small: 0, capital: 0, digit: 0, other: 0 };
  let changes = 0;
  let before: keyof typeof counts | undefined;
  for (const character of match) {
    const kind = kindOf(character);
    counts[kind] += 1;
    if (before !== undefined && kind !== before && kind !== "other" && before !== "other") changes += 1;
    before = kind;
  }
  const { small, capital, digit } = counts;
  return small > 0 && capital > 0 && digit >= LEAST_DIGITS && changes >= LEAST_CHANGES * (small + capital + digit - 1);
}

function kindOf(character: string): "small" | "capital" | "digit" | "other" {
  if (character >= "a" && character <= "z") return "small";
  if (character >= "A" && character <= "Z") return "capital";
  return character >= "0" && character <= "9" ? "digit" : "other";
}
