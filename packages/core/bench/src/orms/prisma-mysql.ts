import { mirroredMysql } from "@mirrorpool/prisma/mysql";
import { PrismaMariaDb } from "@prisma/adapter-mariadb";
import { PrismaClient } from "../../../../prisma/test/client-mysql/generated/client.ts";
import { addressOf } from "../peers/mariadb.ts";
import type { Application, Orm } from "./orm.ts";
import { MAX } from "./orm.ts";

function application(prisma: PrismaClient): Application {
  return {
    // not `findUnique`, of which Prisma makes one statement for all callers of the same moment
    find: (id) => prisma.order.findFirst({ where: { id } }),
    update: async (id, item) => (await prisma.order.updateMany({ where: { id }, data: { item } })).count,
    close: () => prisma.$disconnect(),
  };
}

export const prismaOnMysql: Orm = {
  name: "Prisma",
  plain: (url) =>
    application(new PrismaClient({ adapter: new PrismaMariaDb({ ...addressOf(url), connectionLimit: MAX }) })),
  mirrored: (source) => application(new PrismaClient({ adapter: mirroredMysql(source) })),
};
