import { mirroredMysql } from "@mirrorpool/prisma/mysql";
import type { PrismaClient as PostgresClient } from "../../packages/prisma/test/client/generated/client.ts";
import { PrismaClient } from "../../packages/prisma/test/client-mysql/generated/client.ts";
import { mysqlServers } from "../failover/support/system.ts";
import { conformance } from "./conformance.ts";
import { onMysql } from "./databases/mysql.ts";
import { prismaGaps, prismaSubject } from "./subjects/prisma.ts";

for (const server of mysqlServers) {
  conformance({
    name: "Prisma 7",
    database: onMysql(server),
    open: (source) => {
      const prisma = new PrismaClient({ adapter: mirroredMysql(source) });
      // the same models: only `tags` has another type, and takes the same values
      return prismaSubject(prisma as unknown as PostgresClient);
    },
    gaps: {
      ...prismaGaps,
      "shared-reads": {
        why: "Prisma's statements are prepared ones there, which `mysql2` sends one at a time",
        fails: /expected \[ Array\(1\) \] to deeply equal \[\]/,
      },
      "killed-in-write": {
        why: "`create` is a transaction there, which is run again",
        fails: /expected \[\] to include 'COMMIT_UNKNOWN'/,
        exactlyOnce: false,
      },
    },
  });
}
