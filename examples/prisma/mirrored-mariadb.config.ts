import { mirroredMysql } from "@mirrorpool/prisma/mysql";
import { PrismaClient } from "./prisma/mysql/generated/client.ts";

export const prisma = new PrismaClient({
  adapter: mirroredMysql({
    nodes: (process.env["DATABASE_URLS"] ?? "").split(","),
    exactlyOnce: true,
  }),
  // Prisma ends an interactive transaction after 5 seconds: a failover may take longer
  transactionOptions: { maxWait: 30_000, timeout: 30_000 },
});

export const migrations = "prisma/mysql/migrations";
