/** Few dependencies, each pinned exactly, and a lock file that names no host: it installs from wherever npm is told to. */
import type { Faults } from "./source.ts";

const MOST_DEPENDENCIES = 12;

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
}

export function dependencies(manifest: Manifest, lock: Lock): Faults {
  const faults: string[] = [];
  const direct = Object.keys(manifest.dependencies ?? {});
  if (direct.length > MOST_DEPENDENCIES) {
    faults.push(`package.json:1: ${direct.length} dependencies; at most ${MOST_DEPENDENCIES} are allowed`);
  }
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    const locked = lock.packages[`node_modules/${name}`]?.version;
    if (!/^\d+\.\d+\.\d+$/.test(version)) faults.push(`package.json:1: ${name} is ${version}; pin it exactly`);
    else if (locked !== version) faults.push(`package-lock.json:1: ${name} is ${locked}; package.json says ${version}`);
  }
  for (const [path, { resolved, optionalDependencies = {} }] of Object.entries(lock.packages)) {
    if (resolved !== undefined) faults.push(`package-lock.json:1: ${path} names where it came from`);
    for (const name of Object.keys(optionalDependencies)) {
      const places = [`node_modules/${name}`, `${path}/node_modules/${name}`];
      if (places.some((place) => place in lock.packages)) continue;
      faults.push(`package-lock.json:1: ${name} is left out, which npm ci refuses: npm run lock puts it back`);
    }
  }
  return faults;
}
