import { measure } from "../measure.ts";
import { systems } from "../systems/index.ts";
import type { Answer, Begin, Request } from "./elsewhere.ts";
import { MAX } from "./orm.ts";
import { works } from "./works.ts";

/** One application of one ORM in a process of its own: opens it as its argument says, and measures as it is told to by messages. */
const { server, orm: name, urls, isMirrored } = JSON.parse(process.argv[2] ?? "{}") as Begin;
const orm = systems[server].orms.find((each) => each.name === name);
const [primary] = urls;
if (orm === undefined || primary === undefined) throw new Error(`there is no ${name} on ${server}`);

const application = await (isMirrored
  ? orm.mirrored({ nodes: urls, pool: { max: MAX }, routing: { readFrom: "primary" } })
  : orm.plain(primary));

// V8 goes on compiling for tens of thousands of statements, and users' processes are older than that
for (const work of Object.values(works)) await measure(() => work(application), 64, "steady", 3);

async function answer({ work, concurrency, pace, seconds }: Request): Promise<Answer> {
  const run = works[work];
  if (run === undefined) return { error: `there is no work ${work}` };
  try {
    return { measurement: await measure(() => run(application), concurrency, pace, seconds) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on("message", async (request: Request) => process.send?.(await answer(request)));
// whoever has begun it has ended, or has no more to ask
process.on("disconnect", () => void application.close());
process.send?.("ready");
