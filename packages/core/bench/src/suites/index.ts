import type { Suite } from "../suite.ts";
import { acquire } from "./acquire.ts";
import { exactlyOnce } from "./exactly-once.ts";
import { failover } from "./failover.ts";
import { hedged } from "./hedged.ts";
import { mixed } from "./mixed.ts";
import { orm } from "./orm.ts";
import { query } from "./query.ts";
import { scale } from "./scale.ts";

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [acquire, query, mixed, hedged, orm, exactlyOnce, scale, failover];
