import { run } from "./failover/run.ts";
import { ours, peers } from "./failover/contestants.ts";
const KILL = { name: "k", strike: (p: any) => p.kill(), promotion: "at once", wakesAfterMs: undefined } as const;
const FREEZE = { name: "f", strike: (p: any) => p.freeze(), promotion: "told", wakesAfterMs: 2000 } as const;
for (const c of [...ours, ...peers]) for (const f of [KILL, FREEZE]) { console.log(c.name, f.name, JSON.stringify(await run(c, f))); }
