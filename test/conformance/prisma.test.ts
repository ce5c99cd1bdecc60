import { mirroredPostgres } from "@mirrorpool/prisma";
import { PrismaClient } from "../../packages/prisma/test/client/generated/client.ts";
import { conformance } from "./conformance.ts";
import { prismaSubject } from "./subjects/prisma.ts";

conformance({
  name: "Prisma 7",
  open: (source) => prismaSubject(new PrismaClient({ adapter: mirroredPostgres(source) })),
  gaps: {
    "streamed-reads": { why: "Prisma has no streams", fails: /has no streams/ },
    stream: { why: "Prisma has no streams", fails: /has no streams/ },
    "stream-break": { why: "Prisma has no streams", fails: /has no streams/ },
    "stream-loss": { why: "Prisma has no streams", fails: /STREAM_LOST/ },
    migrations: { why: "Prisma's migrations do not run through its adapter", fails: /a program of its own/ },
    introspection: { why: "Prisma's introspection does not run through its adapter", fails: /a program of its own/ },
    cancel: { why: "Prisma takes no signals", fails: /cannot give a statement up/ },
  },
});
