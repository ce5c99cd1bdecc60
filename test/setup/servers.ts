import { createCluster } from "@mirrorpool/lab";

/** Fetching a server and making its first data directory, on a machine that has neither. */
const FETCH_MS = 300_000;

/**
 * Before the tests: MariaDB and MySQL are fetched once, where they are missing. No test has to wait for that then; where one cannot
 * be had, its own tests say so.
 */
async function fetchServer(server: "mariadb" | "mysql"): Promise<void> {
  try {
    const cluster = await createCluster({ server, mirrors: 0, signal: AbortSignal.timeout(FETCH_MS) });
    await cluster.close();
  } catch (error) {
    console.warn(`${server} cannot be had here: ${error instanceof Error ? error.message : String(error)}`);
  }
}

await Promise.all((["mariadb", "mysql"] as const).map(fetchServer));
