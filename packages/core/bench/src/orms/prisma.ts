import { mirroredPostgres } from "@mirrorpool/prisma";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "../../../../prisma/test/client/generated/client.ts";
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

export const prismaOrm: Orm = {
  name: "Prisma",
  plain: (url) => application(new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: MAX }) })),
  mirrored: (source) => application(new PrismaClient({ adapter: mirroredPostgres(source) })),
};
