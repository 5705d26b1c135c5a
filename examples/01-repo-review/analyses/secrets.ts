/** What secrets look like that say what they are. Every repetition is bounded, so that no text makes these slow. */
const SHAPES: readonly { readonly what: string; readonly shape: RegExp }[] = [
  { what: "An AWS access key", shape: token("(?:AKIA|ASIA)[0-9A-Z]{16}") },
  { what: "A GitHub token", shape: token("gh[pousr]_[0-9A-Za-z]{36,255}") },
  { what: "A GitHub token", shape: token("github_pat_[0-9A-Za-z_]{60,255}") },
  { what: "A GitLab token", shape: token("glpat-[0-9A-Za-z_-]{20,64}") },
  { what: "An npm token", shape: token("npm_[0-9A-Za-z]{36}") },
  { what: "A Slack token", shape: token("xox[abeoprs]-[0-9A-Za-z-]{20,255}") },
  { what: "A Stripe key", shape: token("[rs]k_live_[0-9A-Za-z]{20,255}") },
  { what: "A Google API key", shape: token("AIza[0-9A-Za-z_-]{35}") },
  { what: "An Anthropic key", shape: token("sk-ant-[0-9A-Za-z_-]{24,255}") },
  { what: "An OpenAI key", shape: token("sk-(?:proj-|svcacct-)?[0-9A-Za-z_-]{20,200}T3BlbkFJ[0-9A-Za-z_-]{20,200}") },
  // Programs that read keys name the first line alone; a key goes on after it.
  {
    what: "A private key",
    shape: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[\s"'`+\\nr]{1,40}[0-9A-Za-z+/=]{16}/g,
  },
];

/** `apiKey: "…"`, `"password" = '…'`: a name that speaks of secrets, and a quoted value without spaces. */
const QUOTED =
  /(secret|passwo?r?d|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)\w{0,40}["'`]?\s{0,4}[:=]\s{0,4}(["'`])([^"'`\s]{16,128})\2/gi;
/** The same without quotes, as settings are written: all that follows on the line. */
const UNQUOTED =
  /^[ \t]{0,40}(?:export[ \t])?\w{0,40}(secret|passwo?r?d|token|api_?key|access_?key|private_?key|credentials?)\w{0,40}[ \t]?[:=][ \t]?()([^"'`\s]{16,128})[ \t]*$/gim;

/** Where people show what a secret looks like. */
const PLACEHOLDER = /example|placeholder|changeme|dummy|x{4}|\.{3}|\*{3}|<|\{\{|\$\{|:\/\/|^(?:sha\d+-|process\.env)/i;
const MIN_BITS_PER_CHARACTER = 3.2;

export interface Secret {
  readonly what: string;
  /** Where it begins in the text. */
  readonly offset: number;
  /** Its first characters: enough to find it, too few to use it. */
  readonly shown: string;
}

/** Secrets in any text: well-known shapes, private keys, and random-looking values given to names that speak of secrets. */
export function findSecrets(path: string, text: string): Secret[] {
  const found: Secret[] = [];
  for (const { what, shape } of SHAPES) {
    for (const match of text.matchAll(shape)) {
      if (!/example/i.test(match[0])) found.push({ what, offset: match.index, shown: shorten(match[0]) });
    }
  }
  const known = found.map(({ offset }) => offset);
  for (const pattern of /\.(?:env|ya?ml|ini|properties|toml)$|(?:^|\/)\.env/.test(path)
    ? [QUOTED, UNQUOTED]
    : [QUOTED]) {
    for (const { index, 0: whole, 1: name = "", 3: value = "" } of text.matchAll(pattern)) {
      if (known.some((offset) => offset >= index && offset < index + whole.length) || !looksRandom(value)) continue;
      const what = `A random-looking value given to a ${name.toLowerCase()}`;
      found.push({ what, offset: index + whole.length - whole.trimStart().length, shown: shorten(value) });
    }
  }
  return found;
}

function token(shape: string): RegExp {
  return new RegExp(`(?<![0-9A-Za-z_/+-])${shape}(?![0-9A-Za-z_/+=-])`, "g");
}

function shorten(secret: string): string {
  return `${secret.slice(0, 4).replace(/\s/g, " ")}…`;
}

/** Digits and letters mixed, and more information in each character than words have. */
function looksRandom(value: string): boolean {
  if (PLACEHOLDER.test(value) || !/[a-z]/i.test(value) || value.replace(/\D/g, "").length < 3) return false;
  return /^[\w+/=.~!@#$%^&*-]+$/.test(value) && bitsPerCharacter(value) >= MIN_BITS_PER_CHARACTER;
}

/** Shannon's entropy of the characters (1948). */
function bitsPerCharacter(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  const shares = [...counts.values()].map((count) => count / value.length);
  return -shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
}
