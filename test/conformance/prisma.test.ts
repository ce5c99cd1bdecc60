import { mirroredPostgres } from "@mirrorpool/prisma";
import { PrismaClient } from "../../packages/prisma/test/client/generated/client.ts";
import { conformance } from "./conformance.ts";
import { prismaGaps, prismaSubject } from "./subjects/prisma.ts";

conformance({
  name: "Prisma 7",
  open: (source) => prismaSubject(new PrismaClient({ adapter: mirroredPostgres(source) })),
  gaps: prismaGaps,
});
