/**
 * Completes package-lock.json: `npm run lock`, after `npm install`. npm leaves packages for other platforms out when the
 * registry that it asks does not have them, and `npm ci` then refuses the lock file. This puts them back: what they are for
 * is in their names. On their own platform they install as any other; elsewhere they are left out.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface Locked {
  readonly version: string;
  readonly cpu?: readonly string[];
  readonly dev?: boolean;
  readonly libc?: readonly string[];
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const path: URL = new URL("../package-lock.json", import.meta.url);
const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(path, "utf8"));

for (const { optionalDependencies = {}, dev = false } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (`node_modules/${name}` in lock.packages) continue;
    lock.packages[`node_modules/${name}`] = entryOf(name, version, dev);
    console.log(`added ${name} ${version}`);
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
lock.packages = Object.fromEntries(sorted);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);

/** What npm would have written. `…-linux-arm64-musl`: a system, a processor, and at times a library or a way of calling. */
function entryOf(name: string, version: string, dev: boolean): Locked {
  const [, os, cpu, abi = ""] = /-(android|darwin|freebsd|linux|openharmony|win32)-(\w+)(?:-(\w+))?$/.exec(name) ?? [];
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`${name} ${version} is left out of the lock file, and is not for one platform: install it by hand`);
  }
  const libc = abi.startsWith("musl") ? ["musl"] : abi.startsWith("gnu") ? ["glibc"] : undefined;
  return { version, cpu: [cpu], ...(dev && { dev }), ...(libc && { libc }), optional: true, os: [os] };
}
