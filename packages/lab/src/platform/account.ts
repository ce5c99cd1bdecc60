import { readFileSync } from "node:fs";
import { LabError } from "../errors.ts";

/** The operating system account that the servers run under. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account for the servers: `undefined` (our own) for an ordinary user; `nobody` for root, because the servers refuse
 * to run as root and a uid without a passwd entry fails with "could not look up effective user ID".
 * @throws LabError `not-possible-here` as root on a machine without the user `nobody`
 */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [name, , uid, gid] = line.split(":");
    // macOS writes -2; the system calls want it unsigned
    if (name === "nobody") return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
  }
  throw new LabError(
    "not-possible-here",
    'database servers do not run as root, and there is no user "nobody" to run it as: start the lab as an ordinary user',
  );
}
