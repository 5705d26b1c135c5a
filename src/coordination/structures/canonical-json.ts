/** JSON with sorted keys and no spaces: equal data has equal text. What is undefined is left out (as in RFC 8785). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  const keys = Object.keys(value).sort();
  const parts: string[] = [];
  for (const key of keys) {
    const text = canonicalJson(Reflect.get(value, key));
    if (text !== "") parts.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${parts.join()}}`;
}
