/**
 * Five language detectors vote on short sentences, and one table says who was right how often:
 *
 *     node examples/02-vote/main.ts
 */
import { contest } from "./contest.ts";
import { tableOf } from "./table.ts";

console.log(tableOf(await contest()));
