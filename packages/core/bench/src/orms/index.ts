import { knexOrm } from "./knex.ts";
import { kyselyOrm } from "./kysely.ts";
import type { Orm } from "./orm.ts";
import { pgPool } from "./pg.ts";
import { prismaOrm } from "./prisma.ts";
import { typeorm } from "./typeorm.ts";

/** All that is compared with itself. */
export const orms: readonly Orm[] = [pgPool, knexOrm, kyselyOrm, prismaOrm, typeorm];
