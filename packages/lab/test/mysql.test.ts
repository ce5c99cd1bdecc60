import { test } from "vitest";
import { createCluster, LabError } from "../src/index.ts";
import { describeServer } from "./mysql/suite.ts";

const reason = await createCluster({ server: "mysql", mirrors: 0 }).then(
  async (cluster) => void (await cluster.close()),
  (error: unknown) => {
    // where it is certain that there is one, its absence is a failure
    if (error instanceof LabError && error.code === "not-possible-here" && !process.env["CI"]) return error.message;
    throw error;
  },
);
if (reason === undefined) describeServer("mysql");
else test.skip(`MySQL clusters: ${reason}`);
