import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const run = promisify(execFile);
const main = join(import.meta.dirname, "../../examples/demo/src/main.ts");

const demo = (args: readonly string[]): Promise<{ stdout: string }> =>
  run(process.execPath, ["--conditions=mirrorpool-source", main, ...args], { timeout: 50_000 });

describe("examples/demo", () => {
  test.each([
    ["postgres", "pg.Pool"],
    ["mariadb", "mysql2"],
  ])(
    "on %s puts the chosen clients through a fault at once, and writes the figures of each",
    async (database, plain) => {
      const folder = await mkdtemp(join(tmpdir(), "mirrorpool-demo-"));
      try {
        const file = join(folder, "figures.json");
        const clients = [plain, "mirrorpool", "prisma"].flatMap((client) => ["--client", client]);
        const { stdout } = await demo([
          "--database",
          database,
          ...clients,
          "--fault",
          "switchover",
          "--workers",
          "2",
          "--json",
          file,
        ]);
        expect(stdout).toMatch(/^Prisma, exactly once /m);

        const { runs } = JSON.parse(await readFile(file, "utf8")) as { runs: unknown[] };
        const figures = {
          database,
          fault: "switchover",
          acknowledged: expect.any(Number),
          lost: 0,
          duplicated: 0,
          surfacedErrors: 0,
          commitUnknown: 0,
          hung: 0,
          uncaught: 0,
          toSupersededPrimary: 0,
          promotionMs: expect.any(Number),
          firstWriteMs: expect.any(Number),
          throughputBackMs: expect.toSatisfy(isTime),
          longestCallMs: expect.any(Number),
        };
        expect(runs).toEqual([
          expect.objectContaining({ client: plain, orm: null, exactlyOnce: false, fault: "switchover" }),
          { ...figures, client: "mirrorpool", orm: null, exactlyOnce: false },
          { ...figures, client: "mirrorpool", orm: "prisma", exactlyOnce: true },
        ]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  test.each([
    ["--database", "oracle"],
    ["--client", "mysql2"],
    ["--fault", "fire"],
    ["--workers", "0"],
  ])("refuses %s %s and says what it expects", async (flag, value) => {
    await expect(demo([flag, value])).rejects.toMatchObject({
      stderr: expect.stringContaining(`${flag}: expected `),
    });
  });
});

/** Null: not within the run, as on a machine that is busy with other things. */
const isTime = (value: unknown): boolean => value === null || typeof value === "number";
