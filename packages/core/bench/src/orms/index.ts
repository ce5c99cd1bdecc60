import { knexOnMysql, knexOrm } from "./knex.ts";
import { kyselyOnMysql, kyselyOrm } from "./kysely.ts";
import { mysql2Pool } from "./mysql2.ts";
import type { Orm } from "./orm.ts";
import { pgPool } from "./pg.ts";
import { prismaOrm } from "./prisma.ts";
import { prismaOnMysql } from "./prisma-mysql.ts";
import { typeorm, typeormOnMysql } from "./typeorm.ts";

/** All that is compared with itself, on PostgreSQL. */
export const postgresOrms: readonly Orm[] = [pgPool, knexOrm, kyselyOrm, prismaOrm, typeorm];

/** The same on MariaDB and MySQL. */
export const mysqlOrms: readonly Orm[] = [mysql2Pool, knexOnMysql, kyselyOnMysql, prismaOnMysql, typeormOnMysql];
