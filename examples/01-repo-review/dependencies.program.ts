/** The librarian: reads its task from stdin, prints what it found to stdout. */
import { json } from "node:stream/consumers";
import { z } from "zod";
import { dependencies } from "./analyses/dependencies.ts";
import { assignment, inspect } from "./inspect.ts";

const { input } = z.object({ input: assignment }).parse(await json(process.stdin));
process.stdout.write(JSON.stringify(await inspect(dependencies, input)));
