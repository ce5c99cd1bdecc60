import type { Host } from "../cluster/engine.ts";
import type { StopMode } from "../cluster/server.ts";
import { LabError } from "../errors.ts";
import { until, type WaitOptions } from "../wait.ts";
import { quoteLiteral } from "./sql.ts";

/** How long a switch to read-only may wait for statements under way. */
const READ_ONLY_MS = 1000;

/** Stops the server. @throws LabError `not-possible-here` for `smart` */
export async function stopServer(host: Host, mode: StopMode, wait: WaitOptions): Promise<void> {
  const { name, isResponsive, server } = host;
  if (mode === "smart") {
    throw new LabError("not-possible-here", `${name} cannot wait for its clients to leave: only PostgreSQL can`, {
      node: name,
    });
  }
  if (mode === "immediate" && isResponsive) {
    await host.ask((ask) => ask("SET GLOBAL innodb_fast_shutdown = 2"), wait);
  }
  await server.stop("SIGTERM", host.within(wait));
}

/** Limits the connections of the application's role. */
export async function limitConnections(host: Host, limit: number | null): Promise<void> {
  // there it would mean no limit
  if (limit === 0) throw new LabError("invalid-option", "limit: expected at least 1, got 0");
  const most = Math.max(limit ?? 0, 0);
  await host.ask((ask) =>
    ask(`ALTER USER ${quoteLiteral(host.plan.user)}@'%' WITH MAX_USER_CONNECTIONS ${Number(most)}`),
  );
}

/** Ends all sessions but the lab's and the server's own. @returns how many */
export async function endSessions(host: Host): Promise<number> {
  const spared = new Set([host.superuser.user, "system user", "event_scheduler", "mysql.session"]);
  return host.ask(async (ask) => {
    const sessions = async () => {
      const all = await ask<{ Id: number; User: string }>("SHOW PROCESSLIST");
      return all.filter(({ User }) => !spared.has(User)).map(({ Id }) => Id);
    };
    const ids = await sessions();
    // one that has left meanwhile is no error
    for (const id of ids) await ask(`KILL ${id}`).catch(() => {});
    await until(
      `the sessions on ${host.name} to end`,
      async () => !(await sessions()).some((id) => ids.includes(id)),
      host.within(),
    );
    return ids.length;
  });
}

/**
 * Runs a switch to read-only. The server waits for the statements under way. One of them may wait for a transaction whose next
 * statement waits for this: the sessions are ended after a moment, as managers of such clusters do.
 */
export async function endingSessions(host: Host, work: () => Promise<unknown>): Promise<void> {
  const timer = setInterval(() => void endSessions(host).catch(() => {}), READ_ONLY_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}
